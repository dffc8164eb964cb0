package catalog

import (
	"os"
	"testing"

	"kit.local/goapp/internal/version"
)

// Every answer says which host and which version gave it, also a probe's and one for an unknown path.
func TestIdentify(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	p := boot(t)
	for _, path := range []string{"/items", "/items/99", "/health", "/metrics", "/nothing"} {
		got := p.do("GET", path, "")

		if by, of := got.header.Get("X-Served-By"), got.header.Get("X-Version"); by != host || of != version.Get().Version {
			t.Errorf("%s: served by %q, version %q", path, by, of)
		}
	}
}
