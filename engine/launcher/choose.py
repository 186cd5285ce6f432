"""Which engine and which CLI: decided once for each call, with the reason."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .store import remove

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNNER_HOST = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"
RUNTIMES = ("docker", "podman", "nerdctl")  # in the order in which the CLI tries them
ENGINE_IMAGE = "registry.dagger.io/engine"
INSTALLER = "https://dl.dagger.io/dagger/install.sh"
_DAEMON_SECONDS = 10
_INSTALLER_SECONDS = 10


@dataclass(frozen=True)
class Choice:
    """What a call uses.

    Attributes:
        kind: `given` (by the environment), `runtime` (a container runtime) or `registries`.
        engine: the engine, for people.
        cli: path of the CLI; None when it is the one that belongs to the engine from registries.
        reasons: why, one line each.
    """

    kind: str
    engine: str
    cli: str | None
    reasons: tuple[str, ...]


def choose(environ: Mapping[str, str], version: str, cache: Path) -> Choice:
    """Decides what to use.

    Args:
        environ: the environment.
        version: the pinned version of Dagger.
        cache: folder for a CLI that is downloaded.
    """
    host = environ.get(RUNNER_HOST)
    if host:
        cli, why = find_cli(version, cache, environ)
        return Choice("given", host, cli, (f"{RUNNER_HOST} is set", why))
    reasons = []
    for runtime in RUNTIMES:
        works, why = daemon(runtime)
        reasons.append(why)
        if not works:
            continue
        cli, why = find_cli(version, cache, environ)
        reasons.append(why)
        if cli:
            engine = f"image+{runtime}://{ENGINE_IMAGE}:{version}"
            return Choice("runtime", engine, cli, tuple(reasons))
        break
    return Choice("registries", "built from package registries", None, tuple(reasons))


def daemon(runtime: str) -> tuple[bool, str]:
    """Whether a container runtime works: a client alone is not enough.

    Args:
        runtime: its program.

    Returns:
        Whether, and why.
    """
    program = shutil.which(runtime)
    if not program:
        return False, f"{runtime}: not on PATH"
    try:
        done = subprocess.run(
            [program, "version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_DAEMON_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return False, f"{runtime}: {program} does not answer within {_DAEMON_SECONDS} s"
    except OSError as error:
        return False, f"{runtime}: {program} cannot be run ({error.strerror})"
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        return False, f"{runtime}: {program} has no working daemon ({lines[-1][:120] if lines else 'no output'})"
    return True, f"{runtime}: {program} works"


def find_cli(version: str, cache: Path, environ: Mapping[str, str]) -> tuple[str | None, str]:
    """A CLI of the pinned version: on PATH, downloaded before, or downloaded now.

    Args:
        version: the pinned version.
        cache: folder for downloads.
        environ: the environment; ARC_DAGGER_INSTALLER names another installer, or none when it is empty.

    Returns:
        Its path, or None, and where it is from or why there is none.
    """
    on_path = shutil.which("dagger")
    if on_path and cli_version(on_path) == version:
        return on_path, f"CLI: {on_path} is {version}"
    ours = cache / version / "dagger"
    if ours.exists():
        return str(ours), f"CLI: {ours}, downloaded before"
    installer = environ.get("ARC_DAGGER_INSTALLER", INSTALLER)
    problem = _download(installer, version, ours) if installer else "no installer is set"
    if problem:
        seen = f"{on_path} is not {version}" if on_path else "none on PATH"
        return None, f"CLI: {seen}, and {problem}"
    return str(ours), f"CLI: {ours}, from {installer}"


def cli_version(program: str) -> str:
    """The version a CLI says it has, such as `v0.21.8`.

    Args:
        program: its path.
    """
    env = {**os.environ, "DO_NOT_TRACK": "1"}
    try:
        done = subprocess.run([program, "version"], env=env, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = done.stdout.split()  # dagger v0.21.8 (...) linux/amd64
    return words[1] if len(words) > 1 and words[0] == "dagger" else ""


def _download(url: str, version: str, target: Path) -> str:
    """Runs upstream's installer, which checks what it fetches; returns what went wrong, or an empty text."""
    part = target.parent.with_name(f".{version}.{os.getpid()}")
    try:
        request = urllib.request.Request(url, headers={"User-Agent": f"arc ({platform.system()})"})  # noqa: S310  # https
        with urllib.request.urlopen(request, timeout=_INSTALLER_SECONDS) as answer:  # noqa: S310  # a constant, or the user's
            script = answer.read()
    except (OSError, ValueError) as error:
        return f"{url} cannot be reached ({getattr(error, 'reason', error)})"
    try:
        part.mkdir(parents=True)
        env = {**os.environ, "DAGGER_VERSION": version.removeprefix("v"), "BIN_DIR": str(part)}
        done = subprocess.run(["sh", "-s"], input=script, env=env, capture_output=True, check=False, cwd=part)
        if done.returncode or cli_version(str(part / "dagger")) != version:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            return f"{url} failed ({lines[-1][:120] if lines else 'wrong version'})"
        remove(target.parent)
        part.rename(target.parent)
    finally:
        remove(part)
    return ""
