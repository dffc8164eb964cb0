package main

import (
	//lint:ignore SA1019 that it is deprecated is what this program shows
	"go.opentelemetry.io/otel/exporters/jaeger"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Jaeger's own protocol: to a collector by HTTP, as the guide's listing does, or to an agent by UDP, as its picture has it.
func init() {
	ways["jaeger-collector"] = func(host string) (trace.SpanExporter, error) {
		return jaeger.New(jaeger.WithCollectorEndpoint(jaeger.WithEndpoint("http://" + host + ":14268/api/traces")))
	}
	ways["jaeger-agent"] = func(host string) (trace.SpanExporter, error) {
		return jaeger.New(jaeger.WithAgentEndpoint(jaeger.WithAgentHost(host)))
	}
}
