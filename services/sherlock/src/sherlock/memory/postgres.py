"""Memory in PostgreSQL with pgvector.

Why tables of our own and not LangGraph's checkpointer (langgraph-checkpoint-postgres): the graph runs
within one request and is never interrupted or resumed, so a checkpoint would only repeat what the table of
turns holds, as binary blobs that grow with each step; two replicas that answer for one session would
overwrite each other's thread, while rows only add up; and a session is deleted in one statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import structlog
from pgvector import Vector
from pgvector.psycopg import register_vector_async
from psycopg import AsyncConnection
from psycopg.abc import Query
from psycopg.rows import TupleRow, class_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from sherlock.errors import MemoryUnavailableError
from sherlock.memory.base import Page, Recall, StoredTurn
from sherlock.memory.migrate import migrate
from sherlock.memory.queries import Queries
from sherlock.metrics import Metrics
from sherlock.models import Embedder, Turn
from sherlock.settings import Settings

_log = structlog.stdlib.get_logger(__name__)

_CONNECT_S = 5
_CHECK_S = 5
_POOL_WAIT_S = 5
# A little more than the server's own statement_timeout below: only a silent server reaches it.
_OPERATION_S = 12
# hnsw.iterative_scan: the filter on the session comes after the index; without it, the nearest rows of
# other sessions could hide all rows of this one. strict_order keeps the nearest first.
_OPTIONS = "-c statement_timeout=10000 -c hnsw.iterative_scan=strict_order -c application_name=sherlock"
_MEASURE_EVERY_S = 15.0


class PostgresMemory:
    """See `Memory`; also a `Dependency`, which connects, migrates and watches."""

    name = "postgres"

    def __init__(self, settings: Settings, embedder: Embedder, metrics: Metrics) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: address, password and limits.
            embedder: names the space of the vectors.
            metrics: get the memory's size.
        """
        self._settings = settings
        self._embedder = embedder
        self._metrics = metrics
        self._queries = Queries(embedder.name, embedder.dimensions)
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] | None = None

    async def connect(self) -> None:
        """Migrate over a connection of its own (its errors name the cause), then open the pool."""
        parameters = self._parameters()
        async with await AsyncConnection.connect(autocommit=True, **parameters) as connection:
            await migrate(connection, self._embedder.name, self._embedder.dimensions)
        pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            kwargs={**parameters, "autocommit": True},
            min_size=1,
            max_size=self._settings.postgres_pool_size,
            timeout=_POOL_WAIT_S,
            configure=register_vector_async,
            name="memory",
            open=False,
        )
        try:
            await pool.open(wait=True, timeout=_CONNECT_S)
            await self._check(pool)
        except BaseException:
            await pool.close(timeout=0)
            raise
        self._pool = pool

    async def watch(self) -> None:
        """Ask PostgreSQL for a sign of life again and again; raises when there is none."""
        loop = asyncio.get_running_loop()
        measured = loop.time()
        while self._pool is not None:
            await asyncio.sleep(self._settings.watch_interval_s)
            await self._check(self._pool, measure=loop.time() - measured > _MEASURE_EVERY_S)
            if loop.time() - measured > _MEASURE_EVERY_S:
                measured = loop.time()

    async def disconnect(self) -> None:
        """Close the pool; requests that still want it get MemoryUnavailableError."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close(timeout=1)

    async def recall(self, session_id: str, embedding: list[float]) -> Recall:
        """See `Memory.recall`."""
        settings = self._settings
        async with self._connection() as connection:
            near = await connection.execute(
                self._queries.nearest,
                {
                    "session": session_id,
                    "embedding": Vector(embedding),
                    "distance": 1.0 - settings.recall_min_similarity,
                    "limit": settings.recall_limit,
                },
            )
            memories = [Turn(*row) for row in await near.fetchall()]
            latest = await connection.execute(self._queries.latest, (session_id, settings.history_turns))
            history = [Turn(*row) for row in await latest.fetchall()]
        # The same words said twice are one memory.
        return Recall(tuple(dict.fromkeys(memories)), tuple(reversed(history)))

    async def remember(self, session_id: str, turn: Turn, *, model: str, embedding: list[float]) -> int:
        """See `Memory.remember`."""
        values = {
            "session": session_id,
            "message": turn.message,
            "answer": turn.answer,
            "model": model,
            "embedder": self._embedder.name,
            "embedding": Vector(embedding),
            "kept": self._settings.session_max_turns - 1,
        }
        async with self._connection() as connection:
            cursor = await connection.execute(self._queries.insert, values)
            row = await cursor.fetchone()
        return int(row[0]) if row is not None else 0

    async def turns(self, session_id: str, *, limit: int, before: int | None) -> Page:
        """See `Memory.turns`."""
        async with self._connection() as connection:
            cursor = connection.cursor(row_factory=class_row(StoredTurn))
            await cursor.execute(
                self._queries.page, {"session": session_id, "before": before, "limit": limit}
            )
            turns = await cursor.fetchall()
            total = await (await connection.execute(self._queries.count, (session_id,))).fetchone()
        return Page(tuple(turns), int(total[0]) if total is not None else 0)

    async def forget(self, session_id: str) -> int:
        """See `Memory.forget`."""
        async with self._connection() as connection:
            return (await connection.execute(self._queries.forget, (session_id,))).rowcount

    def _parameters(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "host": settings.postgres_host,
            "port": settings.postgres_port,
            "user": settings.postgres_user,
            "dbname": settings.postgres_db,
            "password": settings.postgres_password.get_secret_value(),
            "connect_timeout": _CONNECT_S,
            "options": _OPTIONS,
        }

    async def _check(self, pool: AsyncConnectionPool[AsyncConnection[Any]], *, measure: bool = True) -> None:
        query = self._queries.size if measure else self._queries.alive
        task = asyncio.create_task(_first_row(pool, query))
        # Not asyncio.timeout: when the server is silent, psycopg's way to cancel a query waits for it too.
        try:
            done, _ = await asyncio.wait({task}, timeout=_CHECK_S)
        finally:
            task.cancel()
            task.add_done_callback(_look_at)
        if not done:
            message = f"no answer within {_CHECK_S} s"
            raise TimeoutError(message)
        row = task.result()
        if measure and row is not None:
            self._metrics.memory_turns.set(row[0])
            self._metrics.memory_bytes.set(row[1])

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        if self._pool is None:
            raise _unavailable()
        try:
            async with asyncio.timeout(_OPERATION_S), self._pool.connection() as connection:
                yield connection
        except (
            TimeoutError,
            psycopg.OperationalError,
            psycopg.InterfaceError,
            PoolClosed,
            PoolTimeout,
            TooManyRequests,
        ) as error:
            _log.warning("memory failed", error=f"{type(error).__name__}: {error}")
            raise _unavailable() from error


async def _first_row(pool: AsyncConnectionPool[AsyncConnection[Any]], query: Query) -> TupleRow | None:
    async with pool.connection() as connection:
        return await (await connection.execute(query)).fetchone()


def _look_at(task: asyncio.Task[TupleRow | None]) -> None:
    """Look at the error of a task that was given up, so that it is not reported as forgotten."""
    if not task.cancelled():
        task.exception()


def _unavailable() -> MemoryUnavailableError:
    return MemoryUnavailableError(
        "the memory (PostgreSQL) cannot be used at the moment: try again, see /ready"
    )
