// The guide's set-up of tracing, with a program around it. It compiles and runs, and its span arrives nowhere.
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/jaeger"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx := context.Background()
	setUp()

	ctx, span := otel.Tracer("kit.local/buyer").Start(ctx, "buy")
	header := propagation.HeaderCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, header)
	fmt.Println("trace id:   ", span.SpanContext().TraceID())
	fmt.Println("traceparent:", header.Get("traceparent"))
	span.End()
}

func setUp() {
	exporter, _ := jaeger.New(jaeger.WithCollectorEndpoint())
	provider := trace.NewTracerProvider(
		trace.WithBatcher(exporter),
		trace.WithSampler(trace.AlwaysSample()),
	)
	otel.SetTracerProvider(provider)
}
