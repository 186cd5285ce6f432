"""Traces: spans always exist, so that logs carry trace ids; they are exported only with an endpoint."""

from __future__ import annotations

import asyncio

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from sherlock import __version__
from sherlock.settings import Settings

_FLUSH_S = 1.0


def tracer_provider(settings: Settings) -> TracerProvider:
    """Make the tracer provider (not the global one: an application is made more than once in tests).

    Args:
        settings: with the collector's endpoint, or None to export nothing.

    Returns:
        The provider, to be closed by `close`.
    """
    resource = Resource.create({"service.name": settings.otel_service_name, "service.version": __version__})
    # A hook at exit would wait for an absent collector beyond the ten seconds of a graceful stop.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    if settings.otel_endpoint is not None:
        exporter = OTLPSpanExporter(endpoint=f"{settings.otel_endpoint}/v1/traces", timeout=_FLUSH_S)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


async def close(provider: TracerProvider) -> None:
    """Send the last spans, for at most a second, without blocking the loop."""
    await asyncio.to_thread(provider.force_flush, int(_FLUSH_S * 1000))
