package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/items"
	"kit.local/goapp/internal/metrics"
)

// routes is the whole API.
func routes(log *slog.Logger, store *items.Memory, m *metrics.Metrics, life *lifecycle) http.Handler {
	mux := http.NewServeMux()

	mux.Handle("GET /items", listItems(log, store))
	mux.Handle("GET /items/{id}", getItem(log, store))
	mux.Handle("POST /items", createItem(log, store))

	mux.Handle("GET /health", health(log))
	mux.Handle("GET /ready", ready(log, life))
	mux.Handle("GET /startup", startup(log, life))
	mux.Handle("GET /metrics", exposition(log, m))

	return observe(log, m, unmatched(log, mux))
}
