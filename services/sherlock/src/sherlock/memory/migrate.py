"""Brings the schema `sherlock` up to date; safe with any number of replicas starting at once."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any, LiteralString

import structlog
from psycopg import AsyncConnection, sql

_log = structlog.stdlib.get_logger(__name__)

# "sherlock" in ASCII. The lock belongs to the transaction: it cannot be left behind.
_LOCK = int.from_bytes(b"sherlock")
# Iterative index scans, without which a filtered search may miss rows.
_PGVECTOR = (0, 8)


class MigrationError(Exception):
    """The database cannot be used as it is; the message says what to do."""


async def migrate(connection: AsyncConnection[Any], embedder: str, dimensions: int) -> list[str]:
    """Run the migrations that have not run, and make the embedder's index.

    Args:
        connection: to the database, in autocommit mode.
        embedder: name of the embedding space.
        dimensions: length of its vectors.

    Returns:
        Names of the migrations that ran now.

    Raises:
        MigrationError: when pgvector is absent or too old, or the schema is newer than this program.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute("SET LOCAL lock_timeout = '30s'")
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await _prepare(connection)
        ran = await _run_missing(connection)
        await connection.execute(_index(embedder, dimensions))
    if ran:
        _log.info("migrated", migrations=ran)
    return ran


async def _prepare(connection: AsyncConnection[Any]) -> None:
    # Looks before it creates: an existing extension or schema needs no right to create one.
    if await _one(connection, "SELECT extversion FROM pg_extension WHERE extname = 'vector'") is None:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    found = await _one(connection, "SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    if tuple(int(part) for part in str(found).split(".")[:2]) < _PGVECTOR:
        message = f"pgvector {found} is too old: install 0.8 or newer and run ALTER EXTENSION vector UPDATE"
        raise MigrationError(message)
    if await _one(connection, "SELECT 1 FROM pg_namespace WHERE nspname = 'sherlock'") is None:
        await connection.execute("CREATE SCHEMA IF NOT EXISTS sherlock")
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS sherlock.migrations"
        " (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )


async def _run_missing(connection: AsyncConnection[Any]) -> list[str]:
    cursor = await connection.execute("SELECT name, sha256 FROM sherlock.migrations")
    done = dict(await cursor.fetchall())
    files = _files()
    if unknown := sorted(set(done) - set(files)):
        message = f"the schema sherlock is newer than this program (it has {unknown[-1]}): run a newer image"
        raise MigrationError(message)
    ran = []
    for name, text in files.items():
        digest = hashlib.sha256(text.encode()).hexdigest()
        if name not in done:
            # The text is a file of this package, not of anybody's making.
            await connection.execute(text.encode())
            await connection.execute(
                "INSERT INTO sherlock.migrations (name, sha256) VALUES (%s, %s)", (name, digest)
            )
            ran.append(name)
        elif done[name] != digest:
            message = f"migration {name} was changed after it ran: restore it and add a new one instead"
            raise MigrationError(message)
    return ran


def _files() -> dict[str, str]:
    folder = resources.files("sherlock.memory.migrations")
    files = sorted((item.name, item) for item in folder.iterdir() if item.name.endswith(".sql"))
    return {name.removesuffix(".sql"): item.read_text(encoding="utf-8") for name, item in files}


def _index(embedder: str, dimensions: int) -> sql.Composed:
    """Return the statement for the HNSW index over one embedder's vectors."""
    suffix = hashlib.sha256(embedder.encode()).hexdigest()[:8]
    return sql.SQL(
        "CREATE INDEX IF NOT EXISTS {name} ON sherlock.turns"
        " USING hnsw ((embedding::vector({dimensions})) vector_cosine_ops) WHERE embedder = {embedder}"
    ).format(
        name=sql.Identifier(f"turns_embedding_{dimensions}_{suffix}"),
        dimensions=sql.Literal(dimensions),
        embedder=sql.Literal(embedder),
    )


async def _one(connection: AsyncConnection[Any], query: LiteralString) -> object:
    cursor = await connection.execute(query)
    row = await cursor.fetchone()
    return None if row is None else row[0]
