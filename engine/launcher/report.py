"""Progress for people: one line when a step starts, one when it ends."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "arc engine:"


def say(message: str) -> None:
    """Writes a line to standard error: standard output belongs to the command's result.

    Args:
        message: the line, without the prefix.
    """
    sys.stderr.write(f"{PREFIX} {message}\n")
    sys.stderr.flush()


def duration(seconds: float) -> str:
    """A time for people.

    Args:
        seconds: the time.

    Returns:
        `4.2 s` below a minute, else `3 min 05 s`.
    """
    if seconds < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


@contextmanager
def step(title: str) -> Iterator[None]:
    """Says when a step starts, and when it has ended how long it took.

    Args:
        title: what is done.
    """
    say(f"{title} ...")
    begun = time.monotonic()
    yield
    say(f"{title}: done in {duration(time.monotonic() - begun)}")
