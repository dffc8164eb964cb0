package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/faults"
	"kit.local/goapp/internal/problem"
)

// faulty lets a request meet the faults that are active before its handler.
func faulty(log *slog.Logger, injected *faults.Set, probe bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := injected.Hold(r.Context(), probe); err != nil {
			fail(log, w, r, problem.Gone(err))
			return
		}
		if status, fails := injected.Fails(probe); fails {
			respond(log, w, r, status, failureOf(problem.New(problem.Fault, "this failure was injected")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// dependent lets a handler that asks the store wait as long as a slow one would take.
func dependent(log *slog.Logger, injected *faults.Set, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := injected.Depend(r.Context()); err != nil {
			fail(log, w, r, problem.Gone(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}
