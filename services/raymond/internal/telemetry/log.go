// Package telemetry makes what the outside sees of raymond: logs, metrics and
// traces.
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/arc-framework/arc/services/raymond/internal/buildinfo"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
)

// NewLogger returns a logger that writes one JSON object a line to w, masks
// secrets, and names the trace where there is one.
func NewLogger(w io.Writer, level slog.Level, r *redact.Redactor) *slog.Logger {
	handler := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: r.Attr})
	return slog.New(traced{handler}).With("service", "raymond", "version", buildinfo.Version)
}

// traced adds the ids of the current span to each record.
type traced struct{ slog.Handler }

func (t traced) Handle(ctx context.Context, rec slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		rec.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return t.Handler.Handle(ctx, rec)
}

func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traced{t.Handler.WithAttrs(attrs)}
}

func (t traced) WithGroup(name string) slog.Handler {
	return traced{t.Handler.WithGroup(name)}
}
