"""Running many things at once, with a limit, without losing a failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import anyio

from pipeline.errors import collapse

Key = TypeVar("Key")
Value = TypeVar("Value")


class Shared(Generic[Value]):
    """A value that many jobs need: the first that asks makes it, the others wait for it."""

    def __init__(self, make: Callable[[], Awaitable[Value]]) -> None:
        """Remember how it is made; nothing runs yet."""
        self._make = make
        self._lock = anyio.Lock()
        self._made: list[Value | Exception] = []

    async def get(self) -> Value:
        """Get the value.

        Returns:
            The value.

        Raises:
            Exception: What making it raised, to each that asks.
        """
        async with self._lock:
            if not self._made:
                try:
                    self._made.append(await self._make())
                except Exception as error:  # noqa: BLE001  # kept, and raised below to everyone
                    self._made.append(error)
        value = self._made[0]
        if isinstance(value, Exception):
            raise value
        return value


async def gather(jobs: Mapping[Key, Callable[[], Awaitable[Value]]]) -> dict[Key, Value]:
    """Run jobs at the same time and wait for all of them.

    Args:
        jobs: What to run, by name. A job reports its own failure in its value: an exception ends all of them.

    Returns:
        The value of each, in the order of `jobs`.

    Raises:
        UsageError: A job found the input wrong; several such errors come as one.
        BaseExceptionGroup: Jobs failed in another way.
    """
    results: dict[Key, Value] = {}

    async def run(key: Key, job: Callable[[], Awaitable[Value]]) -> None:
        results[key] = await job()

    try:
        async with anyio.create_task_group() as group:
            for key, job in jobs.items():
                group.start_soon(run, key, job)
    except BaseExceptionGroup as group_error:
        raise collapse(group_error) from None
    return {key: results[key] for key in jobs}
