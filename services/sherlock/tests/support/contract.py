"""What every memory does; run against the one in the process and against PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sherlock.memory import Memory
from sherlock.models import Turn
from sherlock.models.hashing import embed

SIZE = 384
# The memory of a contract test keeps 5 turns a session, recalls 2 and shows the latest 3.
LIMITS: dict[str, object] = {"session_max_turns": 5, "recall_limit": 2, "history_turns": 3}


async def say(memory: Memory, session: str, message: str) -> int:
    return await memory.remember(
        session, Turn(message, f"re: {message}"), model="m", embedding=embed(message, SIZE)
    )


async def nearest_first(memory: Memory) -> None:
    for message in ("my dog is Rex", "the cat sleeps", "my dog Rex eats meat", "rain tomorrow"):
        await say(memory, "s", message)
    recall = await memory.recall("s", embed("what does my dog Rex eat", SIZE))
    assert [turn.message for turn in recall.memories] == ["my dog Rex eats meat", "my dog is Rex"]
    assert recall.memories[0].answer == "re: my dog Rex eats meat"


async def latest_oldest_first(memory: Memory) -> None:
    for message in ("one", "two", "three", "four"):
        await say(memory, "s", message)
    assert [turn.message for turn in (await memory.recall("s", embed("x", SIZE))).history] == [
        "two",
        "three",
        "four",
    ]


async def nothing_like_it(memory: Memory) -> None:
    await say(memory, "s", "my dog is Rex")
    assert (await memory.recall("s", embed("quarterly revenue", SIZE))).memories == ()


async def the_same_words_are_one_memory(memory: Memory) -> None:
    for _ in range(2):
        await say(memory, "s", "my dog is Rex")
    assert len((await memory.recall("s", embed("my dog is Rex", SIZE))).memories) == 1


async def sessions_are_apart(memory: Memory) -> None:
    await say(memory, "one", "my dog is Rex")
    recall = await memory.recall("two", embed("my dog is Rex", SIZE))
    assert (recall.memories, recall.history) == ((), ())
    assert (await memory.turns("two", limit=9, before=None)).total == 0


async def oldest_are_forgotten(memory: Memory) -> None:
    for number in range(8):
        await say(memory, "s", f"m{number}")
    await say(memory, "other", "stays")
    page = await memory.turns("s", limit=9, before=None)
    assert ([turn.message for turn in page.turns], page.total) == (["m7", "m6", "m5", "m4", "m3"], 5)
    assert (await memory.turns("other", limit=9, before=None)).total == 1


async def pages(memory: Memory) -> None:
    ids = [await say(memory, "s", f"m{number}") for number in range(4)]
    assert ids == sorted(set(ids))
    page = await memory.turns("s", limit=2, before=ids[3])
    assert ([turn.id for turn in page.turns], page.total) == ([ids[2], ids[1]], 4)
    assert page.turns[0].model == "m"
    assert page.turns[0].created_at.tzinfo is not None


async def forgetting(memory: Memory) -> None:
    await say(memory, "s", "m")
    await say(memory, "other", "m")
    assert (await memory.forget("s"), await memory.forget("s")) == (1, 0)
    assert (await memory.turns("other", limit=9, before=None)).total == 1


async def any_text(memory: Memory) -> None:
    text = "quote ' \" \\ % %s {} ; -- \n\t 🙂 日本語"
    await say(memory, "s:._@-", text)
    assert (await memory.turns("s:._@-", limit=1, before=None)).turns[0].message == text


CONTRACT: dict[str, Callable[[Memory], Awaitable[None]]] = {
    check.__name__: check
    for check in (
        nearest_first,
        latest_oldest_first,
        nothing_like_it,
        the_same_words_are_one_memory,
        sessions_are_apart,
        oldest_are_forgotten,
        pages,
        forgetting,
        any_text,
    )
}
