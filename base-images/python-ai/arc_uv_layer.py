#!/usr/bin/python3.13
"""arc-uv-layer: installs a service's packages beside those that the python-ai base already has.

    arc-uv-layer deps VENV [--extra NAME]... [--group NAME]...
    arc-uv-layer project SITE

Both run in a directory with pyproject.toml and uv.lock. `deps` makes VENV with the locked packages that the base
does not have; a path file in it names the base's packages, so nothing is installed twice. `project` builds the
project and installs it alone into SITE, a directory that VENV's path file names too: a change of the code leaves
the layer with the packages as it is.

Exit codes: 0 done, 2 a mistake in the project's files or arguments (one line on stderr says what to do).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

BASE_REQUIREMENTS = Path("/usr/local/share/arc/requirements.txt")
BASE_SITE = "/opt/venv/lib/python3.13/site-packages"
PROJECT_SITE = "/app/site"
PATH_FILE = Path("lib/python3.13/site-packages/arc_base.pth")

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")


class MistakeError(Exception):
    """A mistake in the project's files or arguments: its text is the line that the user sees."""


@dataclass(frozen=True)
class Pin:
    """One locked package.

    Attributes:
        name: the name in its canonical form (lower case, hyphens).
        version: the exact version.
        text: the requirement as it was written, with marker and hashes; it may span lines.

    """

    name: str
    version: str
    text: str


def read_pins(requirements: str) -> list[Pin]:
    """Read the pins of a requirements file.

    Args:
        requirements: the file's text: `name==version` lines, continued by a backslash for markers and hashes.

    Returns:
        The pins in the file's order; comments and blank lines are left out.

    Raises:
        MistakeError: a requirement is not pinned, for example a path or a URL.

    """
    pins: list[Pin] = []
    for entry in re.split(r"(?<!\\)\n", requirements):
        text = entry.strip()
        if not text or text.startswith("#"):
            continue
        match = _PIN.match(text)
        if match is None:
            first = text.splitlines()[0]
            message = f"uv.lock: {first!r} is not a package at a version; the image takes packages from an index only"
            raise MistakeError(message)
        pins.append(Pin(re.sub(r"[-_.]+", "-", match["name"]).lower(), match["version"], text))
    return pins


def beside_base(wanted: list[Pin], base: list[Pin]) -> list[Pin]:
    """Leave out what the base has.

    Args:
        wanted: the service's locked packages.
        base: the base's packages.

    Returns:
        The packages that only the service has.

    Raises:
        MistakeError: a package is in both, at different versions. All such packages are named, with the command that
            brings the service's lock to the base's versions.

    """
    versions = {pin.name: pin.version for pin in base}
    different = [pin for pin in wanted if versions.get(pin.name, pin.version) != pin.version]
    if different:
        found = ", ".join(f"{pin.name} {pin.version} (base: {versions[pin.name]})" for pin in different)
        fixes = " ".join(f"--upgrade-package {pin.name}=={versions[pin.name]}" for pin in different)
        message = f"uv.lock: not the version of the base: {found}; run: uv lock {fixes}"
        raise MistakeError(message)
    return [pin for pin in wanted if pin.name not in versions]


def _uv(*arguments: str) -> str:
    """Run uv, and return what it printed; its own complaint becomes the user's line."""
    done = subprocess.run(["uv", *arguments], check=False, text=True, capture_output=True)  # noqa: S603, S607 - our own list, uv of the image
    if done.returncode:
        complaint = " ".join(done.stderr.split())
        message = f"uv {arguments[0]} failed: {complaint}"
        raise MistakeError(message)
    sys.stderr.write(done.stderr)
    return done.stdout


def install_dependencies(venv: Path, extras: list[str], groups: list[str]) -> None:
    """Make a virtual environment with the locked packages that the base does not have.

    Args:
        venv: where to make it; what is there already is replaced.
        extras: optional dependencies of the project to take as well.
        groups: dependency groups to take as well; none is taken by default.

    Raises:
        MistakeError: the lock is missing or outdated, or disagrees with the base.

    """
    for name in ("pyproject.toml", "uv.lock"):
        if not Path(name).is_file():
            message = f"{name}: not in {Path.cwd()}; copy it there first"
            raise MistakeError(message)
    choice = [f"--extra={name}" for name in extras] + [f"--group={name}" for name in groups]
    exported = _uv(
        "export", "--locked", "--no-default-groups", "--no-emit-project", "--no-header", "--no-annotate", *choice
    )
    pins = beside_base(read_pins(exported), read_pins(BASE_REQUIREMENTS.read_text()))
    _uv("venv", "--quiet", "--clear", "--no-project", "--python=/usr/bin/python3.13", str(venv))
    for script in (venv / "bin").iterdir():
        if "activate" in script.name or script.suffix == ".bat":
            script.unlink()  # scripts for shells, which the runtime does not have
    (venv / PATH_FILE).write_text(f"{PROJECT_SITE}\n{BASE_SITE}\n")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pin.text for pin in pins) + "\n")
        file.flush()
        _uv(
            "pip",
            "install",
            f"--python={venv / 'bin/python'}",
            "--no-deps",
            "--require-hashes",
            f"--requirement={file.name}",
        )
    (venv / ".lock").unlink(missing_ok=True)  # uv's, writable by everyone
    sys.stderr.write(f"arc-uv-layer: {len(pins)} packages in {venv}, beside those of the base\n")


def install_project(site: Path) -> None:
    """Build the project in the working directory, and install it alone.

    Args:
        site: the directory to install into.

    Raises:
        MistakeError: the project does not build.

    """
    if str(site) != PROJECT_SITE:
        message = f"{site}: the path file of the virtual environment names {PROJECT_SITE}; use that"
        raise MistakeError(message)
    with tempfile.TemporaryDirectory() as folder:
        _uv("build", "--quiet", "--wheel", f"--out-dir={folder}")
        wheels = [str(wheel) for wheel in Path(folder).glob("*.whl")]
        _uv("pip", "install", "--python=/app/.venv/bin/python", "--no-deps", f"--target={site}", *wheels)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="arc-uv-layer", description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    deps = verbs.add_parser("deps", help="the packages that the base does not have")
    deps.add_argument("venv", type=Path)
    deps.add_argument("--extra", action="append", default=[], help="an optional dependency set to take as well")
    deps.add_argument("--group", action="append", default=[], help="a dependency group to take as well")
    project = verbs.add_parser("project", help="the project itself")
    project.add_argument("site", type=Path)
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Do what the arguments say.

    Args:
        argv: the arguments without the program's name.

    Returns:
        The exit code: 0 or 2.

    """
    arguments = _arguments(argv)
    os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
    try:
        if arguments.verb == "deps":
            install_dependencies(arguments.venv, arguments.extra, arguments.group)
        else:
            install_project(arguments.site)
    except MistakeError as error:
        sys.stderr.write(f"arc-uv-layer: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
