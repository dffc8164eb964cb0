package tracing

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"testing"
)

// A line of a request carries the ids of its span, also through a logger with attributes; a line of none does not.
func TestLogged(t *testing.T) {
	traces, err := New(t.Context(), slog.New(slog.DiscardHandler), Service{}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, _ := traces.Server(httptest.NewRequest("GET", "/", nil), "GET")
	var text bytes.Buffer
	log := slog.New(Logged(slog.NewJSONHandler(&text, nil))).With("service", "catalog")
	log.InfoContext(ctx, "inside")
	log.Info("outside")

	lines := json.NewDecoder(&text)
	for _, want := range []struct{ trace, span int }{{32, 16}, {0, 0}} {
		var line struct {
			Trace string `json:"trace_id"`
			Span  string `json:"span_id"`
		}
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}

		if len(line.Trace) != want.trace || len(line.Span) != want.span {
			t.Errorf("line = %+v, want ids of %d and %d digits", line, want.trace, want.span)
		}
	}
}
