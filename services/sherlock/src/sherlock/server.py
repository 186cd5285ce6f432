"""Runs the application on one event loop until SIGTERM."""

from __future__ import annotations

import socket

import uvicorn

from sherlock.app import create_app
from sherlock.service import DRAIN_S, Service
from sherlock.settings import Settings


class GracefulServer(uvicorn.Server):
    """Finishes what NATS asked at the same time as what HTTP asked, not after it."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        """Keep the service.

        Args:
            config: uvicorn's configuration.
            service: is drained at the beginning of a stop.
        """
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop within ten seconds."""
        self._service.drain()
        await super().shutdown(sockets)


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: the configuration.

    Returns:
        The exit code: 0 after a graceful stop.
    """
    service = Service(settings)
    config = uvicorn.Config(
        create_app(service),
        host=settings.host,
        port=settings.port,
        # Our handler on the root logger takes uvicorn's lines; the access line is our middleware's.
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=int(DRAIN_S),
    )
    GracefulServer(config, service).run()
    return 0
