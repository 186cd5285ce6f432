"""What operators ask: /health, /ready, /metrics, /info."""

from __future__ import annotations

import platform
import time
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from sherlock import __version__
from sherlock.api.state import ServiceOf

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    """Say that the process runs and its event loop turns."""
    return {"status": "ok", "service": "sherlock", "version": __version__}


@router.get(
    "/ready", responses={503: {"description": "Something that is needed is missing; the body says what."}}
)
async def ready(service: ServiceOf) -> JSONResponse:
    """Say whether requests can be served, and if not, why."""
    readiness = service.readiness
    dependencies = {
        name: {"ready": status.ready, "reason": status.reason, "for_s": round(time.time() - status.since, 1)}
        for name, status in readiness.statuses.items()
    }
    body = {"ready": readiness.ready, "draining": readiness.draining, "dependencies": dependencies}
    return JSONResponse(body, status_code=200 if readiness.ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(service: ServiceOf) -> Response:
    """Return the metrics for Prometheus."""
    return Response(service.metrics.render(), media_type=CONTENT_TYPE_LATEST)


@router.get("/info")
async def info(service: ServiceOf) -> dict[str, Any]:
    """Describe the service; no secret is part of it."""
    settings = service.settings
    return {
        "service": "sherlock",
        "role": "reasoner",
        "version": __version__,
        "python": platform.python_version(),
        "uptime_s": round(time.time() - service.started_at, 1),
        "model": {"provider": settings.llm_provider, "name": service.chat.name},
        "embedder": {"name": service.embedder.name, "dimensions": service.embedder.dimensions},
        "nats": settings.nats_enabled,
        "limits": {
            "message_chars": settings.max_message_chars,
            "body_bytes": settings.max_body_bytes,
            "concurrency": settings.max_concurrency,
            "request_timeout_s": settings.request_timeout_s,
            "session_turns": settings.session_max_turns,
        },
    }
