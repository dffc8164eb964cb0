package catalog

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"kit.local/goapp/internal/metrics"
)

// observe records every request once: as a duration by method, route and code, and as a line at level debug.
// Next must be or wrap the mux with the same *http.Request, whose Pattern the mux fills in.
func observe(log *slog.Logger, m *metrics.Metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		answer := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		took := time.Since(start)
		m.Request(methodLabel(r.Method), routeLabel(r.Pattern), answer.status, took)
		log.DebugContext(r.Context(), "request",
			"method", r.Method, "path", r.URL.Path, "status", answer.status, "seconds", took.Seconds())
	})
}

// routeLabel is the path of a pattern such as "GET /items/{id}"; paths without a route share one label.
func routeLabel(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return "unmatched"
}

// methodLabel bounds the label: a client may send any word as a method.
func methodLabel(method string) string {
	known := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	if slices.Contains(known, method) {
		return method
	}
	return "other"
}

// recorder remembers the final status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection's own writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
