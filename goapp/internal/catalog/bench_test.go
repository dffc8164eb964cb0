package catalog

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kit.local/goapp/internal/config"
	"kit.local/goapp/internal/tracing"
	"kit.local/goapp/internal/version"
)

// api is the whole API as Run makes it, without a network; its log is written as JSON and thrown away.
func api(b *testing.B, args ...string) http.Handler {
	b.Helper()
	cfg, err := config.Load(append([]string{"-max-items", "1000000000"}, args...), func(string) string { return "" })
	if err != nil {
		b.Fatal(err)
	}
	p, err := assemble(b.Context(), cfg, logger(cfg.LogLevel), version.Get(), func(int) {})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.traces.Flush(context.WithoutCancel(b.Context())) })
	return routes(p)
}

func logger(level slog.Level) *slog.Logger {
	return slog.New(tracing.Logged(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: level})))
}

// measure sends one request again and again, and fails when the answer is not the wanted one.
func measure(b *testing.B, h http.Handler, method, path, body string, want int) {
	b.Helper()
	r := httptest.NewRequest(method, path, nil)
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(body))
		w := &muted{header: http.Header{}}
		h.ServeHTTP(w, r)
		if w.status != want {
			b.Fatalf("status = %d, want %d", w.status, want)
		}
	}
}

// What a request costs in the program, without the network: routing, store, JSON, metrics, ids.
func BenchmarkRequest(b *testing.B) {
	b.Run("list", func(b *testing.B) {
		measure(b, api(b, "-trace-sampler", "never"), "GET", "/items", "", http.StatusOK)
	})
	b.Run("get", func(b *testing.B) {
		measure(b, api(b, "-trace-sampler", "never"), "GET", "/items/2", "", http.StatusOK)
	})
	b.Run("create", func(b *testing.B) {
		measure(b, api(b, "-trace-sampler", "never"), "POST", "/items", `{"name":"Lamp","price_cents":1900}`, http.StatusCreated)
	})
}

// What the line of a request costs, with its trace's ids, when its level is written and when it is not.
func BenchmarkLogLine(b *testing.B) {
	traces, err := tracing.New(b.Context(), logger(slog.LevelInfo), tracing.Service{}, 0, nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx, _ := traces.Server(httptest.NewRequest("GET", "/items/2", nil), "GET")
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		b.Run(level.String(), func(b *testing.B) {
			log := logger(level)
			b.ReportAllocs()
			for b.Loop() {
				log.DebugContext(ctx, "request", "method", "GET", "path", "/items/2", "status", 200, "seconds", 0.00042)
			}
		})
	}
}

// What tracing costs a request. The receiver takes every batch and drops it; what the exporter's queue cannot hold, at
// the pace of this loop most spans, the exporter drops itself.
func BenchmarkTraced(b *testing.B) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	b.Cleanup(receiver.Close)
	for _, sampler := range []string{"never", "0.01", "always"} {
		b.Run(sampler, func(b *testing.B) {
			h := api(b, "-trace-sampler", sampler, "-otlp-endpoint", receiver.URL)
			measure(b, h, "GET", "/items/2", "", http.StatusOK)
		})
	}
}
