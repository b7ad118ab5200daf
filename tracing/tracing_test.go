package tracing

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestTracesAreOff: without the variables of OpenTelemetry nothing is traced, and a nil Tracing does nothing.
func TestTracesAreOff(t *testing.T) {
	for _, env := range []map[string]string{
		{},
		{"OTEL_SERVICE_NAME": "x"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
	} {
		tracing, err := Start(t.Context(), func(name string) string { return env[name] }, "1")
		if err != nil || tracing.Queries() != nil {
			t.Errorf("%v: it is on, %v", env, err)
		}
	}
	var none *Tracing
	r := httptest.NewRequest(http.MethodGet, "/v1/accounts/alice", nil)
	ctx, span := none.Request(r)
	span.End("GET", "/v1/accounts/{account}", "R1", 200)
	if ctx != r.Context() || none.Queries() != nil || none.Stop(t.Context()) != nil {
		t.Error("a nil Tracing does something")
	}
}

// TestARequestIsASpan: a part of its caller's trace, by its route; nothing says whose account it was about.
func TestARequestIsASpan(t *testing.T) {
	sent := tracetest.NewInMemoryExporter()
	tracing, err := start(t.Context(), trace.WithSyncer(sent), "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/accounts/alice?key=secret", nil)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	_, span := tracing.Request(r)
	span.End("GET", "/v1/accounts/{account}", "R1", 503)
	spans := sent.GetSpans()
	if len(spans) != 1 || spans[0].Name != "GET /v1/accounts/{account}" || spans[0].Status.Code.String() != "Error" ||
		spans[0].SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" ||
		spans[0].Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("the spans are %+v", spans)
	}
	for _, attribute := range append(spans[0].Attributes, spans[0].Resource.Attributes()...) {
		if text := attribute.Value.String(); strings.Contains(text, "alice") || strings.Contains(text, "secret") {
			t.Errorf("%s is %s", attribute.Key, text)
		}
	}
	if err := tracing.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNothingWaitsForACollector: one that is not there keeps neither a request nor the end waiting.
func TestNothingWaitsForACollector(t *testing.T) {
	asked := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default:
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	tracing, err := Start(t.Context(), func(string) string { return collector.URL }, "1")
	if err != nil || tracing.Queries() == nil {
		t.Fatal(tracing, err)
	}
	_, span := tracing.Request(httptest.NewRequest(http.MethodGet, "/", nil))
	span.End("GET", "/", "R1", 200)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := tracing.Stop(ctx); ctx.Err() != nil {
		t.Errorf("it waits: %v", err)
	}
	if path := <-asked; path != "/v1/traces" {
		t.Errorf("the collector was asked for %s", path)
	}
}
