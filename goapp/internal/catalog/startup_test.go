package catalog

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A program that serves has started.
func TestStartup(t *testing.T) {
	t.Parallel()
	boot(t).do("GET", "/startup", "").want(t, http.StatusOK, `{"status":"started"}`)
}

// Only a server that does not serve yet has not started: one that drains has.
func TestStartupByPhase(t *testing.T) {
	t.Parallel()
	for at, want := range map[phase]int{starting: http.StatusServiceUnavailable, draining: http.StatusOK} {
		life := new(lifecycle)
		life.enter(at)
		w := httptest.NewRecorder()
		startup(slog.New(slog.DiscardHandler), life).ServeHTTP(w, httptest.NewRequest("GET", "/startup", nil))

		if w.Code != want {
			t.Errorf("phase %d: status = %d, want %d", at, w.Code, want)
		}
	}
}
