package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/downstream"
)

// relay passes a request on to the downstream and its answer back, errors and all; who answered is appended to who asks.
func relay(log *slog.Logger, next *downstream.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		if err != nil {
			fail(log, w, r, err)
			return
		}
		answer, err := next.Do(r.Context(), r.Method, r.URL.EscapedPath(), body)
		if err != nil {
			fail(log, w, r, err)
			return
		}
		for _, name := range []string{"Content-Type", "Location"} {
			if value := answer.Header.Get(name); value != "" {
				w.Header().Set(name, value)
			}
		}
		if others := answer.Header.Get(servedBy); others != "" {
			w.Header().Set(servedBy, w.Header().Get(servedBy)+", "+others)
		}
		send(log, w, r, answer.Status, answer.Body)
	})
}
