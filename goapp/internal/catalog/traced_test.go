package catalog

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"kit.local/goapp/internal/version"
)

// A request through a chain is one trace: each service's span is a child of the call that it answers, and the log lines
// of all three carry the trace's id.
func TestOneTraceThroughAChain(t *testing.T) {
	t.Parallel()
	c := collect(t)
	gateway, catalog, backend := chain(t, "-otlp-endpoint", c.URL, "-log-level", "debug")
	gateway.do("GET", "/items/2", "")
	ids := map[string]any{}
	for name, p := range map[string]*program{"gateway": gateway, "catalog": catalog, "backend": backend} {
		ids[name] = p.await("request")["trace_id"]
	}

	spans := c.after(gateway, catalog, backend)

	of := map[string]received{}
	for _, s := range spans {
		service := s.of["service.name"].(string)
		if of[service+" "+s.kind] = s; s.trace != ids[service] {
			t.Errorf("trace of %s = %s, in its log %v", service, s.trace, ids[service])
		}
	}
	if len(spans) != 5 || len(of) != 5 {
		t.Fatalf("%d spans: %v", len(spans), spans)
	}
	parent := ""
	for _, place := range []string{
		"gateway SPAN_KIND_SERVER", "gateway SPAN_KIND_CLIENT", "catalog SPAN_KIND_SERVER", "catalog SPAN_KIND_CLIENT",
		"backend SPAN_KIND_SERVER",
	} {
		if s := of[place]; s.parent != parent || s.trace != spans[0].trace {
			t.Errorf("%s = %+v, want parent %q", place, s, parent)
		}
		parent = of[place].id
	}
}

// A span says what OpenTelemetry's conventions ask of HTTP, and whose it is.
func TestSpan(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	c := collect(t)
	p := boot(t, "-otlp-endpoint", c.URL+"/", "-name", "backend", "-pod-name", "backend-0", "-faults")
	p.do("GET", "/items/99", "")
	p.do("PUT", "/faults/error", `{"rate":1,"status":503}`)
	p.do("POST", "/items", "{}")
	p.do("BREW", "/coffee", "")

	spans := c.after(p)

	names := make([]string, len(spans))
	for i, s := range spans {
		names[i] = s.name
	}
	if got := strings.Join(names, ", "); got != "GET /items/{id}, PUT /faults/{kind}, POST /items, _OTHER" {
		t.Fatalf("spans: %s", got)
	}
	found, failed := spans[0], spans[2]
	for key, want := range map[string]any{
		"http.request.method": "GET", "http.route": "/items/{id}", "http.response.status_code": int64(404), "url.path": "/items/99",
	} {
		if found.attributes[key] != want {
			t.Errorf("%s = %v, want %v", key, found.attributes[key], want)
		}
	}
	for key, want := range map[string]any{
		"service.name": "backend", "service.version": version.Get().Version, "service.instance.id": host, "k8s.pod.name": "backend-0",
	} {
		if found.of[key] != want {
			t.Errorf("%s = %v, want %v", key, found.of[key], want)
		}
	}
	if found.failed || !failed.failed || failed.attributes["error.type"] != "503" {
		t.Errorf("a 404 failed: %v, a 503: %v", found.failed, failed)
	}
}

// A request that ends while the program drains is traced like any other.
func TestLastSpanArrives(t *testing.T) {
	t.Parallel()
	c := collect(t)
	p := boot(t, "-otlp-endpoint", c.URL)
	end, answer := p.upload()
	p.stop()
	p.await("listener closed")
	end(`"Lamp"}`)
	read(t, <-answer).want(t, http.StatusCreated, `{"id":4,"name":"Lamp","price_cents":0}`)

	spans := c.after(p)

	if len(spans) != 1 || spans[0].name != "POST /items" {
		t.Errorf("spans = %v", spans)
	}
}

// Probes and scrapes leave no spans, and neither do calls that they cause.
func TestUntraced(t *testing.T) {
	t.Parallel()
	c := collect(t)
	backend := boot(t, "-otlp-endpoint", c.URL)
	p := boot(t, "-otlp-endpoint", c.URL, "-downstream", "http://"+backend.addr, "-health-depends")
	for _, path := range []string{"/health", "/ready", "/startup", "/metrics"} {
		p.do("GET", path, "")
	}

	if spans := c.after(p, backend); len(spans) != 0 {
		t.Errorf("spans = %v", spans)
	}
}

// The sampler decides for traces that begin here; those that began elsewhere are kept as it was decided there. What is
// not kept has its ids in the log all the same.
func TestSampler(t *testing.T) {
	t.Parallel()
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, c := range []struct {
		sampler, flag string
		kept          int
	}{
		{"never", "", 0}, {"always", "", 1}, {"never", "01", 1}, {"always", "00", 0},
	} {
		receiver := collect(t)
		p := boot(t, "-otlp-endpoint", receiver.URL, "-trace-sampler", c.sampler, "-log-level", "debug")
		header := http.Header{}
		if c.flag != "" {
			header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-"+c.flag)
		}
		p.ask("GET", "/items", "", header)
		l := p.await("request")

		if id := l["trace_id"].(string); len(id) != 32 || len(l["span_id"].(string)) != 16 || (c.flag != "" && id != trace) {
			t.Errorf("%+v: log line %v", c, l)
		}
		if spans := receiver.after(p); len(spans) != c.kept {
			t.Errorf("%+v: spans = %v", c, spans)
		}
	}
}

// A collector that is not there costs a warning: requests are answered, and the program ends in order.
func TestNoCollector(t *testing.T) {
	t.Parallel()
	p := boot(t, "-otlp-endpoint", "http://127.0.0.1:1")
	p.do("GET", "/items/1", "").want(t, http.StatusOK, item1)

	p.stop()

	if l := p.await("spans not exported"); l["level"] != "WARN" || l["spans"] != 1.0 {
		t.Errorf("line = %v", l)
	}
	if err := p.wait(); err != nil {
		t.Error(err)
	}
}

// A collector that does not answer holds the end up for the flush's own time and no longer.
func TestCollectorHangs(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	c := collect(t)
	c.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-released })
	t.Cleanup(func() { close(released) })
	p := boot(t, "-otlp-endpoint", c.URL)
	p.do("GET", "/items/1", "")

	p.stop()

	if l := p.await("last spans not exported"); l["level"] != "WARN" {
		t.Errorf("line = %v", l)
	}
	p.await("stopped")
	if err := p.wait(); err != nil {
		t.Error(err)
	}
}
