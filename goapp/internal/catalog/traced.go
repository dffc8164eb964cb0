package catalog

import (
	"net/http"
	"slices"

	"kit.local/goapp/internal/tracing"
)

// untraced are the paths of probes and scrapes: they come every few seconds and say nothing about who uses the service.
var untraced = []string{"/health", "/ready", "/startup", "/metrics"}

// traced makes every other request a span, and lets its context carry the span's identity to whoever logs or calls.
func traced(traces *tracing.Tracing, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(untraced, r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		method := methodLabel(r.Method)
		ctx, span := traces.Server(r, method)
		within := r.WithContext(ctx)
		answer := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, within)
		span.Served(method, routeOf(within.Pattern), answer.status)
	})
}
