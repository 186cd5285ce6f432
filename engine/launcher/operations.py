"""What people do with the engine beside starting it: down, status, logs, prune."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from . import checks, locks, pins, processes, registry
from .engine import Engine
from .errors import LauncherError
from .recipes import recipes
from .report import duration, say
from .start import PURPOSE, names
from .store import remove

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .engine import Record
    from .settings import Settings


def down(settings: Settings, *, force: bool) -> None:
    """Stops the engine and takes back what it changed on the machine; its cache is kept.

    Args:
        settings: the engine's settings.
        force: end its clients first instead of refusing.

    Raises:
        LauncherError: clients are connected.
    """
    checks.root()
    engine = Engine(settings)
    with locks.hold(settings.home / "lock", PURPOSE):
        begun, running = time.monotonic(), engine.pid()
        count, numbers = engine.clients()
        if count and not force:
            raise LauncherError(
                f"{count} connections are open ({names(numbers)}): end them, or run engine/enginectl down --force"
            )
        if count:
            _end_clients(engine)
        graceful = engine.stop(settings.wait)
        engine.clean()
        say(f"down in {duration(time.monotonic() - begun)}" if running else "not running")
        if not graceful:
            say(f"it did not stop within {settings.wait:.0f} s and was killed: its cache is lost")


def _end_clients(engine: Engine) -> None:
    """Interrupts clients, as Ctrl-C would, so that their sessions end and the engine can stop in good order."""
    for kind, seconds in ((signal.SIGINT, 20), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        count, numbers = engine.clients()
        if not count:
            return
        say(f"ending {names(numbers)} ({kind.name})")
        for number in numbers:
            if number != os.getpid():
                os.kill(number, kind)
        if processes.wait(lambda: not engine.clients()[0], seconds):
            return


def status(settings: Settings) -> int:
    """Prints whether the engine runs, and how much it uses.

    Args:
        settings: the engine's settings.

    Returns:
        0 when it runs, else 3.
    """
    engine = Engine(settings)
    number, server, record = engine.pid(), engine.server(), engine.record()
    if not number or not server or not record:
        print("not running")
        return 3
    for name, text in _rows(engine, record, server):
        print(f"{name + ':':<10}{text}", flush=True)  # line by line: to add up a large cache takes a while
    return 0


def _rows(engine: Engine, record: Record, server: int) -> Iterator[tuple[str, str]]:
    """What `status` shows, line by line."""
    settings = engine.settings
    size = processes.memory(server) // 1_000_000
    yield "engine", f"{pins.version(settings.source)}, process {engine.pid()}, {size} MB"
    yield "socket", settings.runner_host
    answers = registry.Registry(record.port).answers()
    yield "registry", f"127.0.0.1:{record.port}" + ("" if answers else " (does not answer: run down, then up)")
    count, numbers = engine.clients()
    yield "clients", names(numbers) if count else "none"
    yield "network", f"{settings.network}0, {settings.cidr}"
    yield "state", f"{settings.state}, {_megabytes(settings.state)} MB"
    yield "store", f"{settings.store}, {_megabytes(settings.store)} MB"


def _megabytes(path: object) -> int:
    done = subprocess.run(["du", "-sxk", str(path)], capture_output=True, text=True, check=False)
    return int((done.stdout.split() or ["0"])[0]) * 1024 // 1_000_000


def logs(settings: Settings, *, follow: bool) -> None:
    """Becomes `tail` on the logs of the engine and the registry.

    Args:
        settings: the engine's settings.
        follow: go on with what is written from now on.
    """
    files = [str(path) for path in (settings.logs / "engine.log", settings.logs / "registry.log") if path.exists()]
    if not files:
        raise LauncherError("no logs: the engine never ran; start it with engine/enginectl up")
    os.execvp("tail", ["tail", "-n", "50", *(["-F"] if follow else []), *files])  # noqa: S606  # an argument list


def prune(settings: Settings) -> None:
    """Removes parts that this version does not use, and from the engine's cache what is not in use.

    Args:
        settings: the engine's settings.
    """
    checks.root()
    engine, wanted = Engine(settings), recipes(settings, pins.load(settings.source))
    before = shutil.disk_usage(settings.home).free
    with locks.hold(settings.home / "lock", PURPOSE), wanted.store.lock():
        record = engine.record()
        if engine.pid() and record and record.composition != engine.composition(wanted):
            raise LauncherError("an engine of other sources runs: run engine/enginectl down first")
        gone = wanted.store.prune(wanted.places())
        for path in settings.logs.glob("*.log.1"):
            path.unlink()
        if engine.pid() and record:
            command = [record.cli, "--silent", "core", "engine", "local-cache", "prune"]
            env = {
                **os.environ,
                "_EXPERIMENTAL_DAGGER_RUNNER_HOST": settings.runner_host,
                "DO_NOT_TRACK": "1",
                "DAGGER_NO_NAG": "1",
            }
            subprocess.run(command, env=env, check=False)
        else:
            remove(settings.state / "engine")
    freed = max(shutil.disk_usage(settings.home).free - before, 0) // 1_000_000
    say(f"{len(gone)} parts of other versions removed, {freed} MB freed")
