"""The reasoning graph: recall -> reason -> remember."""

from __future__ import annotations

import operator
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StreamWriter
from opentelemetry.trace import Tracer

from sherlock.memory import Memory, Recall
from sherlock.metrics import Metrics
from sherlock.models import ChatModel, Embedder, Prompt, Turn, Usage


class Step(TypedDict):
    """A step that was taken, with its time in milliseconds."""

    name: str
    ms: float


class Question(TypedDict):
    """What goes in."""

    session_id: str
    message: str
    stream: bool


class Learned(TypedDict):
    """What comes out."""

    answer: str
    turn_id: int
    steps: list[Step]


class State(Question):
    """What the steps hand on to each other."""

    embedding: list[float]
    recall: Recall
    answer: str
    turn_id: int
    steps: Annotated[list[Step], operator.add]


class Update(TypedDict, total=False):
    """What a step adds to the state."""

    embedding: list[float]
    recall: Recall
    answer: str
    turn_id: int
    steps: list[Step]


_Work = Callable[[State, StreamWriter], Awaitable[Update]]


class Nodes:
    """The steps with what they work on."""

    def __init__(
        self, memory: Memory, chat: ChatModel, embedder: Embedder, metrics: Metrics, tracer: Tracer
    ) -> None:
        """Keep the parts.

        Args:
            memory: to recall from and to remember in.
            chat: the model that answers.
            embedder: the model that compares.
            metrics: get the steps' times and the tokens.
            tracer: gets a span for each step.
        """
        self._memory = memory
        self._chat = chat
        self._embedder = embedder
        self._metrics = metrics
        self._tracer = tracer

    async def recall(self, state: State, writer: StreamWriter) -> Update:
        """Find what was said before that resembles the message."""
        return await self._timed("recall", self._recall, state, writer)

    async def reason(self, state: State, writer: StreamWriter) -> Update:
        """Let the model answer; its pieces go to the writer when the question asks for a stream."""
        return await self._timed("reason", self._reason, state, writer)

    async def remember(self, state: State, writer: StreamWriter) -> Update:
        """Store message and answer."""
        return await self._timed("remember", self._remember, state, writer)

    async def _recall(self, state: State, _writer: StreamWriter) -> Update:
        embedding = await self._embedder.embed(state["message"])
        return {"embedding": embedding, "recall": await self._memory.recall(state["session_id"], embedding)}

    async def _reason(self, state: State, writer: StreamWriter) -> Update:
        recall = state["recall"]
        prompt = Prompt(state["message"], recall.memories, recall.history)
        parts: list[str] = []
        async with aclosing(self._chat.answer(prompt, stream=state["stream"])) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    self._metrics.tokens.labels(self._chat.name, "prompt").inc(piece.prompt)
                    self._metrics.tokens.labels(self._chat.name, "completion").inc(piece.completion)
                elif text := storable(piece):
                    parts.append(text)
                    if state["stream"]:
                        writer(text)
        return {"answer": "".join(parts)}

    async def _remember(self, state: State, _writer: StreamWriter) -> Update:
        turn = Turn(state["message"], state["answer"])
        number = await self._memory.remember(
            state["session_id"], turn, model=self._chat.name, embedding=state["embedding"]
        )
        return {"turn_id": number}

    async def _timed(self, name: str, work: _Work, state: State, writer: StreamWriter) -> Update:
        started = time.perf_counter()
        with self._tracer.start_as_current_span(name):
            update = await work(state, writer)
        seconds = time.perf_counter() - started
        self._metrics.step_seconds.labels(name).observe(seconds)
        return {**update, "steps": [{"name": name, "ms": round(seconds * 1000, 3)}]}


def build(nodes: Nodes) -> CompiledStateGraph[State, None, Question, Learned]:
    """Connect the steps.

    Args:
        nodes: the steps.

    Returns:
        The graph, to be run with a `Question`; it streams pieces of the answer as `custom` events.
    """
    graph = StateGraph(State, input_schema=Question, output_schema=Learned)
    graph.add_node("recall", nodes.recall)
    graph.add_node("reason", nodes.reason)
    graph.add_node("remember", nodes.remember)
    graph.add_edge(START, "recall")
    graph.add_edge("recall", "reason")
    graph.add_edge("reason", "remember")
    graph.add_edge("remember", END)
    return graph.compile()


def storable(text: str) -> str:
    """Return the text without what neither PostgreSQL nor UTF-8 can hold (NUL, lone surrogates)."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
