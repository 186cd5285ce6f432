"""What the rest of the service asks of a memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sherlock.models import Turn


@dataclass(frozen=True, slots=True)
class Recall:
    """What a message calls to mind.

    Attributes:
        memories: turns that resemble the message, nearest first.
        history: the latest turns, oldest first.
    """

    memories: tuple[Turn, ...] = ()
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn as it is stored."""

    id: int
    message: str
    answer: str
    model: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a session's turns, newest first, and how many there are in all."""

    turns: tuple[StoredTurn, ...]
    total: int


class Memory(Protocol):
    """Stores turns and finds them again. Every method raises MemoryUnavailableError while it cannot."""

    async def recall(self, session_id: str, embedding: list[float]) -> Recall:
        """Find a session's turns near an embedding, and its latest turns.

        Args:
            session_id: the session.
            embedding: unit vector of the message.

        Returns:
            What was found; both may be empty.
        """

    async def remember(self, session_id: str, turn: Turn, *, model: str, embedding: list[float]) -> int:
        """Store a turn, and forget the session's oldest ones beyond its limit.

        Args:
            session_id: the session.
            turn: message and answer.
            model: the name of the model that answered.
            embedding: unit vector of the message.

        Returns:
            The turn's number, higher than those stored before.
        """

    async def turns(self, session_id: str, *, limit: int, before: int | None) -> Page:
        """Return a session's turns, newest first.

        Args:
            session_id: the session.
            limit: the most turns to return.
            before: only turns with a lower number; None begins with the newest.

        Returns:
            The turns; none when the session is not known.
        """

    async def forget(self, session_id: str) -> int:
        """Delete a session and return how many turns it had."""
