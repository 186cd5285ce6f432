"""`up`: the engine built where parts are missing, started where it does not run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import checks, locks, pins, processes, registry
from .engine import Engine
from .errors import LauncherError
from .parts import announce
from .recipes import WANTED, recipes
from .report import duration, say

if TYPE_CHECKING:
    from .parts import Parts
    from .settings import Settings

PURPOSE = "start or stop of the engine"


def up(settings: Settings, *, yielding: bool = False) -> Engine:
    """Starts the engine unless it runs; builds first what is missing.

    Args:
        settings: the engine's settings.
        yielding: make do with an engine of other sources while someone uses it, instead of refusing.

    Returns:
        The running engine.

    Raises:
        LauncherError: it cannot be built or started.
    """
    engine, parts = Engine(settings), recipes(settings, pins.load(settings.source))
    if _current(engine, parts):
        return engine
    checks.machine(settings)
    with locks.hold(settings.home / "lock", PURPOSE):
        if _current(engine, parts):
            return engine
        if engine.pid() and _left_alone(engine, yielding=yielding):
            return engine
        make_missing(parts, WANTED)  # while an engine of other sources still runs
        if engine.pid():
            if _left_alone(engine, yielding=yielding):
                return engine
            say("engine/ has changed since the engine started: it is restarted")
            engine.stop(settings.wait)
            engine.clean()
        begun, killed = time.monotonic(), engine.was_killed()
        record = engine.start(parts)
        registry.write_images_lock(settings, record.digest, record.port)
        took = duration(time.monotonic() - begun)
        say(f"up in {took}: process {engine.pid()}, registry 127.0.0.1:{record.port}")
        if killed:
            say("it had not been stopped in good order, so its cache starts empty")
    return engine


def make_missing(parts: Parts, wanted: tuple[str, ...]) -> None:
    """Builds the parts that are missing.

    Args:
        parts: all parts.
        wanted: those that must be there in the end.

    Raises:
        LauncherError: one cannot be built, or there is no room.
    """
    if not parts.missing(wanted):
        return
    with parts.store.lock():
        missing = parts.missing(wanted)  # another process may have built some meanwhile
        if missing:
            checks.room(parts.store.path, sum(part.megabytes for part in missing))
            announce(missing, parts.store.path)
            parts.make(missing)


def cli(settings: Settings) -> str:
    """The CLI of the engine from registries, built when it is not there.

    Args:
        settings: the engine's settings.

    Returns:
        Its path.
    """
    engine = Engine(settings)
    record = engine.record()
    if engine.pid() and record and Path(record.cli).exists():
        return record.cli
    parts = recipes(settings, pins.load(settings.source))
    make_missing(parts, ("programs",))
    return str(parts.place("programs") / "bin/dagger")


def names(numbers: list[int]) -> str:
    """Processes for a message.

    Args:
        numbers: the processes.
    """
    return ", ".join(f"{number} {processes.name(number)}" for number in numbers) or "by processes that cannot be seen"


def _current(engine: Engine, parts: Parts) -> bool:
    """Whether the engine that these sources describe runs; then the images file is brought up to date, too."""
    record = engine.record()
    if not record or not engine.pid() or record.composition != engine.composition(parts):
        return False
    engine.trim_logs()
    registry.write_images_lock(engine.settings, record.digest, record.port)
    return True


def _left_alone(engine: Engine, *, yielding: bool) -> bool:
    """Whether an engine of other sources goes on because someone uses it."""
    count, numbers = engine.clients()
    if count and not yielding:
        raise LauncherError(
            f"an engine of other sources runs and is in use ({names(numbers)}):"
            " let it finish, then run engine/enginectl down"
        )
    if count:
        say(f"engine/ has changed since the engine started; it restarts when it is free of {names(numbers)}")
    return count > 0
