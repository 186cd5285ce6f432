"""Locks between processes: the kernel lets go of them when their holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from .report import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def hold(path: Path, purpose: str) -> Iterator[None]:
    """Holds a lock; waits, and says so, while another process has it.

    Args:
        path: file to lock; its folder is made. Whoever holds the lock may delete it.
        purpose: what the lock is for, such as `start or stop of the engine`.
    """
    handle = _lock(path, purpose)
    with handle:
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield


def _lock(path: Path, purpose: str) -> TextIO:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+")  # close-on-exec: no child inherits the lock
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            say(f"waiting for another {purpose} (process {handle.read().strip() or 'unknown'}) ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        if _still_there(path, handle):
            return handle
        handle.close()  # its last holder deleted it: what was locked is not what others would lock


def _still_there(path: Path, handle: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle.fileno()))
    except FileNotFoundError:
        return False
