"""What people do with the engine: up, down, status, logs, prune."""

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
from .recipes import Recipes, announce
from .report import duration, say
from .store import remove

if TYPE_CHECKING:
    from .settings import Settings

_PURPOSE = "start or stop of the engine"


def up(settings: Settings) -> Engine:
    """Starts the engine unless it runs; builds first what is missing.

    Args:
        settings: the engine's settings.

    Returns:
        The running engine.

    Raises:
        LauncherError: it cannot be built or started.
    """
    engine, recipes = Engine(settings), Recipes(settings, pins.load(settings.source))
    if _current(engine, recipes):
        return engine
    checks.machine(settings)
    with locks.hold(settings.home / "lock", _PURPOSE):
        if _current(engine, recipes):
            return engine
        if engine.pid():
            _replace(engine)
        with recipes.store.lock():
            missing = recipes.missing()
            if missing:
                checks.room(settings.store, sum(part.megabytes for part in missing))
                announce(missing, settings.store)
                recipes.make(missing)
        begun = time.monotonic()
        wiped = _was_killed(engine)
        engine.start(recipes)
        record = engine.record()
        if record:
            registry.write_images_lock(settings, record.digest, record.port)
            say(f"up in {duration(time.monotonic() - begun)}: process {engine.pid()}, registry 127.0.0.1:{record.port}")
        if wiped:
            say("it had not been stopped in good order: its cache starts empty")
    return engine


def cli(settings: Settings) -> str:
    """The CLI of the engine from registries, built when it is not there.

    Args:
        settings: the engine's settings.

    Returns:
        Its path.
    """
    recipes = Recipes(settings, pins.load(settings.source))
    program = recipes.place("programs") / "bin/dagger"
    if not program.exists():
        with recipes.store.lock():
            missing = [part for part in recipes.missing() if part.name in {"go", "programs"}]
            announce(missing, settings.store)
            recipes.make(missing)
    return str(program)


def _current(engine: Engine, recipes: Recipes) -> bool:
    """Whether the engine that these sources describe runs; then the images file is brought up to date, too."""
    record = engine.record()
    if not record or not engine.pid() or record.composition != engine.composition(recipes):
        return False
    registry.write_images_lock(engine.settings, record.digest, record.port)
    return True


def _was_killed(engine: Engine) -> bool:
    return (engine.settings.run / "pid").exists() and not engine.pid()


def _replace(engine: Engine) -> None:
    """Stops an engine of other sources, if nobody uses it."""
    count, numbers = engine.clients()
    if count:
        message = (
            f"an engine of other sources runs and is in use ({_names(numbers)}): let it finish,"
            " then run engine/enginectl down"
        )
        raise LauncherError(message)
    say("the engine's sources have changed: it is restarted")
    engine.stop(engine.settings.wait)
    engine.clean()


def _names(numbers: list[int]) -> str:
    return ", ".join(f"{number} {processes.name(number)}" for number in numbers) or "by processes that cannot be seen"


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
    with locks.hold(settings.home / "lock", _PURPOSE):
        begun, running = time.monotonic(), engine.pid()
        count, numbers = engine.clients()
        if count and not force:
            message = f"{count} connections are open ({_names(numbers)}): end them, or run engine/enginectl down --force"
            raise LauncherError(message)
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
        say(f"ending {_names(numbers)} ({kind.name})")
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
    answers = registry.Registry(record.port).answers()
    count, numbers = engine.clients()
    rows = {
        "engine": f"{pins.version(settings.source)}, process {number}, {processes.memory(server) // 1_000_000} MB",
        "socket": settings.runner_host,
        "registry": f"127.0.0.1:{record.port}" + ("" if answers else " (does not answer: run down, then up)"),
        "clients": _names(numbers) if count else "none",
        "network": f"{settings.network}0, {settings.cidr}",
        "state": f"{settings.state}, {_megabytes(settings.state)} MB",
        "store": f"{settings.store}, {_megabytes(settings.store)} MB",
    }
    for name, text in rows.items():
        print(f"{name + ':':<10}{text}")
    return 0


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
        message = "no logs: the engine never ran; start it with engine/enginectl up"
        raise LauncherError(message)
    os.execvp("tail", ["tail", "-n", "50", *(["-F"] if follow else []), *files])


def prune(settings: Settings) -> None:
    """Removes parts that this version does not use, and from the engine's cache what is not in use.

    Args:
        settings: the engine's settings.
    """
    checks.root()
    engine, recipes = Engine(settings), Recipes(settings, pins.load(settings.source))
    before = shutil.disk_usage(settings.home).free
    with locks.hold(settings.home / "lock", _PURPOSE), recipes.store.lock():
        record = engine.record()
        if engine.pid() and record and record.composition != engine.composition(recipes):
            message = "an engine of other sources runs: run engine/enginectl down first"
            raise LauncherError(message)
        gone = recipes.store.prune(recipes.place(name) for name in recipes.parts)
        for path in settings.logs.glob("*.log.1"):
            path.unlink()
        if engine.pid() and record:
            command = [record.cli, "core", "engine", "local-cache", "prune"]
            env = {**os.environ, "_EXPERIMENTAL_DAGGER_RUNNER_HOST": settings.runner_host, "DO_NOT_TRACK": "1"}
            subprocess.run(command, env=env, check=False)
        else:
            remove(settings.state / "engine")
    freed = max(shutil.disk_usage(settings.home).free - before, 0) // 1_000_000
    say(f"{len(gone)} parts of other versions removed, {freed} MB freed")
