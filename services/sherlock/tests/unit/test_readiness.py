from __future__ import annotations

import asyncio
from itertools import islice

from sherlock.metrics import Metrics
from sherlock.readiness import Readiness, backoff
from sherlock.redact import Redactor


class Flaky:
    """Fails twice, then connects; is lost whenever the test says so."""

    name = "flaky"

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failures = 2
        self.lost = asyncio.Event()

    async def connect(self) -> None:
        self.calls.append("connect")
        if self.failures:
            self.failures -= 1
            message = "password hunter22\nrefused"
            raise OSError(message)

    async def watch(self) -> None:
        self.calls.append("watch")
        await self.lost.wait()
        self.lost.clear()

    async def disconnect(self) -> None:
        self.calls.append("disconnect")


async def until(readiness: Readiness, *, ready: bool) -> None:
    async with asyncio.timeout(5):
        while readiness.ready != ready:
            await asyncio.sleep(0.001)


def test_pauses_double_up_to_the_longest() -> None:
    assert list(islice(backoff(2, 60), 7)) == [2, 4, 8, 16, 32, 60, 60]


async def test_it_connects_until_it_works_and_again_when_lost() -> None:
    metrics = Metrics()
    readiness = Readiness(metrics, Redactor(["hunter22"]))
    flaky = Flaky()
    keeper = asyncio.create_task(readiness.keep(flaky, 0.01, 0.02))
    await until(readiness, ready=False)
    while flaky.failures:
        await asyncio.sleep(0.001)
    assert readiness.statuses["flaky"].reason == "OSError: password *** refused"
    await until(readiness, ready=True)
    assert metrics.registry.get_sample_value("sherlock_dependency_up", {"dependency": "flaky"}) == 1

    flaky.lost.set()
    await until(readiness, ready=False)
    assert readiness.statuses["flaky"].reason == "connection lost"
    assert metrics.registry.get_sample_value("sherlock_dependency_up", {"dependency": "flaky"}) == 0
    await until(readiness, ready=True)

    keeper.cancel()
    await asyncio.gather(keeper, return_exceptions=True)
    failed, worked = ["connect", "disconnect"], ["connect", "watch", "disconnect"]
    assert flaky.calls == failed + failed + worked + worked


async def test_pauses_begin_anew_after_a_success() -> None:
    readiness = Readiness(Metrics(), Redactor())
    flaky = Flaky()
    keeper = asyncio.create_task(readiness.keep(flaky, 0.2, 100))
    await until(readiness, ready=False)
    await until(readiness, ready=True)  # after 0.2 + 0.4 s
    loop = asyncio.get_running_loop()
    started = loop.time()
    flaky.lost.set()
    await until(readiness, ready=False)
    await until(readiness, ready=True)
    # Not the 0.8 s that would come next.
    assert 0.15 < loop.time() - started < 0.75
    keeper.cancel()
    await asyncio.gather(keeper, return_exceptions=True)


def test_nothing_is_ready_while_draining() -> None:
    readiness = Readiness(Metrics(), Redactor())
    assert readiness.ready
    readiness.draining = True
    assert not readiness.ready
