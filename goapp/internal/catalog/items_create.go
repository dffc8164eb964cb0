package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"kit.local/goapp/internal/items"
	"kit.local/goapp/internal/problem"
)

const maxBody = 16 << 10 // bytes; an item takes a few hundred

// createItem adds the item of the body and says where it is now.
func createItem(log *slog.Logger, store *items.Memory) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		draft, err := decodeDraft(http.MaxBytesReader(w, r.Body, maxBody))
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

// decodeDraft reads exactly one JSON object and no field it does not know.
func decodeDraft(body io.Reader) (items.Draft, error) {
	var draft items.Draft
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&draft)
	if err == nil {
		err = onlyOne(decoder)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return draft, problem.New(problem.TooLarge, "the body must have at most %d bytes", tooLarge.Limit).Because(err)
	}
	if err != nil {
		message := `the body must be one JSON object such as {"name": "Lamp", "price_cents": 1900}`
		return draft, problem.New(problem.Invalid, "%s", message).Because(err)
	}
	return draft, nil
}

// onlyOne fails unless the input ends here.
func onlyOne(decoder *json.Decoder) error {
	switch _, err := decoder.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return errors.New("data after the first value")
}
