package catalog

import (
	"net/http"
	"strings"
	"testing"
)

// A created item is answered with 201, its number and its place, and is there afterwards.
func TestCreateItem(t *testing.T) {
	t.Parallel()
	p := boot(t)

	got := p.do("POST", "/items", `{"name":"Lamp","price_cents":5}`)

	got.want(t, http.StatusCreated, `{"id":4,"name":"Lamp","price_cents":5}`)
	p.do("GET", got.header.Get("Location"), "").want(t, http.StatusOK, got.body)
}

// A body that is not one known object is refused, and the parser's own words stay in the log.
func TestCreateItemMalformed(t *testing.T) {
	t.Parallel()
	p := boot(t)
	for _, body := range []string{``, `{`, `[]`, `{"nmae":"Lamp"}`, `{"name":"a"} {"name":"b"}`, `{"name":"a"} x`} {
		got := p.do("POST", "/items", body)

		if got.status != http.StatusBadRequest || !strings.Contains(got.body, `"code":"invalid"`) {
			t.Errorf("%q: answer = %d %s, want 400 invalid", body, got.status, got.body)
		}
		detail := strings.TrimPrefix(p.await("request failed")["error"].(string), "the body must be one JSON object such as")
		if _, detail, _ = strings.Cut(detail, "}: "); detail == "" || strings.Contains(got.body, detail) {
			t.Errorf("%q: detail %q must be logged and not sent: %s", body, detail, got.body)
		}
	}
}

// A well-formed item that breaks rules is refused with every rule it breaks.
func TestCreateItemInvalid(t *testing.T) {
	t.Parallel()
	boot(t).do("POST", "/items", `{"name":"","price_cents":-1}`).want(t, http.StatusBadRequest,
		`{"error":{"code":"invalid","message":"name must not be empty; price_cents must not be negative"}}`)
}

// A body over the limit is refused as too large, not as malformed.
func TestCreateItemTooLarge(t *testing.T) {
	t.Parallel()
	boot(t).do("POST", "/items", `{"name":"`+strings.Repeat("x", maxBody)+`"}`).want(t, http.StatusRequestEntityTooLarge,
		`{"error":{"code":"too_large","message":"the body must have at most 16384 bytes"}}`)
}

// A full catalogue refuses a further item.
func TestCreateItemFull(t *testing.T) {
	t.Parallel()
	boot(t, "-max-items", "1").do("POST", "/items", `{"name":"Lamp"}`).want(t, http.StatusInsufficientStorage,
		`{"error":{"code":"full","message":"the catalogue holds its maximum of 1 items"}}`)
}
