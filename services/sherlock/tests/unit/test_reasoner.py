"""The graph and what surrounds it, with the built-in model and a memory in the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sherlock.errors import (
    DeadlineError,
    InvalidRequestError,
    MemoryUnavailableError,
    ModelError,
    TooBusyError,
)
from sherlock.graph import Nodes, build, storable
from sherlock.memory import Recall
from sherlock.metrics import Metrics
from sherlock.models import ChatModel, Prompt, Usage
from sherlock.models.builtin import BuiltinChat
from sherlock.models.hashing import HashingEmbedder
from sherlock.reasoner import Answer, Limits, Reasoner
from support.memory import ListMemory
from support.settings import make_settings


class GatedChat:
    """Says a word, then waits until it is let go."""

    name = "gated"

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.ended = 0

    async def answer(self, prompt: Prompt, *, stream: bool) -> AsyncGenerator[str | Usage, None]:
        del stream
        try:
            yield prompt.message + "\x00"
            await self.gate.wait()
            yield " done"
            yield Usage(1, 2)
        finally:
            self.ended += 1

    async def aclose(self) -> None: ...


class FailingChat(GatedChat):
    async def answer(self, prompt: Prompt, *, stream: bool) -> AsyncGenerator[str | Usage, None]:
        del prompt, stream
        yield "half"
        message = "the model endpoint answered 500"
        raise ModelError(message, reason="status")


class Made:
    def __init__(self, chat: ChatModel | None = None, limits: Limits | None = None) -> None:
        self.memory = ListMemory(make_settings())
        self.metrics = Metrics()
        self.told: list[Answer] = []
        self.spans = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        chat = chat or BuiltinChat()
        nodes = Nodes(self.memory, chat, HashingEmbedder(64), self.metrics, provider.get_tracer("test"))
        self.reasoner = Reasoner(
            build(nodes), chat.name, limits or Limits(100, 2, 5.0), self.metrics, self.told.append
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


async def collect(made: Made, message: str) -> list[str | Answer]:
    return [piece async for piece in made.reasoner.stream("s", message)]


async def test_it_recalls_reasons_and_remembers() -> None:
    made = Made()
    await made.reasoner.ask("s", "my dog is Rex")
    answer = await made.reasoner.ask("s", "who is my dog?")
    assert answer.answer == "You said: who is my dog?\nI recall:\n- my dog is Rex"
    assert [step["name"] for step in answer.steps] == ["recall", "reason", "remember"]
    assert all(step["ms"] > 0 for step in answer.steps)
    assert [row.message for row in (await made.memory.turns("s", limit=9, before=None)).turns] == [
        "who is my dog?",
        "my dog is Rex",
    ]
    assert made.told[-1] is answer
    assert answer.body().keys() == {"session_id", "answer", "model", "steps"}


async def test_sessions_do_not_know_of_each_other() -> None:
    made = Made()
    await made.reasoner.ask("one", "my dog is Rex")
    assert "Rex" not in (await made.reasoner.ask("two", "who is my dog?")).answer


async def test_a_stream_gives_the_pieces_and_then_the_whole() -> None:
    made = Made()
    *pieces, whole = await collect(made, "ping 4711")
    assert isinstance(whole, Answer)
    assert pieces == ["pong", " 4711"]
    assert whole.answer == "pong 4711"
    assert made.memory.rows[0][1].answer == "pong 4711"


async def test_steps_tokens_and_spans_are_measured() -> None:
    made = Made()
    await made.reasoner.ask("s", "ping 1")
    assert made.value("sherlock_tokens_total", model="builtin", kind="completion") == 2
    assert made.value("sherlock_step_seconds_count", step="reason") == 1
    assert [span.name for span in made.spans.get_finished_spans()] == ["recall", "reason", "remember"]


async def test_no_more_at_once_than_the_limit() -> None:
    chat = GatedChat()
    made = Made(chat)
    first = asyncio.create_task(made.reasoner.ask("s", "a"))
    second = made.reasoner.stream("s", "b")
    assert await anext(second) == "b"
    assert made.value("sherlock_reasoning_running") == 2
    with pytest.raises(TooBusyError, match="2 requests are running already"):
        await made.reasoner.ask("s", "c")
    with pytest.raises(TooBusyError):
        await anext(made.reasoner.stream("s", "c"))
    chat.gate.set()
    assert (await first).answer == "a done"
    assert (await _rest(second))[0] == " done"
    assert (await made.reasoner.ask("s", "c")).answer == "c done"
    assert made.value("sherlock_reasoning_running") == 0


async def test_a_reader_that_leaves_ends_the_model() -> None:
    chat = GatedChat()
    made = Made(chat)
    async with aclosing(made.reasoner.stream("s", "a")) as pieces:
        assert await anext(pieces) == "a"
    async with asyncio.timeout(5):
        while made.value("sherlock_reasoning_running"):
            await asyncio.sleep(0.001)
    assert chat.ended == 1
    assert made.memory.rows == []


async def test_a_stream_can_be_read_by_another_task() -> None:
    pieces = Made().reasoner.stream("s", "ping 5")
    first = await asyncio.create_task(anext(pieces))
    rest = await asyncio.create_task(_rest(pieces))
    assert (first, rest[0]) == ("pong", " 5")


async def _rest(pieces: AsyncGenerator[str | Answer, None]) -> list[str | Answer]:
    return [piece async for piece in pieces]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_takes_too_long(stream: bool) -> None:  # noqa: FBT001 - pytest gives it
    chat = GatedChat()
    made = Made(chat, Limits(100, 2, 0.05))
    with pytest.raises(DeadlineError, match=r"^the answer took longer than 0\.05 s$"):
        await (collect(made, "a") if stream else made.reasoner.ask("s", "a"))
    assert chat.ended == 1
    assert made.memory.rows == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_fails_is_not_remembered(stream: bool) -> None:  # noqa: FBT001 - pytest gives it
    made = Made(FailingChat())
    with pytest.raises(ModelError):
        await (collect(made, "a") if stream else made.reasoner.ask("s", "a"))
    assert made.memory.rows == []
    assert made.told == []
    assert made.value("sherlock_model_failures_total", reason="status") == 1


async def test_a_memory_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made()

    async def fail(*_: object) -> Recall:
        message = "gone"
        raise MemoryUnavailableError(message)

    monkeypatch.setattr(made.memory, "recall", fail)
    with pytest.raises(MemoryUnavailableError):
        await made.reasoner.ask("s", "a")


async def test_messages_have_a_limit() -> None:
    made = Made()
    await made.reasoner.ask("s", "a" * 100)
    with pytest.raises(InvalidRequestError, match=r"^message has 101 characters, the limit is 100$"):
        await made.reasoner.ask("s", "a" * 101)


def test_what_cannot_be_stored_is_left_out() -> None:
    assert storable("a\x00b\ud800c🙂") == "abc🙂"
