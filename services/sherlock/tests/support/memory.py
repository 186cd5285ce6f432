"""A memory in the process, for tests without PostgreSQL.

The contract tests run against it and against PostgreSQL alike, so it is no invention of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sherlock.memory import Page, Recall, StoredTurn
from sherlock.models import Turn
from sherlock.settings import Settings


@dataclass
class ListMemory:
    settings: Settings
    rows: list[tuple[str, StoredTurn, list[float]]] = field(default_factory=list)
    last_id: int = 0

    async def recall(self, session_id: str, embedding: list[float]) -> Recall:
        mine = [(row, vector) for session, row, vector in self.rows if session == session_id]
        scored = [
            (sum(a * b for a, b in zip(vector, embedding, strict=True)), Turn(row.message, row.answer))
            for row, vector in mine
        ]
        near = [
            turn
            for score, turn in sorted(scored, key=lambda item: -item[0])[: self.settings.recall_limit]
            if score >= self.settings.recall_min_similarity
        ]
        latest = [Turn(row.message, row.answer) for row, _ in mine][-self.settings.history_turns :]
        return Recall(tuple(dict.fromkeys(near)), tuple(latest))

    async def remember(self, session_id: str, turn: Turn, *, model: str, embedding: list[float]) -> int:
        self.last_id += 1
        stored = StoredTurn(self.last_id, turn.message, turn.answer, model, datetime.now(UTC))
        self.rows.append((session_id, stored, embedding))
        mine = [entry for entry in self.rows if entry[0] == session_id]
        for entry in mine[: -self.settings.session_max_turns]:
            self.rows.remove(entry)
        return self.last_id

    async def turns(self, session_id: str, *, limit: int, before: int | None) -> Page:
        mine = [row for session, row, _ in reversed(self.rows) if session == session_id]
        older = [row for row in mine if before is None or row.id < before]
        return Page(tuple(older[:limit]), len(mine))

    async def forget(self, session_id: str) -> int:
        count = sum(1 for session, _, _ in self.rows if session == session_id)
        self.rows = [entry for entry in self.rows if entry[0] != session_id]
        return count
