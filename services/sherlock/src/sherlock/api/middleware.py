"""What happens to every HTTP request: the size limit, metrics and the access line."""

from __future__ import annotations

import time

import structlog
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sherlock.metrics import Metrics

_log = structlog.stdlib.get_logger("sherlock.access")

# Asked every few seconds by machines: logged only for debugging.
_QUIET = frozenset({"/health", "/ready", "/metrics"})

_THROWN_AWAY = 4 * 1024 * 1024


class Observe:
    """Counts and times requests, and writes a line for each."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap an application.

        Args:
            app: the application.
            metrics: get the counts and times.
        """
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The template, not the path: each session's path would be a time series of its own.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "DELETE") else "other"
        self._metrics.requests.labels("http", method, route, status).inc()
        self._metrics.seconds.labels("http", route).observe(seconds)
        log = _log.debug if route in _QUIET else _log.info
        log(
            "request",
            transport="http",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
        )


class LimitBody:
    """Answers 413 to a body that is too large, before the application sees any of it."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        """Wrap an application.

        Args:
            app: the application.
            most: the largest body in bytes.
        """
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await self._read(receive)
        if body is None:
            text = f"the body is larger than the limit of {self._most} bytes"
            # What is left of the body was not read, so the connection is of no further use.
            refusal = JSONResponse({"error": "too_large", "message": text}, 413, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body, or None when it is too large.

        A little more than the limit is read and thrown away: a client that is still sending when the
        connection closes does not get to see the refusal.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            size += len(message.get("body", b""))
            if size <= self._most:
                parts.append(message.get("body", b""))
            if not message.get("more_body", False) or size > self._most + _THROWN_AWAY:
                return b"".join(parts) if size <= self._most else None
