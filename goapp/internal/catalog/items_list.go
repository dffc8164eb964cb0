package catalog

import (
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/items"
)

// listItems answers with all items, oldest first.
func listItems(log *slog.Logger, store *items.Memory) http.Handler {
	type list struct {
		Items []items.Item `json:"items"`
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		respond(log, w, r, http.StatusOK, list{Items: store.List()})
	})
}
