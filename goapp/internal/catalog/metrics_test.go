package catalog

import (
	"net/http"
	"regexp"
	"slices"
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

// Before the first request, every route that users ask for has its success and the server's failures at zero, and nothing else:
// a counter that is first seen above zero has never grown for Prometheus.
func TestSeriesAreBornAtZero(t *testing.T) {
	t.Parallel()
	downstream := boot(t)
	alone := downstream.do("GET", "/metrics", "").body
	relaying := boot(t, "-downstream", "http://"+downstream.addr).do("GET", "/metrics", "").body

	own := []string{
		"GET /items 200", "GET /items 500", "GET /items 503",
		"GET /items/{id} 200", "GET /items/{id} 500", "GET /items/{id} 503",
		"GET /settings 200", "GET /settings 500", "GET /settings 503",
		"POST /items 201", "POST /items 500", "POST /items 503", "POST /items 507",
	}
	passedOn := []string{
		"GET /items 502", "GET /items 504", "GET /items/{id} 502", "GET /items/{id} 504", "POST /items 502", "POST /items 504",
	}
	both := slices.Concat(own, passedOn)
	slices.Sort(both)
	if found := atZero(alone); !slices.Equal(found, own) {
		t.Errorf("series = %q, want %q", found, own)
	}
	if found := atZero(relaying); !slices.Equal(found, both) {
		t.Errorf("series with a downstream = %q, want %q", found, both)
	}
}

// atZero lists the request counts of an exposition as "method route code", sorted. One that is not zero has its count, too.
func atZero(exposition string) []string {
	counts := regexp.MustCompile(`(?m)^http_request_duration_seconds_count\{code="(\d+)",method="(\w+)",route="(.+)"\} (\d+)$`)
	var found []string
	for _, m := range counts.FindAllStringSubmatch(exposition, -1) {
		found = append(found, strings.TrimSuffix(strings.Join([]string{m[2], m[3], m[1], m[4]}, " "), " 0"))
	}
	slices.Sort(found)
	return found
}

// A failure of any of these routes is counted where a zero was: no series is born by it.
func TestFailuresAreExpected(t *testing.T) {
	t.Parallel()
	p := boot(t, "-faults", "-max-items", "3")
	before := len(atZero(p.do("GET", "/metrics", "").body))
	p.do("POST", "/items", `{"name":"Lamp"}`) // full
	for _, status := range []string{"500", "503"} {
		p.do("PUT", "/faults/error", `{"rate":1,"status":`+status+`}`)
		p.do("GET", "/items", "")
		p.do("GET", "/items/1", "")
		p.do("GET", "/settings", "")
		p.do("POST", "/items", `{"name":"Lamp"}`)
	}
	after := atZero(p.do("GET", "/metrics", "").body)

	own := slices.DeleteFunc(after, func(series string) bool {
		return strings.Contains(series, "/faults") || strings.Contains(series, "/metrics")
	})
	if len(own) != before {
		t.Errorf("series = %q, want no more than the %d of the start", own, before)
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

	if text := boot(t).do("GET", "/metrics", "").body; !strings.Contains(text, `_count{code="200",method="GET",route="/items"} 0`+"\n") {
		t.Error("a request to one program was counted by another")
	}
}
