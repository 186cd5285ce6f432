"""The ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from sherlock import __version__
from sherlock.api import chat, errors, ops
from sherlock.api.middleware import LimitBody, Observe
from sherlock.service import Service

# Asked every few seconds: their spans would drown the others.
_UNTRACED = frozenset({"/health", "/ready", "/metrics"})


def create_app(service: Service) -> FastAPI:
    """Make the application around a service.

    Args:
        service: not started yet; the application's lifespan starts and closes it.

    Returns:
        The application.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.close()

    app = FastAPI(
        title="sherlock",
        summary="Reasoning service of the A.R.C. platform.",
        version=__version__,
        lifespan=lifespan,
        # The pages would load scripts from a content delivery network; /openapi.json is there.
        docs_url=None,
        redoc_url=None,
        telemetry={
            "tracer_provider": service.tracer_provider,
            # Metrics are Prometheus's, logs are structlog's, exporters are telemetry.py's.
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": lambda scope: scope.get("path") in _UNTRACED,
        },
    )
    app.state.service = service
    errors.install(app)
    app.include_router(ops.router)
    app.include_router(chat.router)
    # The last one added is the outermost: a refused body is counted too.
    app.add_middleware(LimitBody, most=service.settings.max_body_bytes)
    app.add_middleware(Observe, metrics=service.metrics)
    return app
