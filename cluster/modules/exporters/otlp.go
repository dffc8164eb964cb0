package main

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

// OpenTelemetry's own protocol, over HTTP.
func init() {
	ways["otlp"] = func(host string) (trace.SpanExporter, error) {
		return otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL("http://"+host+":4318/v1/traces"))
	}
}
