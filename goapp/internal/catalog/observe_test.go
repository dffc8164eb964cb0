package catalog

import "testing"

// At level debug every request leaves one line with method, path, status and seconds.
func TestRequestLine(t *testing.T) {
	t.Parallel()
	p := boot(t, "-log-level", "debug")
	p.do("GET", "/items/1", "")

	l := p.await("request")

	if l["method"] != "GET" || l["path"] != "/items/1" || l["status"] != 200.0 || l["seconds"].(float64) <= 0 {
		t.Errorf("line = %v", l)
	}
}
