package catalog

import (
	"log/slog"
	"net/http"
	"strconv"

	"kit.local/goapp/internal/items"
	"kit.local/goapp/internal/problem"
)

// getItem answers with the item of the path's id.
func getItem(log *slog.Logger, store *items.Memory) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil {
			fail(log, w, r, problem.New(problem.Invalid, "the id must be a number").Because(err))
			return
		}
		item, err := store.Get(id)
		if err != nil {
			fail(log, w, r, err)
			return
		}
		respond(log, w, r, http.StatusOK, item)
	})
}
