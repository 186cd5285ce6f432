"""The model inside: deterministic, no network, no weights.

It works at once on any machine and its answers can be predicted, so that the stack can be tested end to
end. It is no language model: it repeats what it was told and what it recalls.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

from sherlock.models.base import Prompt, Usage

_PING = re.compile(r"\s*ping\s+(\S+)\s*", re.IGNORECASE)
_PIECES = re.compile(r"\s*\S+\s*?(?=\s|$)")
_LONGEST_MEMORY = 200


class BuiltinChat:
    """Answers with the user's words and the recalled memories."""

    name = "builtin"

    async def answer(self, prompt: Prompt, *, stream: bool) -> AsyncGenerator[str | Usage, None]:
        """Yield the answer word by word, or as a whole; see `ChatModel.answer`."""
        text = compose(prompt)
        for piece in _PIECES.findall(text) if stream else (text,):
            yield piece
            # Lets other requests go on between two words.
            await asyncio.sleep(0)
        read = sum(len(turn.message.split()) for turn in prompt.memories) + len(prompt.message.split())
        yield Usage(prompt=read, completion=len(text.split()))

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


def compose(prompt: Prompt) -> str:
    """Return the answer to a prompt: the same prompt always gives the same answer.

    Args:
        prompt: message and memories; the history does not change the answer.

    Returns:
        `pong TOKEN` for `ping TOKEN`, else the message and what is recalled.
    """
    if match := _PING.fullmatch(prompt.message):
        return f"pong {match[1]}"
    said = f"You said: {prompt.message.strip()}"
    if not prompt.memories:
        return f"{said}\nI recall nothing like it."
    recalled = "\n".join(f"- {_short(turn.message)}" for turn in prompt.memories)
    return f"{said}\nI recall:\n{recalled}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_MEMORY else line[:_LONGEST_MEMORY].rstrip() + "…"
