from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from support.services import Address, nats_address, postgres_address

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder: a test cannot forget it."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.integration)


@pytest.fixture
def postgres() -> Address:
    return postgres_address()


@pytest.fixture
def nats() -> Address:
    return nats_address()


@pytest.fixture
async def database(postgres: Address) -> AsyncIterator[str]:
    """Make a database of the test's own."""
    name = f"sherlock_{uuid.uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(
        host=postgres.host,
        port=postgres.port,
        user="arc",
        password=postgres.password,
        dbname="postgres",
        autocommit=True,
    ) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
