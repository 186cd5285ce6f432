"""The parts of the service, put together, started and stopped."""

from __future__ import annotations

import asyncio
import time

from sherlock import telemetry
from sherlock.bus import NatsBus
from sherlock.graph import Nodes, build
from sherlock.memory.base import Memory
from sherlock.memory.postgres import PostgresMemory
from sherlock.metrics import Metrics
from sherlock.models.factory import make_chat, make_embedder
from sherlock.readiness import Dependency, Readiness
from sherlock.reasoner import Answer, Limits, Reasoner
from sherlock.settings import Settings

# Together with closing the pools below the ten seconds after which a stop becomes a kill.
DRAIN_S = 7.0
_CANCELLATIONS = 3
_CANCELLATION_S = 0.6


class Service:
    """Everything behind the interface."""

    def __init__(self, settings: Settings, memory: Memory | None = None) -> None:
        """Put the parts together; nothing is connected yet.

        Args:
            settings: the configuration.
            memory: another memory than PostgreSQL, which then is no dependency.
        """
        self.started_at = time.time()
        self.settings = settings
        self.metrics = Metrics()
        self.tracer_provider = telemetry.tracer_provider(settings)
        tracer = self.tracer_provider.get_tracer("sherlock")
        self.readiness = Readiness(self.metrics, settings.redactor())
        self.chat = make_chat(settings)
        self.embedder = make_embedder(settings)
        dependencies: list[Dependency] = []
        if memory is None:
            memory = postgres = PostgresMemory(settings, self.embedder, self.metrics)
            dependencies.append(postgres)
        self.memory = memory
        nodes = Nodes(memory, self.chat, self.embedder, self.metrics, tracer)
        limits = Limits(settings.max_message_chars, settings.max_concurrency, settings.request_timeout_s)
        self.reasoner = Reasoner(build(nodes), self.chat.name, limits, self.metrics, self._answered)
        self._bus: NatsBus | None = None
        if settings.nats_enabled:
            self._bus = NatsBus(settings, self.reasoner, self.metrics, tracer)
            dependencies.append(self._bus)
        for dependency in dependencies:
            self.readiness.set(dependency.name, ready=False, reason="not connected yet")
        self._dependencies = dependencies
        self._keepers: list[asyncio.Task[None]] = []
        self._drain: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect, in the background: /health answers meanwhile."""
        first_s, max_s = self.settings.retry_first_s, self.settings.retry_max_s
        for dependency in self._dependencies:
            keeper = self.readiness.keep(dependency, first_s, max_s)
            self._keepers.append(asyncio.create_task(keeper, name=f"keep {dependency.name}"))

    def drain(self) -> asyncio.Task[None]:
        """Turn /ready to 503 and finish what NATS asked; HTTP is finished by the server meanwhile."""
        if self._drain is None:
            self.readiness.draining = True
            self._drain = asyncio.create_task(self._drain_bus())
        return self._drain

    async def close(self) -> None:
        """Drain, then let go of everything."""
        await self.drain()
        await self._stop_keepers()
        await asyncio.gather(
            self.chat.aclose(), self.embedder.aclose(), telemetry.close(self.tracer_provider)
        )

    async def _stop_keepers(self) -> None:
        # More than once: nats-py swallows a cancellation that meets it while it connects.
        left: set[asyncio.Task[None]] = set(self._keepers)
        for _ in range(_CANCELLATIONS):
            for keeper in left:
                keeper.cancel()
            if left:
                _, left = await asyncio.wait(left, timeout=_CANCELLATION_S)

    async def _drain_bus(self) -> None:
        if self._bus is not None:
            await self._bus.drain(DRAIN_S)

    def _answered(self, answer: Answer) -> None:
        if self._bus is not None:
            self._bus.answered(answer)
