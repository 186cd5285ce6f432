"""Settings and plain connections for the test's own database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from sherlock.memory.postgres import PostgresMemory
from sherlock.metrics import Metrics
from sherlock.models.hashing import HashingEmbedder
from sherlock.settings import Settings
from support.services import Address
from support.settings import make_settings


def database_settings(postgres: Address, database: str, **values: object) -> Settings:
    address: dict[str, object] = {
        "postgres_host": postgres.host,
        "postgres_port": postgres.port,
        "postgres_db": database,
        "POSTGRES_PASSWORD": postgres.password,
    }
    return make_settings(**(address | values))


@asynccontextmanager
async def connected(settings: Settings, dimensions: int = 384) -> AsyncIterator[PostgresMemory]:
    memory = PostgresMemory(settings, HashingEmbedder(dimensions), Metrics())
    await memory.connect()
    try:
        yield memory
    finally:
        await memory.disconnect()


async def plain(settings: Settings) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(
        host=settings.postgres_host,
        port=settings.postgres_port,
        user=settings.postgres_user,
        dbname=settings.postgres_db,
        password=settings.postgres_password.get_secret_value(),
        autocommit=True,
    )
