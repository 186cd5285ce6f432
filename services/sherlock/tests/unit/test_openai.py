from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import Response

from sherlock.errors import ModelError
from sherlock.models import Prompt, Turn, Usage
from sherlock.models.endpoint import Endpoint
from sherlock.models.openai import OpenAIChat, OpenAIEmbedder, messages
from sherlock.redact import Redactor
from support.llm import DONE, LLMServer, delta

KEY = "sk-secret-key"


def make_endpoint(url: str, *, retries: int = 2, timeout_s: float = 5.0) -> Endpoint:
    return Endpoint(url, KEY, timeout_s=timeout_s, retries=retries, redact=Redactor([KEY]))


@pytest.fixture
async def endpoint(llm: LLMServer) -> AsyncIterator[Endpoint]:
    made = make_endpoint(llm.url)
    yield made
    await made.aclose()


def make_chat(
    endpoint: Endpoint, max_tokens: int | None = None, temperature: float | None = None
) -> OpenAIChat:
    return OpenAIChat(endpoint, "the-model", max_tokens=max_tokens, temperature=temperature)


async def collect(chat: OpenAIChat, *, stream: bool, prompt: Prompt | None = None) -> list[str | Usage]:
    return [piece async for piece in chat.answer(prompt or Prompt("hi"), stream=stream)]


async def test_a_whole_answer(llm: LLMServer, endpoint: Endpoint) -> None:
    chat = make_chat(endpoint, max_tokens=5, temperature=0.5)
    assert await collect(chat, stream=False) == ["Hello", Usage(11, 7)]
    assert llm.keys == [f"Bearer {KEY}"]
    assert {key: llm.requests[0][key] for key in ("model", "max_tokens", "temperature")} == {
        "model": "the-model",
        "max_tokens": 5,
        "temperature": 0.5,
    }


async def test_a_streamed_answer(llm: LLMServer, endpoint: Endpoint) -> None:
    assert await collect(make_chat(endpoint), stream=True) == ["Hel", "lo", Usage(11, 7)]
    assert llm.requests[0]["stream"] is True
    assert "max_tokens" not in llm.requests[0]


async def test_pieces_arrive_when_they_are_sent(llm: LLMServer, endpoint: Endpoint) -> None:
    llm.plan = [[delta("first"), 30.0, delta("never")]]
    answer = make_chat(endpoint).answer(Prompt("hi"), stream=True)
    async with asyncio.timeout(5):
        assert await anext(answer) == "first"
        await answer.aclose()
        while llm.at_work:
            await asyncio.sleep(0.01)
    assert llm.abandoned == 1


async def test_an_end_without_done_but_with_a_finish_reason_is_complete(
    llm: LLMServer, endpoint: Endpoint
) -> None:
    llm.plan = [[delta("all"), delta(finish="stop")]]
    assert await collect(make_chat(endpoint), stream=True) == ["all", Usage(0, 0)]


def test_the_model_sees_memories_history_and_message() -> None:
    history = (Turn("q1", "a1"), Turn("q2", "a2"))
    sent = messages(Prompt("now", memories=(Turn("old", "fact"), history[0]), history=history))
    assert [(item["role"], item["content"]) for item in sent[1:]] == [
        ("user", "q1"),
        ("assistant", "a1"),
        ("user", "q2"),
        ("assistant", "a2"),
        ("user", "now"),
    ]
    assert "- old -> fact" in sent[0]["content"]
    assert "q1" not in sent[0]["content"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_transient_refusal_is_tried_again(
    llm: LLMServer,
    endpoint: Endpoint,
    status: int,
    stream: bool,  # noqa: FBT001 - pytest gives it
) -> None:
    llm.plan = [
        Response("busy", status, {"Retry-After": "0"}),
        Response("busy", status, {"Retry-After": "0"}),
    ]
    assert (
        "".join(p for p in await collect(make_chat(endpoint), stream=stream) if isinstance(p, str)) == "Hello"
    )
    assert len(llm.requests) == 3


async def test_after_the_last_attempt_the_refusal_is_told(llm: LLMServer, endpoint: Endpoint) -> None:
    llm.plan = [Response(f"quota\n  of {KEY} used up", 429, {"Retry-After": "0"})] * 3
    with pytest.raises(ModelError) as caught:
        await collect(make_chat(endpoint), stream=False)
    assert caught.value.message == "the model endpoint answered 429: quota of *** used up"
    assert (caught.value.reason, caught.value.status, len(llm.requests)) == ("status", 502, 3)


@pytest.mark.parametrize("status", [301, 400, 401, 404])
async def test_other_refusals_are_not_tried_again(llm: LLMServer, endpoint: Endpoint, status: int) -> None:
    llm.plan = [Response("no", status, {"Location": "http://127.0.0.1:1/"})]
    with pytest.raises(ModelError, match=f"^the model endpoint answered {status}: no$"):
        await collect(make_chat(endpoint), stream=True)
    assert len(llm.requests) == 1


async def test_a_pause_that_the_endpoint_asks_for_is_kept(llm: LLMServer, endpoint: Endpoint) -> None:
    llm.plan = [Response("busy", 429, {"Retry-After": "1"})]
    started = asyncio.get_running_loop().time()
    await collect(make_chat(endpoint), stream=False)
    assert 1.0 <= asyncio.get_running_loop().time() - started < 5


async def test_an_endpoint_that_is_not_there() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound but not listening: refused, and nobody else can take it
        endpoint = make_endpoint(f"http://127.0.0.1:{held.getsockname()[1]}/v1", retries=1)
        with pytest.raises(ModelError, match=r"^the model endpoint cannot be reached \(.+\)$") as caught:
            await collect(make_chat(endpoint), stream=False)
        await endpoint.aclose()
    assert caught.value.reason == "connect"


async def test_an_endpoint_that_is_slow_is_not_asked_twice(llm: LLMServer) -> None:
    llm.plan = [3.0]
    endpoint = make_endpoint(llm.url, timeout_s=0.2)
    with pytest.raises(ModelError, match=r"^the model endpoint did not answer in time$") as caught:
        await collect(make_chat(endpoint), stream=False)
    await endpoint.aclose()
    assert (caught.value.reason, len(llm.requests)) == ("timeout", 1)


BROKEN_STREAMS: dict[str, tuple[list[Any], str]] = {
    "cut off": ([delta("a"), RuntimeError("crash")], "connection to the model endpoint broke"),
    "ended early": ([delta("a")], "ended its stream before the answer was complete"),
    "no JSON": (["{"], "sent an event that is not JSON"),
    "no object": (["[1]"], "sent an event that is not a JSON object"),
    "an error": (
        [{"error": {"message": f"key {KEY} is out of credit"}}],
        "reported .*key \\*\\*\\* is out of credit",
    ),
    "no delta": ([{"choices": [{"text": "a"}]}], "without choices\\[0\\].delta"),
    "odd choices": ([{"choices": 5}], "without choices\\[0\\].delta"),
    "nothing": ([delta(finish="stop"), DONE], "gave an empty answer"),
    "without end": ([delta("a" * 150_000), delta("a" * 150_000)], "answered more than 200000 characters"),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", BROKEN_STREAMS)
async def test_a_broken_stream(llm: LLMServer, endpoint: Endpoint, name: str) -> None:
    events, expected = BROKEN_STREAMS[name]
    llm.plan = [events]
    with pytest.raises(ModelError, match=expected) as caught:
        await collect(make_chat(endpoint), stream=True)
    assert caught.value.reason == "protocol"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<html>", "answered what is not JSON"),
        ("[]", "answered JSON that is not an object"),
        ('{"choices": []}', r"without choices\[0\]\.message\.content"),
        ('{"choices": [{"message": {"content": null}}]}', "gave an empty answer"),
    ],
)
async def test_a_whole_answer_that_is_none(
    llm: LLMServer, endpoint: Endpoint, body: str, expected: str
) -> None:
    llm.plan = [Response(body)]
    with pytest.raises(ModelError, match=expected):
        await collect(make_chat(endpoint), stream=False)


async def test_embeddings_are_brought_to_length_one(llm: LLMServer, endpoint: Endpoint) -> None:
    embedder = OpenAIEmbedder(endpoint, "e", 3)
    assert await embedder.embed("text") == [0.6, 0.8, 0.0]
    assert llm.requests == [{"model": "e", "input": "text"}]
    assert embedder.name == "e-3"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"data": []}', r"without data\[0\]\.embedding"),
        ('{"data": [{"embedding": ["x"]}]}', r"without data\[0\]\.embedding"),
        ('{"data": [{"embedding": [1, 2]}]}', "gave 2 numbers, but SHERLOCK_EMBEDDING_DIMENSIONS is 3"),
        ('{"data": [{"embedding": [0, 0, 0]}]}', "of no direction"),
        ('{"data": [{"embedding": [1, NaN, 0]}]}', "of no direction"),
    ],
)
async def test_embeddings_that_are_none(llm: LLMServer, endpoint: Endpoint, body: str, expected: str) -> None:
    llm.plan = [Response(body)]
    with pytest.raises(ModelError, match=expected):
        await OpenAIEmbedder(endpoint, "e", 3).embed("text")
