package catalog

import (
	"log/slog"
	"net/http"
)

// health answers as long as the process can: it looks at nothing else, for a restart would mend nothing else.
func health(log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond(log, w, r, http.StatusOK, probe{Status: "ok"})
	})
}

// probe is the body of a probe that passes.
type probe struct {
	Status string `json:"status"`
}
