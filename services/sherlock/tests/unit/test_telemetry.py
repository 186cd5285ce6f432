"""Traces, received by a real collector's interface (OTLP over HTTP)."""

from __future__ import annotations

import asyncio
import time

import pytest
from fastapi import FastAPI, Request, Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sherlock import telemetry
from support.app import running
from support.http import serving
from support.settings import make_settings

TRACE = "0af7651916cd43dd8448eb211c80319c"


async def test_one_trace_from_the_caller_through_every_step() -> None:
    spans: list[Span] = []
    names: list[str] = []
    collector = FastAPI()

    @collector.post("/v1/traces")
    async def receive(request: Request) -> Response:
        for resource in ExportTraceServiceRequest.FromString(await request.body()).resource_spans:
            names.extend(
                a.value.string_value for a in resource.resource.attributes if a.key == "service.name"
            )
            spans.extend(span for scope in resource.scope_spans for span in scope.spans)
        return Response()

    async with serving(collector) as url, running(OTEL_EXPORTER_OTLP_ENDPOINT=url + "/") as app:
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        body = {"session_id": "s", "message": "hi"}
        await app.http.post("/v1/chat", json=body, headers=headers)
        await app.http.get("/health")
        # Closing the application sends what is left.
    by_name = {span.name: span for span in spans}
    assert set(by_name) == {"POST /v1/chat", "recall", "reason", "remember"}
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert by_name["POST /v1/chat"].parent_span_id.hex() == "b7ad6b7169203331"
    assert by_name["recall"].parent_span_id == by_name["POST /v1/chat"].span_id
    assert set(names) == {"arc-reasoner"}


async def test_an_absent_collector_does_not_hold_up_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    provider = telemetry.tracer_provider(make_settings(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9"))
    with provider.get_tracer("test").start_as_current_span("work"):
        pass
    started = time.monotonic()
    await telemetry.close(provider)
    assert time.monotonic() - started < 2.5
    await asyncio.sleep(0)
    assert "work" not in caplog.text


async def test_without_endpoint_nothing_is_exported_but_ids_exist() -> None:
    provider = telemetry.tracer_provider(make_settings())
    with provider.get_tracer("test").start_as_current_span("work") as span:
        assert span.get_span_context().is_valid
    await telemetry.close(provider)
