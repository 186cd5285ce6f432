"""Answers questions for every transport: limits them, runs the graph, tells what happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from langgraph.graph.state import CompiledStateGraph

from sherlock.errors import DeadlineError, InvalidRequestError, ModelError, TooBusyError
from sherlock.graph import Learned, Question, State, Step
from sherlock.metrics import Metrics

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    session_id: str
    answer: str
    model: str
    steps: list[Step]
    turn_id: int

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the interface."""
        return {key: value for key, value in asdict(self).items() if key != "turn_id"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a question may cost."""

    message_chars: int
    concurrency: int
    timeout_s: float


class Reasoner:
    """Runs the graph for one question at a time each, for as many at once as the limits allow."""

    def __init__(
        self,
        graph: CompiledStateGraph[State, None, Question, Learned],
        model: str,
        limits: Limits,
        metrics: Metrics,
        answered: Callable[[Answer], None],
    ) -> None:
        """Keep the parts.

        Args:
            graph: what answers.
            model: the name to report.
            limits: what a question may cost.
            metrics: count running requests and failures.
            answered: is told each answer; it must not block.
        """
        self._graph = graph
        self._model = model
        self._limits = limits
        self._metrics = metrics
        self._answered = answered
        self._running = 0
        # The loop itself only has weak references.
        self._tasks: set[asyncio.Task[Answer]] = set()

    async def ask(self, session_id: str, message: str) -> Answer:
        """Answer a question as a whole.

        Args:
            session_id: whose memory to use.
            message: what the user says.

        Returns:
            The answer.

        Raises:
            ServiceError: the kinds in `errors`, each with its status.
        """
        self._check(message)
        self._enter()
        try:
            return await self._run({"session_id": session_id, "message": message, "stream": False}, _ignore)
        finally:
            self._leave()

    async def stream(self, session_id: str, message: str) -> AsyncGenerator[str | Answer, None]:
        """Answer a question piece by piece.

        The graph runs in a task of its own, because the reader of this generator may be another task than
        the one that began it. Closing the generator cancels the task, and with it the request to the model.

        Args:
            session_id: whose memory to use.
            message: what the user says.

        Yields:
            Pieces of the answer, and at the end the whole.

        Raises:
            ServiceError: the kinds in `errors`, each with its status.
        """
        self._check(message)
        # Without bound: an answer is limited, and a slow reader should not hold up the model.
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        question: Question = {"session_id": session_id, "message": message, "stream": True}
        self._enter()
        task = asyncio.create_task(self._run(question, pieces.put_nowait))
        self._tasks.add(task)
        task.add_done_callback(self._leave_task)
        task.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            yield await task
        finally:
            # Not awaited: a web framework that cancels this generator does so again at each await, and what
            # it would hit is LangGraph while it stops the step. The place is free when the task has ended.
            task.cancel()

    async def _run(self, question: Question, emit: Callable[[str], None]) -> Answer:
        """Run the graph and hand its pieces to `emit`."""
        started = time.perf_counter()
        learned: dict[str, Any] = {}
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                # A list of modes gives pairs; the last "values" is the state after the last step.
                async for mode, data in self._graph.astream(question, stream_mode=["custom", "values"]):
                    if mode == "custom":
                        emit(str(data))
                    elif isinstance(data, dict):
                        learned = data
        except TimeoutError:
            message = f"the answer took longer than {self._limits.timeout_s:g} s"
            raise DeadlineError(message) from None
        except ModelError as error:
            self._metrics.model_failures.labels(error.reason).inc()
            _log.warning(
                "model failed", session_id=question["session_id"], reason=error.reason, error=error.message
            )
            raise
        answer = Answer(
            question["session_id"], learned["answer"], self._model, learned["steps"], learned["turn_id"]
        )
        _log.info(
            "answered", session_id=answer.session_id, ms=round((time.perf_counter() - started) * 1000, 1)
        )
        self._answered(answer)
        return answer

    def _check(self, message: str) -> None:
        most = self._limits.message_chars
        if len(message) > most:
            text = f"message has {len(message)} characters, the limit is {most}"
            raise InvalidRequestError(text)

    def _enter(self) -> None:
        if self._running >= self._limits.concurrency:
            text = f"{self._limits.concurrency} requests are running already: try again in a moment"
            raise TooBusyError(text)
        self._running += 1
        self._metrics.running.set(self._running)

    def _leave(self) -> None:
        self._running -= 1
        self._metrics.running.set(self._running)

    def _leave_task(self, task: asyncio.Task[Answer]) -> None:
        self._tasks.discard(task)
        self._leave()
        if not task.cancelled():
            # Looked at here, so that one whose reader has left is not reported as forgotten.
            task.exception()


def _ignore(_piece: str) -> None:
    """Take a piece that nobody wants."""
