package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/faults"
)

// activeFaults is the body of every answer about faults.
type activeFaults struct {
	Faults []map[string]any `json:"faults"`
}

// listFaults answers with what is injected now, and for how much longer.
func listFaults(log *slog.Logger, injected *faults.Set) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond(log, w, r, http.StatusOK, activeFaults{injected.Active()})
	})
}
