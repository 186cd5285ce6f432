"""Dependencies that are lost and come back, through a proxy that cuts real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from sherlock.app import create_app
from sherlock.service import Service
from support.database import database_settings
from support.http import serving
from support.proxy import Proxy, proxy
from support.services import Address

HI = {"session_id": "s", "message": "ping 1"}


@dataclass
class Stack:
    http: httpx.AsyncClient
    postgres: Proxy
    nats: Proxy

    async def until(self, status: int) -> dict[str, dict[str, dict[str, object]]]:
        async with asyncio.timeout(15):
            while (response := await self.http.get("/ready")).status_code != status:
                assert (await self.http.get("/health")).status_code == 200
                await asyncio.sleep(0.02)
        body: dict[str, dict[str, dict[str, object]]] = response.json()
        return body


@pytest.fixture
async def stack(postgres: Address, nats: Address, database: str) -> AsyncIterator[Stack]:
    async with proxy(postgres.pair) as to_postgres, proxy(nats.pair) as to_nats:
        settings = database_settings(
            postgres,
            database,
            postgres_host="127.0.0.1",
            postgres_port=to_postgres.port,
            nats_enabled=True,
            nats_url=f"nats://127.0.0.1:{to_nats.port}",
            NATS_PASSWORD=nats.password,
        )
        app = create_app(Service(settings))
        async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
            made = Stack(http, to_postgres, to_nats)
            await made.until(200)
            yield made


async def test_postgresql_is_lost_and_comes_back(stack: Stack) -> None:
    assert (await stack.http.post("/v1/chat", json=HI)).status_code == 200
    await stack.postgres.cut()
    body = await stack.until(503)
    assert body["dependencies"]["postgres"]["ready"] is False
    assert body["dependencies"]["nats"]["ready"] is True
    refused = await stack.http.post("/v1/chat", json=HI)
    assert (refused.status_code, refused.json()["error"]) == (503, "memory_unavailable")
    assert refused.headers["retry-after"] == "2"
    await stack.postgres.mend()
    await stack.until(200)
    assert (await stack.http.post("/v1/chat", json=HI)).status_code == 200
    assert (await stack.http.get("/v1/sessions/s/memory")).json()["total"] == 2


async def test_requests_in_the_very_moment_of_the_loss_are_503(stack: Stack) -> None:
    requests = [asyncio.create_task(stack.http.post("/v1/chat", json=HI)) for _ in range(20)]
    await asyncio.sleep(0.02)
    await stack.postgres.cut()
    statuses = {response.status_code for response in await asyncio.gather(*requests)}
    assert 503 in statuses
    assert statuses <= {200, 503}


async def test_nats_is_lost_and_comes_back(stack: Stack) -> None:
    await stack.nats.cut()
    body = await stack.until(503)
    assert body["dependencies"]["nats"]["ready"] is False
    # What does not need NATS goes on.
    assert (await stack.http.post("/v1/chat", json=HI)).status_code == 200
    await stack.nats.mend()
    await stack.until(200)
    for _ in range(3):
        await stack.nats.cut()
        await stack.nats.mend()
        await stack.until(503)
        await stack.until(200)


async def test_a_silent_postgresql_is_noticed(stack: Stack) -> None:
    stack.postgres.silent = True
    asked = asyncio.create_task(stack.http.post("/v1/chat", json=HI))
    body = await stack.until(503)
    assert body["dependencies"]["postgres"]["reason"] == "TimeoutError: no answer within 5 s"
    assert (await asked).status_code == 503
    stack.postgres.silent = False
    await stack.until(200)
