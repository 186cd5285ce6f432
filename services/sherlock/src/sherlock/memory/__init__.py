"""What the service remembers of each session."""

from sherlock.memory.base import Memory, Page, Recall, StoredTurn

__all__ = ["Memory", "Page", "Recall", "StoredTurn"]
