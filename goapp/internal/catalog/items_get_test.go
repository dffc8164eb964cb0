package catalog

import (
	"net/http"
	"testing"
)

// An item is found by its number; an unknown number and a word are told apart.
func TestGetItem(t *testing.T) {
	t.Parallel()
	p := boot(t)

	p.do("GET", "/items/2", "").want(t, http.StatusOK, `{"id":2,"name":"Whale, enamel pin","price_cents":450}`)
	p.do("GET", "/items/99", "").want(t, http.StatusNotFound, `{"error":{"code":"not_found","message":"no item 99"}}`)
	p.do("GET", "/items/whale", "").want(t, http.StatusBadRequest,
		`{"error":{"code":"invalid","message":"the id must be a number"}}`)
}
