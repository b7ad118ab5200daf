// Package tracing sends traces of requests and of what they ask of PostgreSQL to a collector, by OpenTelemetry. It
// is off unless the environment says where the collector is. No trace has the ID of an account, a path, an address
// or a parameter of a query in it.
package tracing

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/exaring/otelpgx"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	spans "go.opentelemetry.io/otel/trace"

	"github.com/softstake/softstake/db"
)

// where are the variables that say where a collector is. One of them turns traces on.
var where = []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"}

// Tracing makes traces. A nil one and one that is off make none. It is safe for concurrent use.
type Tracing struct {
	provider *trace.TracerProvider // nil: it is off
	tracer   spans.Tracer
}

// Start begins to send traces, where the environment says so: OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) is
// where, by OTLP over HTTP, and the other variables of OpenTelemetry (OTEL_EXPORTER_OTLP_HEADERS,
// OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES …) hold; OTEL_SDK_DISABLED=true turns it off. Elsewhere it is
// off. Nothing waits for the collector: what it does not take is lost.
func Start(ctx context.Context, getenv func(string) string, version string) (*Tracing, error) {
	on := false
	for _, name := range where {
		on = on || getenv(name) != ""
	}
	if !on || strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none" {
		return &Tracing{}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	return start(ctx, trace.WithBatcher(exporter), version)
}

func start(ctx context.Context, to trace.TracerProviderOption, version string) (*Tracing, error) {
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "softstake"),
		attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	provider := trace.NewTracerProvider(to, trace.WithResource(about))
	return &Tracing{provider, provider.Tracer("github.com/softstake/softstake")}, nil
}

func (t *Tracing) off() bool { return t == nil || t.provider == nil }

// Stop sends what was not sent yet, until the context ends.
func (t *Tracing) Stop(ctx context.Context) error {
	if t.off() {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Queries traces the queries of a pool of PostgreSQL: their text, without parameters. nil where nothing is traced.
func (t *Tracing) Queries() db.Tracer {
	if t.off() {
		return nil
	}
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(t.provider))
}

// Request begins the span of a request, as a part of the trace that its headers name. End it when it is answered.
func (t *Tracing) Request(r *http.Request) (context.Context, Span) {
	if t.off() {
		return r.Context(), Span{}
	}
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, "request", spans.WithSpanKind(spans.SpanKindServer))
	return ctx, Span{span}
}

// Span is a request that is being answered. That of a nil Tracing does nothing.
type Span struct{ span spans.Span }

// End ends the span. route is a pattern, not a path; id is the request's.
func (s Span) End(method, route, id string, status int) {
	if s.span == nil {
		return
	}
	s.span.SetName(method + " " + route)
	s.span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.String("softstake.request", id), attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}
