from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from pipeline.concurrent import Shared, gather
from pipeline.errors import UsageError, collapse, leaves


async def test_jobs_overlap_and_keep_their_order() -> None:
    started: list[str] = []

    async def job(name: str, delay: float) -> str:
        started.append(name)
        await anyio.sleep(delay)
        assert len(started) == 2
        return name.upper()

    results = await gather({"slow": lambda: job("slow", 0.05), "fast": lambda: job("fast", 0.01)})
    assert list(results.items()) == [("slow", "SLOW"), ("fast", "FAST")]


async def fail(name: str) -> None:
    await anyio.lowlevel.checkpoint()
    raise UsageError(name, "problem", "fix")


async def test_a_wrong_input_reaches_the_caller_as_it_is() -> None:
    with pytest.raises(UsageError, match=r"^file: problem; fix$"):
        await gather({"bad": lambda: fail("file")})


async def test_errors_of_different_kinds_stay_a_group() -> None:
    group = ExceptionGroup("both", [UsageError("a", "b", "c"), ValueError("d")])
    assert collapse(group) is group
    assert leaves(group) == list(group.exceptions)
    together = collapse(ExceptionGroup("usage", [UsageError("a", "b", "c"), UsageError("d", "e", "f")]))
    assert str(together) == "a: b; c\nd: e; f"


async def test_a_shared_value_is_made_once() -> None:
    made: list[int] = []

    async def make() -> int:
        made.append(1)
        await anyio.sleep(0.01)
        return len(made)

    shared = Shared(make)
    assert await gather({"a": shared.get, "b": shared.get}) == {"a": 1, "b": 1}


async def test_a_shared_failure_reaches_everyone() -> None:
    made: list[int] = []

    async def make() -> None:
        made.append(1)
        raise ValueError("no")

    shared = Shared(make)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await shared.get()
    assert made == [1]
