package catalog

import (
	"net/http"
	"testing"
)

// A healed fault is gone at once, and healing what is not broken is fine.
func TestHealFault(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults")
	p.do("PUT", "/faults/not-ready", `{}`)
	p.do("GET", "/ready", "").want(t, http.StatusServiceUnavailable,
		`{"error":{"code":"unavailable","message":"told not to be ready"}}`)

	p.do("DELETE", "/faults/not-ready", "").want(t, http.StatusOK, `{"faults":[]}`)

	p.do("GET", "/ready", "").want(t, http.StatusOK, `{"status":"ready"}`)
	if cause := p.await("fault ended")["cause"]; cause != "healed" {
		t.Errorf("cause = %v", cause)
	}
	p.do("DELETE", "/faults/not-ready", "").want(t, http.StatusOK, `{"faults":[]}`)
}

// A kind that does not exist cannot be healed.
func TestHealUnknown(t *testing.T) {
	t.Parallel()
	boot(t, "-faults").do("DELETE", "/faults/rain", "").want(t, http.StatusNotFound,
		`{"error":{"code":"not_found","message":"no fault rain; there are crash, delay, dependency, error, hang, leak, not-ready"}}`)
}
