package telemetry

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"

	"github.com/arc-framework/arc/services/raymond/internal/buildinfo"
)

const scope = "github.com/arc-framework/arc/services/raymond"

// StartTracing exports traces over OTLP/HTTP as the OTEL_* variables say. With
// an empty endpoint it does nothing: spans then cost next to nothing. The
// returned function sends what is buffered and ends the export.
func StartTracing(ctx context.Context, endpoint string, log *slog.Logger) (func(context.Context) error, error) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("telemetry export failed", "err", err)
	}))
	if endpoint == "" {
		return func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	// Later ones win: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
	res, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", "raymond"),
			attribute.String("service.namespace", "arc"),
			attribute.String("service.version", buildinfo.Version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(res))
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	return provider.Shutdown, nil
}

// InSpan runs fn in a span of the given name and notes its error.
func InSpan(ctx context.Context, name string, fn func(context.Context) error) error {
	ctx, span := otel.Tracer(scope).Start(ctx, name, api.WithSpanKind(api.SpanKindInternal))
	defer span.End()
	err := fn(ctx)
	if err != nil {
		span.SetStatus(codes.Error, "failed") // the message may hold a secret
	}
	return err
}
