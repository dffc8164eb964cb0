package catalog

import (
	"net/http"
	"testing"
)

// A path without a route and a method that a route does not take are JSON errors like all others.
func TestUnmatched(t *testing.T) {
	t.Parallel()
	p := boot(t)

	p.do("GET", "/nothing", "").want(t, http.StatusNotFound, `{"error":{"code":"not_found","message":"no route /nothing"}}`)
	got := p.do("DELETE", "/items", "")

	got.want(t, http.StatusMethodNotAllowed, `{"error":{"code":"method_not_allowed","message":"DELETE is not allowed here"}}`)
	if allow := got.header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow = %q", allow)
	}
}

// An unclean path is still redirected to its clean form.
func TestUncleanPath(t *testing.T) {
	t.Parallel()
	boot(t).do("GET", "//items/../items/1", "").want(t, http.StatusOK, `{"id":1,"name":"Gopher, plush","price_cents":1900}`)
}
