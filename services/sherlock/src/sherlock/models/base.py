"""What every model is asked and answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Turn:
    """One message and its answer."""

    message: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything that a model sees.

    Attributes:
        message: what the user says now.
        memories: the session's turns that resemble the message, nearest first.
        history: the session's latest turns, oldest first.
    """

    message: str
    memories: tuple[Turn, ...] = ()
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written."""

    prompt: int
    completion: int


class ChatModel(Protocol):
    """Answers prompts."""

    @property
    def name(self) -> str:
        """The model's name, as the caller gets to see it."""

    def answer(self, prompt: Prompt, *, stream: bool) -> AsyncGenerator[str | Usage, None]:
        """Yield the answer, then its usage.

        Args:
            prompt: what to answer.
            stream: whether to yield pieces as they come, or the whole at once.

        Yields:
            Pieces of the answer; the usage comes last, exactly once.

        Raises:
            ModelError: when the model cannot answer.
        """

    async def aclose(self) -> None:
        """Close connections."""


class Embedder(Protocol):
    """Turns texts into unit vectors, near to each other for similar texts."""

    @property
    def name(self) -> str:
        """Names the space: vectors of different names must not be compared."""

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""

    async def embed(self, text: str) -> list[float]:
        """Return the text's vector, of length 1.

        Args:
            text: any text.

        Returns:
            As many numbers as `dimensions` says.

        Raises:
            ModelError: when the model cannot embed.
        """

    async def aclose(self) -> None:
        """Close connections."""
