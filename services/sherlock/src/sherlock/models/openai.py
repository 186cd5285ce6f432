"""Chat and embeddings of any endpoint that speaks OpenAI's HTTP interface."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx

from sherlock.models.base import Prompt, Usage
from sherlock.models.endpoint import Endpoint

_SYSTEM = "You are Sherlock, the reasoning service of the A.R.C. platform. Answer briefly and precisely."
_RECALLED = "What was said earlier in this session and resembles the question (may be of use or not):"
_LONGEST_ANSWER = 200_000


class OpenAIChat:
    """Chat completions."""

    def __init__(
        self, endpoint: Endpoint, model: str, *, max_tokens: int | None, temperature: float | None
    ) -> None:
        """Keep what each request says.

        Args:
            endpoint: where to ask.
            model: the model's name there.
            max_tokens: the most tokens of an answer; None leaves it to the endpoint.
            temperature: None leaves it to the endpoint.
        """
        self.name = model
        self._endpoint = endpoint
        options = {"max_tokens": max_tokens, "temperature": temperature}
        self._options = {key: value for key, value in options.items() if value is not None}

    async def answer(self, prompt: Prompt, *, stream: bool) -> AsyncGenerator[str | Usage, None]:
        """Yield the endpoint's answer; see `ChatModel.answer`."""
        body = {"model": self.name, "messages": messages(prompt), **self._options}
        written = 0
        usage: Usage | None = None
        async with aclosing(self._streamed(body) if stream else self._whole(body)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    usage = piece
                    continue
                written += len(piece)
                if written > _LONGEST_ANSWER:
                    self._endpoint.fail(f"answered more than {_LONGEST_ANSWER} characters")
                yield piece
        if written == 0:
            self._endpoint.fail("gave an empty answer")
        yield usage or Usage(0, 0)

    async def _whole(self, body: dict[str, Any]) -> AsyncGenerator[str | Usage, None]:
        answer = await self._endpoint.post("/chat/completions", body)
        try:
            text = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            self._endpoint.fail("gave an answer without choices[0].message.content")
        if isinstance(text, str) and text:
            yield text
        if (usage := _usage(answer)) is not None:
            yield usage

    async def _streamed(self, body: dict[str, Any]) -> AsyncGenerator[str | Usage, None]:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        finished = False
        async with self._endpoint.open("/chat/completions", body) as response, self._endpoint.reading():
            async for data in _events(response):
                if data == "[DONE]":
                    return
                chunk = self._chunk(data)
                if (usage := _usage(chunk)) is not None:
                    yield usage
                text, end = self._delta(chunk)
                finished = finished or end
                if text:
                    yield text
        if not finished:
            self._endpoint.fail("ended its stream before the answer was complete")

    def _chunk(self, data: str) -> dict[str, Any]:
        try:
            chunk = json.loads(data)
        except ValueError:
            self._endpoint.fail("sent an event that is not JSON")
        if not isinstance(chunk, dict):
            self._endpoint.fail("sent an event that is not a JSON object")
        if chunk.get("error"):
            self._endpoint.fail(f"reported {json.dumps(chunk['error'], ensure_ascii=False)}")
        return chunk

    def _delta(self, chunk: dict[str, Any]) -> tuple[str, bool]:
        """Return the chunk's text and whether it says that the answer is complete."""
        choices = chunk.get("choices")
        if not choices:  # the chunk with the usage has none
            return "", False
        try:
            return str(choices[0]["delta"].get("content") or ""), choices[0].get("finish_reason") is not None
        except (KeyError, IndexError, TypeError, AttributeError):
            self._endpoint.fail("sent an event without choices[0].delta")

    async def aclose(self) -> None:
        """Close connections."""
        await self._endpoint.aclose()


class OpenAIEmbedder:
    """Embeddings."""

    def __init__(self, endpoint: Endpoint, model: str, dimensions: int) -> None:
        """Keep what each request says.

        Args:
            endpoint: where to ask.
            model: the model's name there.
            dimensions: the length of its vectors.
        """
        self.name = f"{model}-{dimensions}"
        self.dimensions = dimensions
        self._endpoint = endpoint
        self._model = model

    async def embed(self, text: str) -> list[float]:
        """Return the endpoint's vector, brought to length 1; see `Embedder.embed`."""
        answer = await self._endpoint.post("/embeddings", {"model": self._model, "input": text})
        try:
            vector = [float(value) for value in answer["data"][0]["embedding"]]
        except (KeyError, IndexError, TypeError, ValueError):
            self._endpoint.fail("gave an answer without data[0].embedding")
        if len(vector) != self.dimensions:
            what = f"gave {len(vector)} numbers, but SHERLOCK_EMBEDDING_DIMENSIONS is {self.dimensions}"
            self._endpoint.fail(what)
        length = math.sqrt(math.fsum(value * value for value in vector))
        if not math.isfinite(length) or length == 0.0:
            self._endpoint.fail("gave a vector of no direction")
        return [value / length for value in vector]

    async def aclose(self) -> None:
        """Close connections."""
        await self._endpoint.aclose()


def messages(prompt: Prompt) -> list[dict[str, str]]:
    """Return the messages of a chat completion: what is recalled, the latest turns, the message."""
    recalled = [turn for turn in prompt.memories if turn not in prompt.history]
    system = _SYSTEM
    if recalled:
        system += "\n\n" + _RECALLED + "".join(f"\n- {turn.message} -> {turn.answer}" for turn in recalled)
    spoken = [
        {"role": role, "content": text}
        for turn in prompt.history
        for role, text in (("user", turn.message), ("assistant", turn.answer))
    ]
    return [{"role": "system", "content": system}, *spoken, {"role": "user", "content": prompt.message}]


async def _events(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the data of each server-sent event; comments and other fields are passed over."""
    data: list[str] = []
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data = []
    if data:
        yield "\n".join(data)


def _usage(answer: dict[str, Any]) -> Usage | None:
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return Usage(read, written) if isinstance(read, int) and isinstance(written, int) else None
