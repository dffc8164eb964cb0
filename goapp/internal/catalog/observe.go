package catalog

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"kit.local/goapp/internal/metrics"
	"kit.local/goapp/internal/tracing"
)

// observe records every request once: as a duration by method, route and code, and as a line at level debug.
// Next must be or wrap the mux with the same *http.Request, whose Pattern the mux fills in.
func observe(log *slog.Logger, m *metrics.Metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		answer := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		took := time.Since(start)
		route := cmp.Or(routeOf(r.Pattern), "unmatched")
		m.Request(methodLabel(r.Method), route, answer.status, took, tracing.SampledID(r.Context()))
		log.DebugContext(r.Context(), "request",
			"method", r.Method, "path", r.URL.Path, "status", answer.status, "seconds", took.Seconds())
	})
}

// routeOf is the path of a pattern such as "GET /items/{id}", or "" when no route matched.
func routeOf(pattern string) string {
	_, path, _ := strings.Cut(pattern, " ")
	return path
}

// methodLabel bounds the label: a client may send any word as a method.
func methodLabel(method string) string {
	known := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	if slices.Contains(known, method) {
		return method
	}
	return "_OTHER" // OpenTelemetry's word for it
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
