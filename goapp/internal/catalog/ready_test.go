package catalog

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A program that has said so is ready.
func TestReady(t *testing.T) {
	t.Parallel()
	boot(t).do("GET", "/ready", "").want(t, http.StatusOK, `{"status":"ready"}`)
}

// Before it serves, and while it drains, a server is not ready and says why.
func TestNotReady(t *testing.T) {
	t.Parallel()
	for reason, at := range map[string]phase{"starting": starting, "draining": draining} {
		life := new(lifecycle)
		life.enter(at)
		w := httptest.NewRecorder()
		ready(slog.New(slog.DiscardHandler), life, nil).ServeHTTP(w, httptest.NewRequest("GET", "/ready", nil))

		read(t, w.Result()).want(t, http.StatusServiceUnavailable, `{"error":{"code":"unavailable","message":"`+reason+`"}}`)
	}
}
