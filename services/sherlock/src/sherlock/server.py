"""Runs the application on one event loop until SIGTERM."""

from __future__ import annotations

import socket

import structlog
import uvicorn

from sherlock.app import create_app
from sherlock.service import DRAIN_S, Service
from sherlock.settings import Settings

_log = structlog.stdlib.get_logger(__name__)

_BACKLOG = 2048


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
        The exit code: 0 after a graceful stop, 1 when the port cannot be had.
    """
    try:
        # Before anything else: a port that is taken should not first cost a migration.
        listener = listen(settings.host, settings.port)
    except OSError as error:
        reason = str(error.strerror or error)
        _log.error("cannot listen: set SHERLOCK_PORT to a free port", port=settings.port, reason=reason)
        return 1
    service = Service(settings)
    config = uvicorn.Config(
        create_app(service),
        # Our handler on the root logger takes uvicorn's lines; the access line is our middleware's.
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=int(DRAIN_S),
    )
    _log.info("listening", host=settings.host, port=settings.port)
    with listener:
        GracefulServer(config, service).run([listener])
    return 0


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen.

    Args:
        host: an IPv4 or IPv6 address.
        port: the TCP port; 0 takes any free one.

    Returns:
        The listening socket.

    Raises:
        OSError: when the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio sets TCP_NODELAY only on connections whose socket says TCP, and
    # without it every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
