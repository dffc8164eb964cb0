package catalog

import (
	"net/http"
	"testing"
)

// A running program is healthy.
func TestHealth(t *testing.T) {
	t.Parallel()
	boot(t).do("GET", "/health", "").want(t, http.StatusOK, `{"status":"ok"}`)
}
