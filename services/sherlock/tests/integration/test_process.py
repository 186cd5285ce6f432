"""The process as it runs in the container: starting, stopping, and what it writes."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from support.llm import LLMServer, delta
from support.process import Process, process
from support.proxy import proxy
from support.services import Address

HI = {"session_id": "s", "message": "hi"}


@pytest.fixture
def variables(postgres: Address, nats: Address, database: str) -> dict[str, str]:
    return {
        "SHERLOCK_POSTGRES_HOST": postgres.host,
        "SHERLOCK_POSTGRES_PORT": str(postgres.port),
        "SHERLOCK_POSTGRES_DB": database,
        "POSTGRES_PASSWORD": postgres.password,
        "SHERLOCK_NATS_URL": f"nats://{nats.host}:{nats.port}",
        "NATS_PASSWORD": nats.password,
        "LOG_LEVEL": "debug",
    }


def assert_no_secret(run: Process, *secrets: str) -> None:
    text = "".join(run.output)
    assert text
    assert not [secret for secret in secrets if secret in text]


async def test_it_serves_and_stops(variables: dict[str, str], postgres: Address, nats: Address) -> None:
    async with process(**variables) as run:
        await run.until("/ready", 200)
        answer = await run.http.post("/v1/chat", json={"session_id": "s", "message": "ping tok-7"})
        assert answer.json()["answer"] == "pong tok-7"
        assert await run.stop() < 5
    # Every line is JSON, from the first to the last, and ours have trace ids.
    [answered] = [line for line in run.lines() if line["msg"] == "answered"]
    assert len(answered["trace_id"]) == 32
    assert_no_secret(run, postgres.password, nats.password)


@pytest.mark.parametrize("delay_s", [0.0, 0.01, 0.03, 0.1])
async def test_a_stop_in_the_middle_of_the_start(variables: dict[str, str], delay_s: float) -> None:
    async with process(**variables) as run:
        await run.until("/health", 200)
        await asyncio.sleep(delay_s)
        assert await run.stop() < 5
        assert run.lines()[-1]["msg"].startswith("Finished server process")


async def test_health_is_up_before_the_dependencies(variables: dict[str, str], postgres: Address) -> None:
    async with proxy(postgres.pair) as late:
        await late.cut()
        async with process(**(variables | {"SHERLOCK_POSTGRES_PORT": str(late.port)})) as run:
            await run.until("/health", 200)
            ready = await run.until("/ready", 503)
            assert ready.json()["dependencies"]["postgres"]["ready"] is False
            await late.mend()
            await run.until("/ready", 200)
            await run.stop()


@pytest.mark.parametrize("variable", ["POSTGRES_PASSWORD", "NATS_PASSWORD"])
async def test_a_wrong_password_is_told_and_not_shown(variables: dict[str, str], variable: str) -> None:
    wrong = "wrong-secret-31337"
    async with process(**(variables | {variable: wrong})) as run:
        await run.until("/health", 200)
        name = "postgres" if variable == "POSTGRES_PASSWORD" else "nats"
        async with asyncio.timeout(20):
            while True:
                reason = (await run.http.get("/ready")).json()["dependencies"][name]["reason"].lower()
                if "authentication failed" in reason or "authorization violation" in reason:
                    break
                await asyncio.sleep(0.05)
        assert await run.stop() < 5
    assert_no_secret(run, wrong)


async def test_what_is_at_work_is_finished_before_the_stop(variables: dict[str, str], llm: LLMServer) -> None:
    endpoint = {
        "SHERLOCK_LLM_PROVIDER": "openai",
        "SHERLOCK_LLM_BASE_URL": llm.url,
        "SHERLOCK_LLM_MODEL": "m",
    }
    async with process(**(variables | endpoint)) as run:
        await run.until("/ready", 200)
        llm.plan = [2.0, [delta("slow"), 2.0, delta("ly"), delta(finish="stop")]]
        whole = asyncio.create_task(run.http.post("/v1/chat", json=HI))
        while len(llm.requests) < 1:
            await asyncio.sleep(0.01)
        stream = asyncio.create_task(run.http.post("/v1/chat", json=HI | {"stream": True}))
        while len(llm.requests) < 2:
            await asyncio.sleep(0.01)
        assert 1.0 < await run.stop() < 10
        assert (await whole).json()["answer"] == "Hello"
        assert '"answer": "slowly"' in (await stream).text


async def test_what_does_not_end_is_given_up_within_ten_seconds(
    variables: dict[str, str], llm: LLMServer
) -> None:
    endpoint = {
        "SHERLOCK_LLM_PROVIDER": "openai",
        "SHERLOCK_LLM_BASE_URL": llm.url,
        "SHERLOCK_LLM_MODEL": "m",
    }
    async with process(**(variables | endpoint)) as run:
        await run.until("/ready", 200)
        llm.plan = [60.0]
        never = asyncio.create_task(run.http.post("/v1/chat", json=HI))
        while not llm.requests:
            await asyncio.sleep(0.01)
        assert await run.stop() < 10
        with pytest.raises(httpx.TransportError):
            await never


async def test_a_port_that_is_taken_is_one_clear_line(variables: dict[str, str]) -> None:
    async with process(**variables) as first:
        await first.until("/health", 200)
        taken = {"SHERLOCK_PORT": str(first.http.base_url.port)}
        async with process(**(variables | taken)) as second:
            assert await asyncio.wait_for(second.process.wait(), 20) == 1
            [line] = second.lines()
            assert (line["level"], line["reason"]) == ("error", "Address already in use")
            assert "SHERLOCK_PORT" in line["msg"]
        await first.stop()
