"""Models: the built-in deterministic one, and any OpenAI-compatible endpoint."""

from sherlock.models.base import ChatModel, Embedder, Prompt, Turn, Usage

__all__ = ["ChatModel", "Embedder", "Prompt", "Turn", "Usage"]
