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

// Health looks at nothing else, unless it is told to: then a downstream that fails makes this one fail.
func TestHealthDepends(t *testing.T) {
	t.Parallel()
	backend := boot(t, "-faults")
	alone := boot(t, "-downstream", "http://"+backend.addr)
	tied := boot(t, "-downstream", "http://"+backend.addr, "-health-depends")
	tied.do("GET", "/health", "").want(t, http.StatusOK, `{"status":"ok"}`)

	backend.do("PUT", "/faults/error", `{"rate":1,"probes":true}`)

	alone.do("GET", "/health", "").want(t, http.StatusOK, `{"status":"ok"}`)
	tied.do("GET", "/health", "").want(t, http.StatusBadGateway,
		`{"error":{"code":"downstream_failed","message":"the downstream is not healthy"}}`)
}
