// Command exporters sends spans in the way of a file beside this one, and says on stdout how many it made and what the exporter said.
//
// Each way is a file of its own, so that the compiler can be asked about one alone: go build main.go jaeger.go
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

const within = 10 * time.Second // to send them

// ways make an exporter to a host, by the name of the way.
var ways = map[string]func(host string) (trace.SpanExporter, error){}

// Report is one line of JSON on stdout. Error is "" when the exporter knows of none.
type Report struct {
	Sent  int    `json:"sent"`
	Error string `json:"error"`
}

func main() {
	way := flag.String("way", "otlp", "how to send")
	host := flag.String("host", "collector.kit-traces", "whom to send to")
	service := flag.String("service", "exporters", "service.name")
	count := flag.Int("count", 10, "spans to send, each a trace of its own")
	flag.Parse()
	if err := run(*way, *host, *service, *count); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(way, host, service string, count int) error {
	exporter, known := ways[way]
	if !known {
		return fmt.Errorf("no way is called %q", way)
	}
	made, err := exporter(host)
	if err != nil {
		return err
	}
	report := Report{Sent: count}
	if err := send(made, service, count); err != nil {
		report.Error = err.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

// send goes through the SDK's batcher, as the guide's program does; its error is the exporter's last one.
func send(exporter trace.SpanExporter, service string, count int) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	heard := &listening{SpanExporter: exporter}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(heard),
		trace.WithSampler(trace.AlwaysSample()),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))),
	)
	for range count {
		_, span := provider.Tracer("kit.local/exporters").Start(ctx, "made")
		span.End()
	}
	if err := provider.Shutdown(ctx); err != nil {
		return err
	}
	return heard.failure
}

// listening keeps the failure that the SDK would write to stderr.
type listening struct {
	trace.SpanExporter
	failure error
}

func (l *listening) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	if err := l.SpanExporter.ExportSpans(ctx, spans); err != nil {
		l.failure = err
	}
	return nil
}
