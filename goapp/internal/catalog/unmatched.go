package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/problem"
)

// unmatched gives requests without a route the same JSON errors as all others; the mux alone answers them in plain text.
func unmatched(log *slog.Logger, mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		verdict := muted{header: http.Header{}}
		handler.ServeHTTP(&verdict, r)
		switch verdict.status {
		case http.StatusNotFound:
			fail(log, w, r, problem.New(problem.NotFound, "no route %s", r.URL.Path))
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", verdict.header.Get("Allow"))
			fail(log, w, r, problem.New(problem.MethodNotAllowed, "%s is not allowed here", r.Method))
		default: // a redirect to the clean path
			handler.ServeHTTP(w, r)
		}
	})
}

// muted takes an answer's status and header and drops its body.
type muted struct {
	header http.Header
	status int
}

func (m *muted) Header() http.Header         { return m.header }
func (m *muted) WriteHeader(status int)      { m.status = status }
func (m *muted) Write(b []byte) (int, error) { return len(b), nil }
