"""The memory in a real PostgreSQL with pgvector."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from pgvector import Vector
from pgvector.psycopg import register_vector_async

from sherlock.errors import MemoryUnavailableError
from sherlock.memory import migrate as migrations
from sherlock.memory.migrate import MigrationError, migrate
from sherlock.memory.postgres import PostgresMemory
from sherlock.memory.queries import Queries
from sherlock.metrics import Metrics
from sherlock.models.hashing import HashingEmbedder, embed
from sherlock.settings import Settings
from support.contract import CONTRACT, LIMITS, say
from support.database import connected, database_settings, plain
from support.services import Address


@pytest.fixture
def settings(postgres: Address, database: str) -> Settings:
    return database_settings(postgres, database, **LIMITS)


@pytest.mark.parametrize("name", CONTRACT)
async def test_postgresql_keeps_the_contract(settings: Settings, name: str) -> None:
    async with connected(settings) as memory:
        await CONTRACT[name](memory)


async def test_many_replicas_start_at_once_and_each_migration_runs_once(settings: Settings) -> None:
    connections = [await plain(settings) for _ in range(8)]
    ran = await asyncio.gather(*(migrate(connection, "e-3", 3) for connection in connections))
    assert sorted(ran) == [[]] * 7 + [["0001_turns"]]
    row = await (await connections[0].execute("SELECT count(*) FROM sherlock.migrations")).fetchone()
    assert row == (1,)
    for connection in connections:
        await connection.close()


async def test_what_is_remembered_outlives_the_process(settings: Settings) -> None:
    async with connected(settings) as memory:
        await say(memory, "s", "my dog is Rex")
    async with connected(settings) as memory:
        assert (await memory.recall("s", embed("who is my dog", 384))).memories[0].message == "my dog is Rex"


async def test_a_role_without_the_right_to_create_is_enough_for_a_prepared_database(
    settings: Settings,
) -> None:
    async with await plain(settings) as admin:
        await admin.execute("CREATE EXTENSION vector")
        await admin.execute("CREATE ROLE plain_role")
        try:
            await admin.execute("CREATE SCHEMA sherlock AUTHORIZATION plain_role")
            await admin.execute("SET ROLE plain_role")
            assert await migrate(admin, "e-3", 3) == ["0001_turns"]
            await admin.execute("RESET ROLE")
        finally:
            await admin.execute("DROP OWNED BY plain_role CASCADE")
            await admin.execute("DROP ROLE plain_role")


async def test_another_embedder_has_an_index_and_memories_of_its_own(settings: Settings) -> None:
    async with connected(settings, 384) as memory:
        await say(memory, "s", "my dog is Rex")
    async with connected(settings, 64) as other:
        assert (await other.recall("s", embed("my dog is Rex", 64))).memories == ()
        # The latest turns do not depend on the embedder.
        assert len((await other.recall("s", embed("my dog is Rex", 64))).history) == 1
    async with await plain(settings) as admin:
        rows = await (
            await admin.execute("SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%hnsw%'")
        ).fetchall()
    assert len(rows) == 2


async def test_a_changed_migration_is_refused(settings: Settings) -> None:
    async with await plain(settings) as admin:
        await migrate(admin, "e-3", 3)
        await admin.execute("UPDATE sherlock.migrations SET sha256 = 'other'")
        with pytest.raises(MigrationError, match="migration 0001_turns was changed after it ran"):
            await migrate(admin, "e-3", 3)


async def test_a_newer_schema_is_refused(settings: Settings) -> None:
    async with await plain(settings) as admin:
        await migrate(admin, "e-3", 3)
        await admin.execute("INSERT INTO sherlock.migrations (name, sha256) VALUES ('9999_future', 'x')")
        with pytest.raises(
            MigrationError, match=r"newer than this program \(it has 9999_future\): run a newer image"
        ):
            await migrate(admin, "e-3", 3)


async def test_a_migration_that_fails_leaves_nothing_behind(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = migrations._files()  # noqa: SLF001 - the list of files is what the test extends
    monkeypatch.setattr(
        migrations, "_files", lambda: files | {"0002_bad": "CREATE TABLE sherlock.half (); SELECT 1/0"}
    )
    async with await plain(settings) as admin:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await migrate(admin, "e-3", 3)
        row = await (await admin.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'sherlock'")).fetchone()
    assert row is None


async def _fill(admin: psycopg.AsyncConnection[Any]) -> None:
    """3000 turns of other sessions that are all nearer than the three of this one."""
    await register_vector_async(admin)
    async with admin.cursor() as cursor:
        copy_to = "COPY sherlock.turns (session_id, message, answer, model, embedder, embedding) FROM STDIN"
        async with cursor.copy(copy_to) as copy:
            for number in range(3000):
                near = Vector([1.0, 0.0001 * number, 0.0])
                await copy.write_row((f"other{number}", "near", "a", "m", "builtin-3", near))
            for number in range(3):
                await copy.write_row(
                    ("mine", f"far{number}", "a", "m", "builtin-3", Vector([1.0, 1.0, number / 10]))
                )
    await admin.execute("ANALYZE sherlock.turns")


async def test_the_index_does_not_hide_a_sessions_rows_behind_those_of_others(settings: Settings) -> None:
    async with connected(settings, 3), await plain(settings) as admin:
        await _fill(admin)
        # Leaves the planner nothing but the HNSW index, as with a table of millions.
        await admin.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        query = Queries("builtin-3", 3).nearest
        values = {"session": "mine", "embedding": Vector([1.0, 0.0, 0.0]), "distance": 2.0, "limit": 3}
        plan = await (await admin.execute("EXPLAIN " + query.as_string(admin), values)).fetchall()
        assert "turns_embedding_3" in str(plan)
        # What happens without the option shows that the test can fail.
        await admin.execute("SET hnsw.iterative_scan = off")
        assert await (await admin.execute(query, values)).fetchall() == []
        await admin.execute("SET hnsw.iterative_scan = strict_order")
        found = await (await admin.execute(query, values)).fetchall()
    assert [row[0] for row in found] == ["far0", "far1", "far2"]


async def test_the_connections_of_the_pool_have_the_option(settings: Settings) -> None:
    async with connected(settings) as memory, memory._connection() as connection:  # noqa: SLF001 - its own setting
        await connection.execute("SELECT '[1]'::vector")
        row = await (await connection.execute("SHOW hnsw.iterative_scan")).fetchone()
    assert row == ("strict_order",)


async def test_the_size_is_measured(settings: Settings) -> None:
    metrics = Metrics()
    memory = PostgresMemory(settings, HashingEmbedder(384), metrics)
    await memory.connect()
    await say(memory, "s", "m")
    await memory.disconnect()
    await memory.connect()
    await memory.disconnect()
    assert metrics.registry.get_sample_value("sherlock_memory_turns") == 1
    size = metrics.registry.get_sample_value("sherlock_memory_bytes")
    assert size is not None
    assert size > 8192


async def test_without_connection_it_says_so(settings: Settings) -> None:
    memory = PostgresMemory(settings, HashingEmbedder(384), Metrics())
    with pytest.raises(MemoryUnavailableError):
        await memory.recall("s", embed("x", 384))


async def test_a_wrong_password_is_named_but_not_shown(postgres: Address, database: str) -> None:
    settings = database_settings(postgres, database, POSTGRES_PASSWORD="wrong-password")
    memory = PostgresMemory(settings, HashingEmbedder(384), Metrics())
    with pytest.raises(psycopg.OperationalError, match="password authentication failed") as caught:
        await memory.connect()
    assert "wrong-password" not in str(caught.value)
