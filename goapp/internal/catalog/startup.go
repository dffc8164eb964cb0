package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/problem"
)

// startup passes once the server has started, and from then on: a server that drains has not unstarted.
func startup(log *slog.Logger, life *lifecycle) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if life.phase() == starting {
			fail(log, w, r, problem.New(problem.Unavailable, "starting"))
			return
		}
		respond(log, w, r, http.StatusOK, probe{Status: "started"})
	})
}
