package tracing

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Span is the time that one request takes here, served or made; attributes are OpenTelemetry's for HTTP.
type Span struct{ span trace.Span }

// Server begins the span of a request that is served, as a child of the caller's if the caller sent one along.
func (t *Tracing) Server(r *http.Request, method string) (context.Context, Span) {
	ctx := w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(method), semconv.URLScheme("http"), semconv.URLPath(r.URL.Path)))
	return ctx, Span{span}
}

// Served ends the span of a request that was served; route is a path with wildcards, or "" when no route matched.
func (s Span) Served(method, route string, status int) {
	defer s.span.End()
	if !s.span.IsRecording() {
		return
	}
	if route != "" {
		s.span.SetName(method + " " + route)
		s.span.SetAttributes(semconv.HTTPRoute(route))
	}
	s.answered(status, http.StatusInternalServerError) // a client's mistake is not this side's error
}

// Client begins the span of a request that is made, if it is part of a trace: what a probe asks is in none.
func (t *Tracing) Client(ctx context.Context, method string, target *url.URL) (context.Context, Span) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, Span{trace.SpanFromContext(ctx)}
	}
	ctx, span := t.tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(method), semconv.URLFull(target.String()), address(target), port(target)))
	return ctx, Span{span}
}

// Returned ends the span of a request that was made: with a status, or with the error that came instead.
func (s Span) Returned(status int, err error) {
	defer s.span.End()
	if err != nil {
		s.span.SetAttributes(semconv.ErrorType(err))
		s.span.SetStatus(codes.Error, err.Error())
		return
	}
	s.answered(status, http.StatusBadRequest)
}

// answered marks the span as failed when its status is that of an error or above.
func (s Span) answered(status, failed int) {
	s.span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	if status >= failed {
		s.span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(status)))
		s.span.SetStatus(codes.Error, "")
	}
}

func address(target *url.URL) attribute.KeyValue { return semconv.ServerAddress(target.Hostname()) }

func port(target *url.URL) attribute.KeyValue {
	number, err := strconv.Atoi(target.Port())
	switch {
	case err == nil:
		return semconv.ServerPort(number)
	case target.Scheme == "https":
		return semconv.ServerPort(443)
	}
	return semconv.ServerPort(80)
}
