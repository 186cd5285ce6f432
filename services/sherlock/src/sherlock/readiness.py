"""What the service depends on: keeps it connected, and knows at any time whether it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import structlog

from sherlock.metrics import Metrics

_log = structlog.stdlib.get_logger(__name__)


class Dependency(Protocol):
    """Something to connect to and to watch."""

    @property
    def name(self) -> str:
        """A word for logs, metrics and /ready."""

    async def connect(self) -> None:
        """Make it usable, or raise."""

    async def watch(self) -> None:
        """Return or raise as soon as it is lost."""

    async def disconnect(self) -> None:
        """Let go of it; never raises, also when it was never connected."""


@dataclass(slots=True)
class Status:
    """The state of one dependency."""

    ready: bool = False
    reason: str = "not connected yet"
    since: float = 0.0


def backoff(first_s: float, max_s: float) -> Iterator[float]:
    """Yield pauses in seconds without end: the first, each next one twice as long, up to the longest."""
    pause = first_s
    while True:
        yield min(pause, max_s)
        pause = min(pause * 2, max_s)


class Readiness:
    """The states of all dependencies, and whether the service is about to stop."""

    def __init__(self, metrics: Metrics, redact: Callable[[str], str]) -> None:
        """Begin with no dependency.

        Args:
            metrics: its gauge follows the states.
            redact: masks secrets in the reasons.
        """
        self.draining = False
        self.statuses: dict[str, Status] = {}
        self._metrics = metrics
        self._redact = redact

    @property
    def ready(self) -> bool:
        """Whether requests can be served."""
        return not self.draining and all(status.ready for status in self.statuses.values())

    def set(self, name: str, *, ready: bool, reason: str = "") -> None:
        """Note a dependency's state; a change is logged."""
        reason = self._redact(" ".join(reason.split()))
        before = self.statuses.get(name)
        if before is None or before.ready != ready:
            self.statuses[name] = Status(ready, reason, time.time())
        else:
            before.reason = reason
        self._metrics.up.labels(name).set(ready)

    async def keep(self, dependency: Dependency, first_s: float, max_s: float) -> None:
        """Connect, watch and connect again until cancelled.

        Args:
            dependency: what to keep connected.
            first_s: the pause after the first failure in seconds; it doubles with each further one.
            max_s: the longest pause in seconds.
        """
        name = dependency.name
        self.set(name, ready=False, reason="not connected yet")
        pauses = backoff(first_s, max_s)
        while True:
            try:
                await dependency.connect()
                self.set(name, ready=True)
                _log.info("dependency is ready", dependency=name)
                pauses = backoff(first_s, max_s)
                await dependency.watch()
                reason = "connection lost"
            except Exception as error:  # noqa: BLE001 - whatever its client raises, the answer is to try again
                reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            except asyncio.CancelledError:
                await dependency.disconnect()
                raise
            pause = next(pauses)
            self.set(name, ready=False, reason=reason)
            _log.warning("dependency is not ready", dependency=name, reason=reason, retry_in_s=pause)
            await dependency.disconnect()
            await asyncio.sleep(pause)
