"""Makes the models that the configuration names."""

from __future__ import annotations

from sherlock.models.base import ChatModel, Embedder
from sherlock.models.builtin import BuiltinChat
from sherlock.models.endpoint import Endpoint
from sherlock.models.hashing import HashingEmbedder
from sherlock.models.openai import OpenAIChat, OpenAIEmbedder
from sherlock.settings import Settings


def make_chat(settings: Settings) -> ChatModel:
    """Return the chat model of the configuration."""
    if settings.llm_provider == "builtin" or settings.llm_model is None:
        return BuiltinChat()
    return OpenAIChat(
        _endpoint(settings),
        settings.llm_model,
        max_tokens=settings.llm_max_tokens,
        temperature=settings.llm_temperature,
    )


def make_embedder(settings: Settings) -> Embedder:
    """Return the embedding model of the configuration."""
    if settings.embedding_model is None:
        return HashingEmbedder(settings.dimensions)
    return OpenAIEmbedder(_endpoint(settings), settings.embedding_model, settings.dimensions)


def _endpoint(settings: Settings) -> Endpoint:
    key = settings.llm_api_key
    return Endpoint(
        settings.llm_base_url or "",
        key.get_secret_value() if key is not None else None,
        timeout_s=settings.llm_timeout_s,
        retries=settings.llm_retries,
        redact=settings.redactor(),
    )
