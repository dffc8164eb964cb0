package catalog

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kit.local/goapp/internal/problem"
)

// An unexpected error is a 500 whose text is in the log and not in the answer.
func TestFailHidesDetail(t *testing.T) {
	var lines bytes.Buffer
	w := httptest.NewRecorder()
	log := slog.New(slog.NewJSONHandler(&lines, nil))
	fail(log, w, httptest.NewRequest("GET", "/items", nil), errors.New("dial db-7.internal: refused"))

	read(t, w.Result()).want(t, http.StatusInternalServerError, `{"error":{"code":"internal","message":"internal error"}}`)
	if !strings.Contains(lines.String(), "db-7.internal") {
		t.Errorf("log = %s, want the detail", &lines)
	}
}

// Every code has a status, and it is one of an error.
func TestEveryCodeHasStatus(t *testing.T) {
	for _, code := range []problem.Code{
		problem.Invalid, problem.NotFound, problem.MethodNotAllowed, problem.TooLarge,
		problem.Full, problem.Unavailable, problem.DownstreamFailed, problem.DownstreamSlow, problem.ClientGone,
		problem.Fault, problem.Internal,
	} {
		if status := statusOf[code]; status < 400 {
			t.Errorf("%s has status %d", code, status)
		}
	}
}
