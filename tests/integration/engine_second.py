"""A second engine beside the one that the other tests use: its environment, and how it is called.

It has a folder, a network and a registry port of its own, and shares the built parts with the first.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STORE = Path(
    os.environ.get("ARC_ENGINE_STORE")
    or Path(os.environ.get("ARC_ENGINE_HOME") or Path.home() / ".cache/arc/engine") / "store"
)
RANDOM = ("core", "container", "from", "--address", "debian:trixie-slim", "with-exec", "--args")
DIGITS = ("sha256sum,/proc/sys/kernel/random/uuid", "stdout")  # differs each time that it really runs
Environ = dict[str, str]


def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environ]:
    """Give the second engine's environment; the engine is stopped in the end. To be made a fixture of."""
    home = tmp_path_factory.mktemp("e")
    ours = {
        "ARC_ENGINE_HOME": str(home),
        "ARC_ENGINE_STORE": str(STORE),
        "ARC_ENGINE_IMAGES_LOCK": str(home / "images.lock.json"),
        "NO_COLOR": "1",
    }
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("ARC_ENGINE_", "_EXPERIMENTAL_"))}
    environ = {**rest, **ours}
    explained = run(environ, "daggerw", "--explain").stdout
    if "built from package registries" not in explained:
        pytest.skip(f"this machine does not use the engine from registries: {explained.splitlines()[0]}")
    yield environ
    done = run(environ, "engine/enginectl", "down", "--force")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(home)


def run(environ: Mapping[str, str], program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [str(ROOT / program), *arguments]
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def start(environ: Mapping[str, str], program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program beside the test; it does not outlive it."""
    words = [str(ROOT / program), *arguments]
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


@contextlib.contextmanager
def building(environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Have a client with a container that runs for long."""
    seconds = str(100_000 + os.getpid())
    with start(environ, "daggerw", *RANDOM, f"sleep,{seconds}", "stdout") as client:
        end = time.monotonic() + 60
        while not any(command(number) == ["sleep", seconds] for number in processes()):
            assert client.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        yield client


def processes() -> list[Path]:
    return [path for path in Path("/proc").iterdir() if path.name.isdigit()]


def command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []


def stdout(environ: Mapping[str, str], *arguments: str) -> str:
    done = run(environ, "daggerw", *arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def record(environ: Environ) -> dict[str, str]:
    record: dict[str, str] = json.loads(Path(environ["ARC_ENGINE_HOME"], "engine.json").read_text())
    return record


def pid(environ: Environ) -> int:
    return int(Path(environ["ARC_ENGINE_HOME"], "run/pid").read_text().split()[0])


def one_line(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Check that a failure is one line that says what to do; progress may precede it."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("arc engine: ")
    for part in parts:
        assert part in last


def store_without(path: Path, *parts: str) -> Path:
    """Make a store that has the parts of the real one but for some."""
    path.mkdir()
    for part in STORE.iterdir():
        if part.is_dir() and part.name.rpartition("-")[0] not in parts:
            (path / part.name).symlink_to(part)
    return path
