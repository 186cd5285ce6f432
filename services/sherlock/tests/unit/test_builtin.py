from __future__ import annotations

import pytest

from sherlock.models import Prompt, Turn, Usage
from sherlock.models.builtin import BuiltinChat, compose


async def collect(prompt: Prompt, *, stream: bool) -> tuple[list[str], list[Usage]]:
    pieces = [piece async for piece in BuiltinChat().answer(prompt, stream=stream)]
    return [p for p in pieces if isinstance(p, str)], [p for p in pieces if isinstance(p, Usage)]


@pytest.mark.parametrize("message", ["ping 7f3a", "  PING 7f3a\n", "please ping 7f3a now", "ping two 7f3a"])
def test_the_answer_holds_the_token(message: str) -> None:
    assert "7f3a" in compose(Prompt(message))


def test_ping_is_answered_by_pong() -> None:
    assert compose(Prompt("ping abc")) == "pong abc"


def test_the_answer_holds_the_words_and_the_memories() -> None:
    memories = (Turn("my dog is\nRex", "-"), Turn("x" * 500, "-"))
    answer = compose(Prompt("what is my dog?", memories))
    assert "what is my dog?" in answer
    assert "my dog is Rex" in answer
    assert "x" * 200 + "…" in answer
    assert "x" * 201 not in answer


@pytest.mark.parametrize("message", ["hi", " two  spaces ", "line\nbreak", "tabs\tand\u00a0more", "ping 1"])
async def test_a_stream_is_the_same_answer_in_pieces(message: str) -> None:
    prompt = Prompt(message, (Turn("one two", "three"),))
    pieces, usages = await collect(prompt, stream=True)
    whole, _ = await collect(prompt, stream=False)
    assert "".join(pieces) == "".join(whole) == compose(prompt)
    assert len(pieces) == len(compose(prompt).split())
    assert usages == [Usage(len(message.split()) + 2, len(compose(prompt).split()))]
