// The same program with OpenTelemetry's own protocol. It reports errors, passes the context on, and sends its last spans.
package main

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx := context.Background()
	shutdown, err := setUp(ctx)
	if err != nil {
		log.Fatal(err)
	}

	ctx, span := otel.Tracer("kit.local/buyer").Start(ctx, "buy")
	header := propagation.HeaderCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, header)
	fmt.Println("trace id:   ", span.SpanContext().TraceID())
	fmt.Println("traceparent:", header.Get("traceparent"))
	span.End()
	if err := shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}

func setUp(ctx context.Context) (shutdown func(context.Context) error, err error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(exporter),
		trace.WithSampler(trace.ParentBased(trace.AlwaysSample())),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "buyer"))),
	)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return provider.Shutdown, nil
}
