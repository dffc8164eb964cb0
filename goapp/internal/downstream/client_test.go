package downstream

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"kit.local/goapp/internal/problem"
	"kit.local/goapp/internal/tracing"
)

func client(t *testing.T, timeout time.Duration, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/api")
	if err != nil {
		t.Fatal(err)
	}
	traces, err := tracing.New(t.Context(), slog.New(slog.DiscardHandler), tracing.Service{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return New(base, timeout, func(context.Context) error { return nil }, traces)
}

func code(err error) problem.Code {
	if err == nil {
		return ""
	}
	return problem.From(err).Code
}

// Method, path and body arrive, below the base's path; any status is an answer, a redirect too.
func TestDo(t *testing.T) {
	c := client(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
		io.WriteString(w, r.Method+" "+r.URL.EscapedPath()+" "+string(body))
	})

	got, err := c.Do(t.Context(), "POST", "/items/a%2Fb", []byte("hello"))

	if err != nil || got.Status != http.StatusFound || string(got.Body) != "POST /api/items/a%2Fb hello" {
		t.Errorf("answer = %d %s, err = %v", got.Status, got.Body, err)
	}
}

// A body that stalls is as late as a missing answer, and a client that leaves is told apart from a slow downstream.
func TestSlow(t *testing.T) {
	stalls := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	gone, leave := context.WithCancel(t.Context())
	leave()

	_, slow := client(t, 50*time.Millisecond, stalls).Do(t.Context(), "GET", "/", nil)
	_, left := client(t, time.Minute, stalls).Do(gone, "GET", "/", nil)

	if code(slow) != problem.DownstreamSlow || code(left) != problem.ClientGone {
		t.Errorf("slow = %v, left = %v", slow, left)
	}
}

// What runs before a call counts as part of it: its failure is the call's.
func TestBefore(t *testing.T) {
	c := client(t, time.Minute, func(http.ResponseWriter, *http.Request) { t.Error("called") })
	c.before = func(context.Context) error { return errors.New("down") }

	if _, err := c.Do(t.Context(), "GET", "/", nil); code(err) != problem.DownstreamFailed {
		t.Errorf("err = %v, want downstream_failed", err)
	}
}

// Health is a 200, and nothing else.
func TestHealthy(t *testing.T) {
	for status, want := range map[int]problem.Code{200: "", 204: problem.DownstreamFailed, 503: problem.DownstreamFailed} {
		c := client(t, time.Minute, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })

		if got := code(c.Healthy(t.Context())); got != want {
			t.Errorf("status %d: %q, want %q", status, got, want)
		}
	}
}
