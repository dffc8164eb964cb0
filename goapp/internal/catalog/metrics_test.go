package catalog

import (
	"net/http"
	"regexp"
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
		`http_request_duration_seconds_count{code="404",method="_OTHER",route="unmatched"} 1`,
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

// A scrape that asks for OpenMetrics gets, beside a sampled request's bucket, the trace that it came from.
func TestExemplars(t *testing.T) {
	t.Parallel()
	const sampled, not = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
	p := boot(t)
	p.ask("GET", "/items/1", "", http.Header{"Traceparent": {"00-" + sampled + "-00f067aa0ba902b7-01"}})
	p.ask("GET", "/items/2", "", http.Header{"Traceparent": {"00-" + not + "-b7ad6b7169203331-00"}})

	got := p.ask("GET", "/metrics", "", http.Header{"Accept": {"application/openmetrics-text; version=1.0.0"}})

	if media := got.header.Get("Content-Type"); !strings.HasPrefix(media, "application/openmetrics-text; version=1.0.0") {
		t.Errorf("Content-Type = %q", media)
	}
	bucket := regexp.MustCompile(`(?m)^http_request_duration_seconds_bucket\{.*route="/items/\{id\}".*\} \d+ # \{trace_id="(\w+)"\}`)
	if found := bucket.FindAllStringSubmatch(got.body, -1); len(found) != 1 || found[0][1] != sampled {
		t.Errorf("exemplars = %v, want one of %s", found, sampled)
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
