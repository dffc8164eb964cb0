package catalog

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/faults"
)

// injectFault makes the fault of the path active; one of its kind that is active already ends.
func injectFault(log *slog.Logger, injected *faults.Set) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, err := faultOf(w, r)
		if err == nil {
			err = injected.Inject(r.Context(), fault)
		}
		if err != nil {
			fail(log, w, r, err)
			return
		}
		respond(log, w, r, http.StatusOK, activeFaults{injected.Active()})
		if fault.Kind == faults.Crash {
			err := http.NewResponseController(w).Flush() // the process may not live until the server does so itself
			if err != nil {
				log.WarnContext(r.Context(), "answer not delivered", "path", r.URL.Path, "error", err.Error())
			}
			injected.Crash()
		}
	})
}

func faultOf(w http.ResponseWriter, r *http.Request) (faults.Fault, error) {
	body, err := readBody(w, r)
	if err != nil {
		return faults.Fault{}, err
	}
	var settings map[string]json.RawMessage
	if err := decode(body, &settings, `{"lease": "30s"}`); err != nil {
		return faults.Fault{}, err
	}
	return faults.Parse(r.PathValue("kind"), settings)
}
