"""NATS: answers `arc.reasoner.request`; what was answered goes to events.py."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from opentelemetry import propagate
from opentelemetry.trace import SpanKind, Tracer

from sherlock.api.schemas import ChatRequest, parse_chat
from sherlock.errors import InvalidRequestError, ServiceError
from sherlock.events import EventStream
from sherlock.metrics import Metrics
from sherlock.reasoner import Answer, Reasoner
from sherlock.settings import Settings

_log = structlog.stdlib.get_logger(__name__)

REQUESTS = "arc.reasoner.request"
# Replicas share the requests.
QUEUE = "arc-reasoner"

_CONNECT_S = 5
# A dead connection without a FIN is noticed after two of these.
_PING_S = 10
_WAITING_EVENTS = 1000


class NatsBus:
    """A `Dependency`: one connection, made anew by `Readiness.keep` whenever it is lost.

    The client's own reconnection is off: it waits equally long each time, gives up after two refused
    passwords (which a secret that is being changed causes), and hides from /ready that nothing arrives.
    """

    name = "nats"

    def __init__(self, settings: Settings, reasoner: Reasoner, metrics: Metrics, tracer: Tracer) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: address, user and password.
            reasoner: answers.
            metrics: count requests and events.
            tracer: gets a span for each request.
        """
        self._settings = settings
        self._reasoner = reasoner
        self._metrics = metrics
        self._tracer = tracer
        self._client: Client | None = None
        self._subscription: Subscription | None = None
        self._lost = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()
        self._events: asyncio.Queue[Answer] = asyncio.Queue(_WAITING_EVENTS)
        self._publisher: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Connect and subscribe."""
        client, lost = Client(), asyncio.Event()
        password = self._settings.nats_password

        async def on_closed() -> None:
            lost.set()

        async def on_error(error: Exception) -> None:
            _log.debug("nats client", error=f"{type(error).__name__}: {error}")

        try:
            async with asyncio.timeout(2 * _CONNECT_S):
                await client.connect(
                    servers=[self._settings.nats_url],
                    user=self._settings.nats_user,
                    password=password.get_secret_value() if password is not None else None,
                    name="sherlock",
                    allow_reconnect=False,
                    # With none, the client would try for ever within its first connect.
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=_CONNECT_S,
                    ping_interval=_PING_S,
                    closed_cb=on_closed,
                    error_cb=on_error,
                )
                self._subscription = await client.subscribe(REQUESTS, queue=QUEUE, cb=self._on_request)
                # Only now the server knows the subscription.
                await client.flush()
        except BaseException:
            await _close(client)
            raise
        self._client, self._lost = client, lost
        self._publisher = asyncio.create_task(self._publish_events(client))

    async def watch(self) -> None:
        """Return when the connection is lost."""
        await self._lost.wait()

    async def disconnect(self) -> None:
        """Close the connection."""
        client, self._client, self._subscription = self._client, None, None
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.cancel()
            await asyncio.gather(publisher, return_exceptions=True)
        if client is not None:
            await _close(client)

    async def drain(self, timeout_s: float) -> None:
        """Take no further requests, finish those at work and send what waits to be sent.

        Args:
            timeout_s: seconds after which what is left is given up.
        """
        with suppress(TimeoutError, NatsError):
            async with asyncio.timeout(timeout_s):
                if self._subscription is not None:
                    await self._subscription.drain()  # type: ignore[no-untyped-call] # nats-py forgot it
                while self._working:
                    await asyncio.wait(self._working)
                if self._publisher is not None:
                    await self._events.join()
                if self._client is not None:
                    await self._client.flush()
        for task in self._working:
            task.cancel()

    def answered(self, answer: Answer) -> None:
        """Queue the event of an answer; without a connection it is dropped and counted."""
        if self._client is None or self._events.full():
            self._metrics.events.labels("dropped").inc()
            return
        self._events.put_nowait(answer)

    async def _on_request(self, message: Msg) -> None:
        # A task of its own: the client hands out the next message only when this returns.
        task = asyncio.create_task(self._serve(message))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _serve(self, message: Msg) -> None:
        started, status = time.perf_counter(), 200
        context = propagate.extract(dict(message.headers or {}))
        with self._tracer.start_as_current_span(f"process {REQUESTS}", context, SpanKind.CONSUMER):
            try:
                request = self._parse(message.data)
                body = (await self._reasoner.ask(request.session_id, request.message)).body()
            except ServiceError as error:
                status, body = error.status, error.body() | {"status": error.status}
            except Exception:  # noqa: BLE001 - whatever it is, the requester must not wait in vain
                _log.exception("request failed", transport="nats")
                status, body = 500, {"error": "internal", "message": "internal error", "status": 500}
            await self._reply(message, body)
        seconds = time.perf_counter() - started
        self._metrics.seconds.labels("nats", REQUESTS).observe(seconds)
        self._metrics.requests.labels("nats", "request", REQUESTS, status).inc()
        _log.info("request", transport="nats", route=REQUESTS, status=status, ms=round(seconds * 1000, 1))

    def _parse(self, data: bytes) -> ChatRequest:
        most = self._settings.max_body_bytes
        if len(data) > most:
            text = f"the request has {len(data)} bytes, the limit is {most}"
            raise InvalidRequestError(text)
        request = parse_chat(data)
        if request.stream:
            text = "stream: not over NATS, ask without it or use POST /v1/chat"
            raise InvalidRequestError(text)
        return request

    async def _reply(self, message: Msg, body: dict[str, object]) -> None:
        if not message.reply:  # a message without a requester: the event alone tells of the answer
            return
        try:
            await message.respond(json.dumps(body, ensure_ascii=False).encode())
        except (NatsError, OSError) as error:
            _log.warning("reply was not sent", error=f"{type(error).__name__}: {error}")

    async def _publish_events(self, client: Client) -> None:
        stream = EventStream(client)
        while True:
            answer = await self._events.get()
            try:
                outcome = await stream.publish(answer)
            finally:
                self._events.task_done()
            self._metrics.events.labels(outcome).inc()


async def _close(client: Client) -> None:
    # Half-open connections make close() raise all kinds of errors; the connection is given up either way.
    with suppress(Exception):
        async with asyncio.timeout(1):
            await client.close()
