"""The HTTP interface over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sherlock.models import Turn
from support.app import Running, running
from support.llm import LLMServer, delta


@pytest.fixture
async def app() -> AsyncIterator[Running]:
    async with running(max_message_chars=100, max_body_bytes=1000) as made:
        yield made


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    parsed = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        parsed.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return parsed


async def test_chat(app: Running) -> None:
    response = await app.http.post("/v1/chat", json={"session_id": "s", "message": "ping tok-1"})
    assert response.status_code == 200
    body = response.json()
    assert list(body) == ["session_id", "answer", "model", "steps"]
    assert (body["session_id"], body["answer"], body["model"]) == ("s", "pong tok-1", "builtin")
    assert [step["name"] for step in body["steps"]] == ["recall", "reason", "remember"]


async def test_chat_as_a_stream(app: Running) -> None:
    body = {"session_id": "s", "message": "ping tok-2", "stream": True}
    response = await app.http.post("/v1/chat", json=body)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    *tokens, (last, whole) = events(response.text)
    assert [name for name, _ in tokens] == ["token", "token"]
    assert "".join(data["text"] for _, data in tokens) == whole["answer"] == "pong tok-2"
    assert last == "answer"
    assert list(whole) == ["session_id", "answer", "model", "steps"]


BAD: dict[str, tuple[bytes, int, str, str]] = {
    "no JSON": (b"{", 400, "bad_request", "the body is not JSON"),
    "no object": (b"[]", 422, "invalid_request", "send a JSON object"),
    "nothing": (b"", 422, "invalid_request", "send a JSON object"),
    "no session": (b'{"message": "a"}', 422, "invalid_request", "session_id: Field required"),
    "a bad session": (
        b'{"session_id": "a/b", "message": "a"}',
        422,
        "invalid_request",
        "session_id: 1 to 128 letters",
    ),
    "a newline": (
        b'{"session_id": "a\\n", "message": "a"}',
        422,
        "invalid_request",
        "session_id: 1 to 128 letters",
    ),
    "no message": (b'{"session_id": "a"}', 422, "invalid_request", "message: Field required"),
    "a blank message": (
        b'{"session_id": "a", "message": " "}',
        422,
        "invalid_request",
        "message: must not be blank",
    ),
    "a number": (
        b'{"session_id": "a", "message": 5}',
        422,
        "invalid_request",
        "message: Input should be a valid string",
    ),
    "NUL": (
        b'{"session_id": "a", "message": "a\\u0000"}',
        422,
        "invalid_request",
        "message: must not hold a NUL",
    ),
    "half a character": (b'{"session_id": "a", "message": "\\ud800"}', 422, "invalid_request", "message: "),
    "a typo": (
        b'{"session_id": "a", "message": "a", "steam": true}',
        422,
        "invalid_request",
        "steam: Extra inputs",
    ),
    "a long message": (
        b'{"session_id": "a", "message": "%s"}' % (b"x" * 101),
        422,
        "invalid_request",
        "101 characters",
    ),
    "a long body": (
        b'{"session_id": "a", "message": "%s"}' % (b"x" * 999),
        413,
        "too_large",
        "limit of 1000 bytes",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_requests(app: Running, name: str) -> None:
    body, status, word, text = BAD[name]
    response = await app.http.post("/v1/chat", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]) == (status, word)
    assert text in response.json()["message"]
    assert list(response.json()) == ["error", "message"]


async def test_a_long_body_without_announcement_is_refused(app: Running) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    response = await app.http.post("/v1/chat", content=parts())
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status", "word"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/chat", 405, "method_not_allowed"),
        ("GET", "/v1/sessions/a%20b/memory", 422, "invalid_request"),
        ("GET", "/v1/sessions/a/memory?limit=0", 422, "invalid_request"),
        ("GET", "/v1/sessions/a/memory?before=99999999999999999999", 422, "invalid_request"),
        ("GET", "/docs", 404, "not_found"),
    ],
)
async def test_every_refusal_is_json(app: Running, method: str, path: str, status: int, word: str) -> None:
    response = await app.http.request(method, path)
    assert (response.status_code, response.json()["error"]) == (status, word)


async def test_a_bug_is_a_500_without_details(app: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> int:
        message = "a detail"
        raise RuntimeError(message)

    monkeypatch.setattr(app.service.memory, "forget", fail)
    response = await app.http.delete("/v1/sessions/a/memory")
    assert (response.status_code, response.json()["error"]) == (500, "internal")
    assert "detail" not in response.text


async def test_memory_in_pages_and_forgotten(app: Running) -> None:
    for number in range(5):
        await app.service.memory.remember("s", Turn(f"m{number}", "a"), model="m", embedding=[1.0] * 384)
    first = (await app.http.get("/v1/sessions/s/memory", params={"limit": 3})).json()
    assert ([turn["message"] for turn in first["turns"]], first["total"]) == (["m4", "m3", "m2"], 5)
    second = (
        await app.http.get("/v1/sessions/s/memory", params={"limit": 3, "before": first["next"]})
    ).json()
    assert ([turn["message"] for turn in second["turns"]], second["next"]) == (["m1", "m0"], None)
    assert (await app.http.delete("/v1/sessions/s/memory")).json() == {"session_id": "s", "deleted": 5}
    assert (await app.http.get("/v1/sessions/s/memory")).json()["turns"] == []
    assert (await app.http.delete("/v1/sessions/s/memory")).json() == {"session_id": "s", "deleted": 0}


async def test_what_operators_ask(app: Running) -> None:
    assert (await app.http.get("/health")).json()["status"] == "ok"
    assert (await app.http.get("/ready")).status_code == 200
    info = await app.http.get("/info")
    assert info.json()["model"] == {"provider": "builtin", "name": "builtin"}
    assert app.service.settings.postgres_password.get_secret_value() not in info.text
    openapi = (await app.http.get("/openapi.json")).json()
    assert {"/v1/chat", "/v1/sessions/{session_id}/memory", "/health", "/ready", "/metrics", "/info"} == set(
        openapi["paths"]
    )


async def test_ready_turns_503_while_draining_and_health_does_not(app: Running) -> None:
    app.service.readiness.draining = True
    ready = await app.http.get("/ready")
    assert (ready.status_code, ready.json()["draining"]) == (503, True)
    assert (await app.http.get("/health")).status_code == 200


async def test_metrics(app: Running) -> None:
    await app.http.post("/v1/chat", json={"session_id": "s", "message": "hi"})
    await app.http.get("/v1/sessions/one/memory")
    await app.http.get("/v1/sessions/two/memory")
    await app.http.get("/nothing/a")
    await app.http.request("BREW", "/nothing/b")
    response = await app.http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    lines = set(response.text.splitlines())
    count = 'sherlock_requests_total{method="%s",route="%s",status="%d",transport="http"} %.1f'
    assert count % ("POST", "/v1/chat", 200, 1) in lines
    assert count % ("GET", "/v1/sessions/{session_id}/memory", 200, 2) in lines
    assert count % ("GET", "unmatched", 404, 1) in lines
    assert count % ("other", "unmatched", 404, 1) in lines
    assert 'sherlock_tokens_total{kind="completion",model="builtin"} 8.0' in lines
    assert "process_resident_memory_bytes" in response.text


async def test_too_many_at_once(llm: LLMServer) -> None:
    async with running(**openai(llm), max_concurrency=1) as app:
        llm.plan = [0.5]
        body = {"session_id": "s", "message": "hi"}
        first = asyncio.create_task(app.http.post("/v1/chat", json=body))
        while not llm.requests:
            await asyncio.sleep(0.01)
        refused = await app.http.post("/v1/chat", json=body)
        assert (refused.status_code, refused.json()["error"]) == (429, "too_busy")
        assert refused.headers["retry-after"] == "1"
        assert (await app.http.get("/ready")).status_code == 200
        assert (await first).status_code == 200
        assert (await app.http.post("/v1/chat", json=body)).status_code == 200


def openai(llm: LLMServer) -> dict[str, object]:
    return {"llm_provider": "openai", "llm_base_url": llm.url, "llm_model": "m", "llm_retries": 0}


async def test_a_model_that_fails_is_a_502_with_the_reason(llm: LLMServer) -> None:
    from fastapi import Response  # noqa: PLC0415 - only here

    async with running(**openai(llm), SHERLOCK_LLM_API_KEY="unused") as app:
        for stream in (False, True):
            llm.plan = [Response("no such model", 404)]
            body = {"session_id": "s", "message": "hi", "stream": stream}
            response = await app.http.post("/v1/chat", json=body)
            assert response.status_code == 502
            assert response.json() == {
                "error": "model_failed",
                "message": "the model endpoint answered 404: no such model",
            }


async def test_a_stream_that_breaks_ends_with_an_error_event(llm: LLMServer) -> None:
    async with running(**openai(llm)) as app:
        llm.plan = [[delta("half")]]
        response = await app.http.post("/v1/chat", json={"session_id": "s", "message": "hi", "stream": True})
        assert response.status_code == 200
        assert [name for name, _ in events(response.text)] == ["token", "error"]
        assert events(response.text)[1][1]["error"] == "model_failed"
        assert (await app.http.get("/v1/sessions/s/memory")).json()["turns"] == []


async def test_a_client_that_leaves_ends_the_request_to_the_model(llm: LLMServer) -> None:
    async with running(**openai(llm)) as app:
        llm.plan = [[delta("first"), 60.0]]
        body = {"session_id": "s", "message": "hi", "stream": True}
        async with app.http.stream("POST", "/v1/chat", json=body) as response:
            assert (await anext(response.aiter_text())).startswith("event: token")
            assert app.value("sherlock_reasoning_running") == 1
        async with asyncio.timeout(10):
            while llm.at_work or app.value("sherlock_reasoning_running"):
                await asyncio.sleep(0.01)
        assert llm.abandoned == 1


async def test_tokens_are_sent_on_as_they_come(llm: LLMServer) -> None:
    async with running(**openai(llm)) as app:
        llm.plan = [[delta("a"), 0.4, delta("b"), delta(finish="stop")]]
        loop = asyncio.get_running_loop()
        times: list[float] = []
        body = {"session_id": "s", "message": "hi", "stream": True}
        async with app.http.stream("POST", "/v1/chat", json=body) as response:
            times.extend([loop.time() async for line in response.aiter_lines() if line == "event: token"])
        assert len(times) == 2
        assert times[1] - times[0] > 0.3


async def test_the_endpoint_gets_the_history(llm: LLMServer) -> None:
    async with running(**openai(llm)) as app:
        await app.http.post("/v1/chat", json={"session_id": "s", "message": "one"})
        await app.http.post("/v1/chat", json={"session_id": "s", "message": "two"})
        said = [(item["role"], item["content"]) for item in llm.requests[1]["messages"]]
        assert said[1:] == [("user", "one"), ("assistant", "Hello"), ("user", "two")]
        assert app.value("sherlock_tokens_total", model="m", kind="prompt") == 22


async def test_embeddings_of_the_endpoint(llm: LLMServer) -> None:
    async with running(**openai(llm), embedding_model="e", embedding_dimensions=3) as app:
        response = await app.http.post("/v1/chat", json={"session_id": "s", "message": "one"})
        assert response.status_code == 200
        # Once: the vector of the message serves for recalling and for remembering.
        assert [request["model"] for request in llm.requests] == ["e", "m"]
        assert (await app.http.get("/info")).json()["embedder"] == {"name": "e-3", "dimensions": 3}
