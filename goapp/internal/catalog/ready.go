package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/faults"
	"kit.local/goapp/internal/problem"
)

// ready passes while the server wants traffic: not before it serves, and not once it drains.
func ready(log *slog.Logger, life *lifecycle, injected *faults.Set) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch phase := life.phase(); {
		case phase == draining:
			fail(log, w, r, problem.New(problem.Unavailable, "draining"))
		case phase == starting:
			fail(log, w, r, problem.New(problem.Unavailable, "starting"))
		case injected.NotReady():
			fail(log, w, r, problem.New(problem.Unavailable, "told not to be ready"))
		default:
			respond(log, w, r, http.StatusOK, probe{Status: "ready"})
		}
	})
}
