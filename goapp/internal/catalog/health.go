package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/downstream"
)

// health answers as long as the process can. With a dependency it asks that one too, which is the mistake that a chapter
// shows: a restart here mends nothing there.
func health(log *slog.Logger, dependency *downstream.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if dependency != nil {
			if err := dependency.Healthy(r.Context()); err != nil {
				fail(log, w, r, err)
				return
			}
		}
		respond(log, w, r, http.StatusOK, probe{Status: "ok"})
	})
}

// probe is the body of a probe that passes.
type probe struct {
	Status string `json:"status"`
}
