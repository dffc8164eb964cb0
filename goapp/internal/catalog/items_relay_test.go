package catalog

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// chain boots gateway, catalog and backend, each with a copy of the arguments.
func chain(t *testing.T, args ...string) (gateway, catalog, backend *program) {
	t.Helper()
	backend = boot(t, append([]string{"-name", "backend"}, args...)...)
	catalog = boot(t, append([]string{"-name", "catalog", "-downstream", "http://" + backend.addr}, args...)...)
	gateway = boot(t, append([]string{"-name", "gateway", "-downstream", "http://" + catalog.addr}, args...)...)
	return gateway, catalog, backend
}

// The last of a chain answers for the items, errors and places included, and all three have served.
func TestChain(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	gateway, _, backend := chain(t)

	created := gateway.do("POST", "/items", `{"name":"Lamp"}`)

	created.want(t, http.StatusCreated, `{"id":4,"name":"Lamp","price_cents":0}`)
	backend.do("GET", created.header.Get("Location"), "").want(t, http.StatusOK, created.body)
	gateway.do("GET", "/items/4", "").want(t, http.StatusOK, created.body)
	gateway.do("GET", "/items/99", "").want(t, http.StatusNotFound, `{"error":{"code":"not_found","message":"no item 99"}}`)
	if by := created.header.Get("X-Served-By"); by != strings.Join([]string{host, host, host}, ", ") {
		t.Errorf("served by %q", by)
	}
}

// A downstream that is gone is a 502, one that is too slow a 504, and what is behind it is only in the log.
func TestDownstreamFails(t *testing.T) {
	t.Parallel()
	backend := boot(t)
	front := boot(t, "-faults", "-downstream", "http://"+backend.addr, "-downstream-timeout", "200ms")
	front.do("PUT", "/faults/dependency", `{"duration":"10m"}`)
	front.do("GET", "/items", "").want(t, http.StatusGatewayTimeout,
		`{"error":{"code":"downstream_slow","message":"the downstream did not answer within 200ms"}}`)
	front.do("DELETE", "/faults/dependency", "")
	front.do("GET", "/items/1", "").want(t, http.StatusOK, item1)

	backend.stop()
	backend.wait()

	front.do("GET", "/items/1", "").want(t, http.StatusBadGateway,
		`{"error":{"code":"downstream_failed","message":"the downstream does not answer"}}`)
	front.await("request failed") // the slow one
	if said := front.await("request failed")["error"].(string); !strings.Contains(said, backend.addr) {
		t.Errorf("log = %q, want the cause", said)
	}
}

// Without a downstream the dependency that can be slow is the store; the answer is late, and right.
func TestSlowStore(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults", "-log-level", "debug")
	p.do("PUT", "/faults/dependency", `{"duration":"100ms"}`)
	p.await("request")
	p.do("GET", "/items/1", "").want(t, http.StatusOK, item1)

	if took := p.await("request")["seconds"].(float64); took < 0.1 {
		t.Errorf("answered after %v s, want 0.1 s or more", took)
	}
}
