package catalog

import (
	"net/http"
	"testing"
)

// A fresh catalogue lists its starter items in order, as JSON.
func TestListItems(t *testing.T) {
	t.Parallel()
	got := boot(t, "-max-items", "2").do("GET", "/items", "")

	got.want(t, http.StatusOK, `{"items":[{"id":1,"name":"Gopher, plush","price_cents":1900},`+
		`{"id":2,"name":"Whale, enamel pin","price_cents":450}]}`)
	if media := got.header.Get("Content-Type"); media != "application/json" {
		t.Errorf("Content-Type = %q", media)
	}
}
