// Package tracing makes spans, passes their identity on, and sends them to a collector by OTLP over HTTP.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Service is whose spans these are.
type Service struct {
	Name     string
	Version  string
	Instance string // host name
	Pod      string // or ""
}

// Tracing is one program's tracer, and no global one: two programs in one process (as in tests) do not share spans.
type Tracing struct {
	log      *slog.Logger
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

var w3c = propagation.TraceContext{}

// New samples a share (0 to 1) of the traces that begin here, and of others those that their beginning has sampled.
// Without an endpoint spans have their ids all the same, for logs and for who is called, and go nowhere.
func New(ctx context.Context, log *slog.Logger, of Service, share float64, endpoint *url.URL) (*Tracing, error) {
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(of.resource()),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share))),
	}
	if endpoint != nil {
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint.JoinPath("v1", "traces").String()))
		if err != nil {
			return nil, fmt.Errorf("trace exporter: %w", err)
		}
		options = append(options, sdktrace.WithBatcher(forgiving{exporter, log}))
	}
	provider := sdktrace.NewTracerProvider(options...)
	return &Tracing{log: log, provider: provider, tracer: provider.Tracer("kit.local/goapp")}, nil
}

func (s Service) resource() *resource.Resource {
	attributes := []attribute.KeyValue{
		semconv.ServiceName(s.Name), semconv.ServiceVersion(s.Version), semconv.ServiceInstanceID(s.Instance),
	}
	if s.Pod != "" {
		attributes = append(attributes, semconv.K8SPodName(s.Pod))
	}
	return resource.NewWithAttributes(semconv.SchemaURL, attributes...)
}

// Flush sends what is left, and ends the sending. A failure is logged: it is no reason for the program to fail.
func (t *Tracing) Flush(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.WarnContext(ctx, "last spans not exported", "error", err.Error())
	}
	return nil
}

// Propagate writes the identity of ctx's span into a request's header, so that the callee's spans become its children.
func Propagate(ctx context.Context, header http.Header) {
	w3c.Inject(ctx, propagation.HeaderCarrier(header))
}

// SampledID is the trace id of ctx, or "" when that trace is not kept: an exemplar must lead to something.
func SampledID(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		return span.TraceID().String()
	}
	return ""
}

// forgiving makes a failed export a warning: the SDK's own way is to write to stderr, as text.
type forgiving struct {
	sdktrace.SpanExporter
	log *slog.Logger
}

func (f forgiving) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := f.SpanExporter.ExportSpans(ctx, spans); err != nil {
		f.log.Warn("spans not exported", "spans", len(spans), "error", err.Error())
	}
	return nil
}
