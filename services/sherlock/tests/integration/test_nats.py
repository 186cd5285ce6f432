"""Request and reply, and events, over a real NATS server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import StreamConfig

from sherlock.bus import REQUESTS
from sherlock.events import ANSWERED
from support.app import Running, running
from support.llm import LLMServer
from support.services import Address

STREAM = "SHERLOCK_TEST"


@pytest.fixture
async def client(nats: Address) -> AsyncIterator[Client]:
    made = Client()
    await made.connect(f"nats://{nats.host}:{nats.port}", user="arc", password=nats.password)
    yield made
    await made.close()


@asynccontextmanager
async def ready(nats: Address, **settings: object) -> AsyncIterator[Running]:
    ours: dict[str, object] = {
        "nats_enabled": True,
        "nats_url": f"nats://{nats.host}:{nats.port}",
        "NATS_PASSWORD": nats.password,
    }
    async with running(**(ours | settings)) as app:
        async with asyncio.timeout(10):
            while not app.service.readiness.ready:
                await asyncio.sleep(0.01)
        yield app


async def ask(client: Client, **body: object) -> dict[str, Any]:
    reply = await client.request(REQUESTS, json.dumps(body).encode(), timeout=10)
    answer = json.loads(reply.data)
    assert isinstance(answer, dict)
    return answer


async def test_a_request_is_answered_with_the_same_json_as_over_http(nats: Address, client: Client) -> None:
    async with ready(nats) as app:
        answer = await ask(client, session_id="s", message="ping tok-3")
        assert list(answer) == ["session_id", "answer", "model", "steps"]
        assert answer["answer"] == "pong tok-3"
        # Both share the memory.
        assert (await app.http.get("/v1/sessions/s/memory")).json()["total"] == 1
        async with asyncio.timeout(5):
            while not app.value(
                "sherlock_requests_total", transport="nats", method="request", route=REQUESTS, status="200"
            ):
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        (b"{", 422, "the request is not JSON"),
        (b"\xff", 422, "the request is not JSON"),
        (b"[" * 100_000, 422, "the request is not JSON"),
        (b'{"session_id": "s"}', 422, "message: Field required"),
        (b'{"session_id": "s", "message": "a", "stream": true}', 422, "stream: not over NATS"),
        (b'{"session_id": "s", "message": "%s"}' % (b"x" * 8001), 422, "8001 characters"),
        (b"x" * 200_000, 422, "limit is 131072"),
    ],
)
async def test_errors_are_replies_too(
    nats: Address, client: Client, data: bytes, status: int, text: str
) -> None:
    async with ready(nats):
        reply = json.loads((await client.request(REQUESTS, data, timeout=10)).data)
        assert (reply["status"], reply["error"]) == (status, "invalid_request")
        assert text in reply["message"]


async def test_a_bug_is_a_reply_too(nats: Address, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> int:
        message = "a detail"
        raise RuntimeError(message)

    async with ready(nats) as app:
        monkeypatch.setattr(app.service.memory, "remember", fail)
        reply = await ask(client, session_id="s", message="hi")
    assert reply == {"error": "internal", "message": "internal error", "status": 500}


async def test_replicas_share_the_requests(nats: Address, client: Client) -> None:
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(ready(nats, max_concurrency=60)) for _ in range(2)]
        answers = await asyncio.gather(
            *(ask(client, session_id="s", message=f"ping t{n}") for n in range(60))
        )
        assert {answer["answer"] for answer in answers} == {f"pong t{n}" for n in range(60)}
        shares = [(await app.http.get("/v1/sessions/s/memory")).json()["total"] for app in replicas]
    assert sum(shares) == 60
    assert min(shares) > 5


async def test_requests_are_worked_on_at_once(nats: Address, client: Client, llm: LLMServer) -> None:
    settings = {"llm_provider": "openai", "llm_base_url": llm.url, "llm_model": "m"}
    async with ready(nats, **settings, max_concurrency=3):
        llm.plan = [1.0, 1.0, 1.0]
        loop = asyncio.get_running_loop()
        started = loop.time()
        answers = await asyncio.gather(*(ask(client, session_id="s", message="hi") for _ in range(4)))
        assert loop.time() - started < 2.5
    assert sorted(answer.get("error", "-") for answer in answers) == ["-", "-", "-", "too_busy"]


async def test_the_event_reaches_subscribers_without_any_stream(nats: Address, client: Client) -> None:
    subscription = await client.subscribe(ANSWERED)
    await client.flush()
    async with ready(nats) as app:
        await ask(client, session_id="s", message="ping tok-4")
        event = json.loads((await subscription.next_msg(5)).data)
        assert (event["session_id"], event["answer"], event["turn_id"]) == ("s", "pong tok-4", 1)
        assert event["at"].endswith("+00:00")
        async with asyncio.timeout(5):
            while not app.value("sherlock_events_total", outcome="sent"):
                await asyncio.sleep(0.01)
        # Nothing is broken by the absent stream.
        assert (await ask(client, session_id="s", message="ping tok-5"))["answer"] == "pong tok-5"


async def test_the_event_is_stored_when_the_stream_is_there(nats: Address, client: Client) -> None:
    stream = client.jetstream()
    await stream.add_stream(StreamConfig(STREAM, subjects=[ANSWERED]))
    try:
        async with ready(nats) as app:
            response = await app.http.post("/v1/chat", json={"session_id": "s", "message": "ping tok-6"})
            assert response.status_code == 200
            async with asyncio.timeout(5):
                while not app.value("sherlock_events_total", outcome="stored"):
                    await asyncio.sleep(0.01)
        stored = await stream.get_last_msg(STREAM, ANSWERED)
        assert stored.data is not None
        assert json.loads(stored.data)["answer"] == "pong tok-6"
    finally:
        await stream.delete_stream(STREAM)


async def test_a_stream_that_vanishes_breaks_nothing(nats: Address, client: Client) -> None:
    stream = client.jetstream()
    await stream.add_stream(StreamConfig(STREAM, subjects=[ANSWERED]))
    async with ready(nats) as app:
        for outcome in ("stored", "failed", "sent"):
            assert (await ask(client, session_id="s", message="ping tok-8"))["answer"] == "pong tok-8"
            async with asyncio.timeout(5):
                while not app.value("sherlock_events_total", outcome=outcome):
                    await asyncio.sleep(0.01)
            if outcome == "stored":
                await stream.delete_stream(STREAM)


async def test_a_request_at_work_is_answered_before_the_stop(
    nats: Address, client: Client, llm: LLMServer
) -> None:
    llm.plan = [1.0]
    settings = {"llm_provider": "openai", "llm_base_url": llm.url, "llm_model": "m"}
    async with ready(nats, **settings) as app:
        asked = asyncio.create_task(ask(client, session_id="s", message="hi"))
        while not llm.requests:
            await asyncio.sleep(0.01)
        await app.service.drain()
        assert (await asked)["answer"] == "Hello"
        # Nobody listens any more.
        with pytest.raises(Exception, match="no responders"):
            await ask(client, session_id="s", message="hi")


async def test_a_trace_goes_on_from_the_message(
    nats: Address, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    from sherlock import logs  # noqa: PLC0415 - only here
    from sherlock.redact import Redactor  # noqa: PLC0415 - only here

    del capsys
    trace = "0af7651916cd43dd8448eb211c80319c"
    done = asyncio.Event()
    lines: list[str] = []

    class Lines:
        def write(self, text: str) -> int:
            lines.append(text)
            return len(text)

        def flush(self) -> None: ...

    logs.configure("info", Redactor(), Lines())  # type: ignore[arg-type] # what a handler needs of a stream
    async with ready(nats):

        async def on_reply(_message: Msg) -> None:
            done.set()

        await client.subscribe("sherlock.test.reply", cb=on_reply)
        headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        body = b'{"session_id": "s", "message": "hi"}'
        await client.publish(REQUESTS, body, reply="sherlock.test.reply", headers=headers)
        await asyncio.wait_for(done.wait(), 5)
    answered = [json.loads(line) for line in lines if '"answered"' in line]
    assert [line["trace_id"] for line in answered] == [trace]
