package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/faults"
)

// healFault ends the fault of the path, if there is one.
func healFault(log *slog.Logger, injected *faults.Set) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := injected.Heal(r.PathValue("kind")); err != nil {
			fail(log, w, r, err)
			return
		}
		respond(log, w, r, http.StatusOK, activeFaults{injected.Active()})
	})
}
