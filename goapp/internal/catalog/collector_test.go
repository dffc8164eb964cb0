package catalog

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// collector receives OTLP over HTTP, as Jaeger does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []received
}

// received is a span as it arrived, with the attributes of the service that sent it.
type received struct {
	trace, id, parent, name, kind string
	attributes, of                map[string]any
	failed                        bool
}

func collect(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collectorpb.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &request)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		c.keep(&request)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) keep(request *collectorpb.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, received{
					trace: hex.EncodeToString(s.TraceId), id: hex.EncodeToString(s.SpanId), parent: hex.EncodeToString(s.ParentSpanId),
					name: s.Name, kind: s.Kind.String(), failed: s.Status.GetCode() == 2,
					attributes: values(s.Attributes), of: values(resource.Resource.Attributes),
				})
			}
		}
	}
}

func values(attributes []*commonpb.KeyValue) map[string]any {
	found := map[string]any{}
	for _, a := range attributes {
		switch v := a.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			found[a.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			found[a.Key] = v.IntValue
		}
	}
	return found
}

// after stops programs, each of which sends what it still has, and returns every span that arrived.
func (c *collector) after(programs ...*program) []received {
	for _, p := range programs {
		p.t.Helper()
		p.stop()
		if err := p.wait(); err != nil {
			p.t.Error(err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans
}
