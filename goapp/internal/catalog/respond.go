package catalog

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"

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
	problem.DownstreamFailed: http.StatusBadGateway,
	problem.DownstreamSlow:   http.StatusGatewayTimeout,
	problem.ClientGone:       499, // nginx's number: nobody reads it but metrics and logs
	problem.Fault:            http.StatusInternalServerError,
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
	text, err := json.Marshal(body)
	if err != nil {
		log.ErrorContext(r.Context(), "answer cannot be written as JSON", "path", r.URL.Path, "error", err.Error())
		status, text = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"internal error"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	send(log, w, r, status, append(text, '\n'))
}

// send writes an answer whose length is known, so that it is whole once it is flushed.
func send(log *slog.Logger, w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
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
	respond(log, w, r, status, failureOf(p))
}

func failureOf(p *problem.Error) failure {
	var body failure
	body.Error.Code, body.Error.Message = p.Code, p.Message
	return body
}
