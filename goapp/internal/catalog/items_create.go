package catalog

import (
	"fmt"
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/items"
)

// createItem adds the item of the body and says where it is now.
func createItem(log *slog.Logger, store *items.Memory) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		draft, err := draftOf(w, r)
		if err != nil {
			fail(log, w, r, err)
			return
		}
		item, err := store.Add(draft)
		if err != nil {
			fail(log, w, r, err)
			return
		}
		w.Header().Set("Location", fmt.Sprintf("/items/%d", item.ID))
		respond(log, w, r, http.StatusCreated, item)
	})
}

func draftOf(w http.ResponseWriter, r *http.Request) (items.Draft, error) {
	var draft items.Draft
	body, err := readBody(w, r)
	if err != nil {
		return draft, err
	}
	return draft, decode(body, &draft, `{"name": "Lamp", "price_cents": 1900}`)
}
