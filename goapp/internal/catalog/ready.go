package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/problem"
)

// ready passes while the server wants traffic: not before it serves, and not once it drains.
func ready(log *slog.Logger, life *lifecycle) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch life.phase() {
		case serving:
			respond(log, w, r, http.StatusOK, probe{Status: "ready"})
		case draining:
			fail(log, w, r, problem.New(problem.Unavailable, "draining"))
		default:
			fail(log, w, r, problem.New(problem.Unavailable, "starting"))
		}
	})
}
