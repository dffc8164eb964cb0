package catalog

import (
	"strings"
	"testing"
)

// Each request is counted once, under its method, its route (not its path) and its code.
func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	p := boot(t)
	p.do("GET", "/items/1", "")
	p.do("GET", "/items/2", "")
	p.do("GET", "/items/99", "")
	p.do("POST", "/items", `{"name":"Lamp"}`)
	p.do("BREW", "/coffee/1", "")

	text := p.do("GET", "/metrics", "").body

	for _, want := range []string{
		`http_request_duration_seconds_count{code="200",method="GET",route="/items/{id}"} 2`,
		`http_request_duration_seconds_count{code="404",method="GET",route="/items/{id}"} 1`,
		`http_request_duration_seconds_count{code="201",method="POST",route="/items"} 1`,
		`http_request_duration_seconds_count{code="404",method="other",route="unmatched"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no sample %s", want)
		}
	}
}

// The build, the Go runtime and the process are in the exposition too.
func TestCollectors(t *testing.T) {
	t.Parallel()
	text := boot(t).do("GET", "/metrics", "").body

	for _, want := range []string{"catalog_build_info{goversion=", "go_goroutines ", "process_resident_memory_bytes "} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no sample %s", want)
		}
	}
}

// Two programs in one process share no figures.
func TestRegistryIsOwn(t *testing.T) {
	t.Parallel()
	boot(t).do("GET", "/items", "")

	if text := boot(t).do("GET", "/metrics", "").body; strings.Contains(text, `route="/items"`) {
		t.Error("a request to one program was counted by another")
	}
}
