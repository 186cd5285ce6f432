"""`daggerw`: runs the pinned Dagger with the arguments as they are."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from . import choose, pins, start
from .engine import Engine
from .recipes import WANTED, recipes
from .settings import Settings, load

_OPTIONS = ("--explain", "--shell-env")


def main(root: Path, arguments: list[str]) -> int:  # noqa: RET503  # it ends as another program
    """Becomes `dagger`, or answers one of the wrapper's own options when it is the first argument.

    Args:
        root: the repository.
        arguments: the command line.

    Returns:
        An exit code, where it does not become `dagger`.
    """
    settings = load(os.environ, root)
    version = pins.version(settings.source)
    choice = choose.choose(os.environ, version, settings.home.parent / "cli")
    option = arguments[0] if arguments and arguments[0] in _OPTIONS else ""
    if option == "--explain":
        print(explain(settings, version, choice))
        return 0
    variables, cli = prepare(settings, choice)
    if option == "--shell-env":
        print(shell_env(variables, Path(cli).parent))
        return 0
    os.environ.update(variables)
    os.execv(cli, ["dagger", *arguments])  # noqa: S606  # exit code and signals are dagger's own from here on


def prepare(settings: Settings, choice: choose.Choice) -> tuple[dict[str, str], str]:
    """Makes the chosen engine ready.

    Args:
        settings: the engine's settings.
        choice: what to use.

    Returns:
        Variables that clients need, and the CLI.
    """
    variables = {"DO_NOT_TRACK": "1", "DAGGER_NO_NAG": "1"}
    if choice.kind == "registries":
        start.up(settings, yielding=True)
        variables[choose.RUNNER_HOST] = settings.runner_host
    elif choice.engine != settings.runner_host:
        settings.images_lock.unlink(missing_ok=True)  # what it names is only in the registry of an engine of ours
    cli = choice.cli
    if not cli:
        cli = start.cli(settings)
        # The CLI built from registries has no interactive screen.
        if "DAGGER_PROGRESS" not in os.environ and (sys.stdout.isatty() or sys.stderr.isatty()):
            variables["DAGGER_PROGRESS"] = "plain"
    variables["_EXPERIMENTAL_DAGGER_CLI_BIN"] = cli
    if choice.kind != "registries":
        variables[choose.RUNNER_HOST] = choice.engine
    return variables, cli


def explain(settings: Settings, version: str, choice: choose.Choice) -> str:
    """The decision for people.

    Args:
        settings: the engine's settings.
        version: the pinned version.
        choice: what is used.
    """
    lines = [f"Dagger {version}, engine: {choice.engine}", *(f"  {reason}" for reason in choice.reasons)]
    if choice.kind == "registries":
        engine, missing = Engine(settings), recipes(settings, pins.load(settings.source)).missing(WANTED)
        if engine.pid():
            state = f"runs, process {engine.pid()}, {settings.runner_host}"
        else:
            state = "is not running; the next call starts it"
        lines.append(f"  engine from registries: {settings.home}, {state}")
        if missing:
            lines.append(f"  to be built first: {', '.join(part.name for part in missing)}")
    if not choice.cli:
        lines.append("  CLI: the one built with the engine from registries")
    return "\n".join(lines)


def shell_env(variables: dict[str, str], folder: Path) -> str:
    """Lines for a shell to evaluate, so that `dagger` and SDK clients use the same engine.

    Args:
        variables: what clients need.
        folder: the CLI's folder, put first on PATH.
    """
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    return "\n".join([*lines, f'export PATH={shlex.quote(str(folder))}:"$PATH"'])
