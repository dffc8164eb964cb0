package catalog

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/problem"
)

// statusOf is the one place where a code gets its HTTP status.
var statusOf = map[problem.Code]int{
	problem.Invalid:          http.StatusBadRequest,
	problem.NotFound:         http.StatusNotFound,
	problem.MethodNotAllowed: http.StatusMethodNotAllowed,
	problem.TooLarge:         http.StatusRequestEntityTooLarge,
	problem.Full:             http.StatusInsufficientStorage,
	problem.Unavailable:      http.StatusServiceUnavailable,
	problem.Internal:         http.StatusInternalServerError,
}

// failure is the body of every answer that is not a success.
type failure struct {
	Error struct {
		Code    problem.Code `json:"code"`
		Message string       `json:"message"`
	} `json:"error"`
}

// respond is the one writer of JSON.
func respond(log *slog.Logger, w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		// The status is sent: the client is gone, and only the log is left to tell.
		log.WarnContext(r.Context(), "answer not delivered", "path", r.URL.Path, "error", err.Error())
	}
}

// fail answers with the problem's code and message; its detail goes to the log only.
func fail(log *slog.Logger, w http.ResponseWriter, r *http.Request, err error) {
	p := problem.From(err)
	status := statusOf[p.Code]
	level := slog.LevelDebug
	if p.Detail != nil {
		level = slog.LevelInfo
	}
	if p.Code == problem.Internal {
		level = slog.LevelError
	}
	log.Log(r.Context(), level, "request failed", "method", r.Method, "path", r.URL.Path, "status", status, "error", p.Error())
	var body failure
	body.Error.Code, body.Error.Message = p.Code, p.Message
	respond(log, w, r, status, body)
}
