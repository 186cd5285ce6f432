"""`enginectl`: the engine from registries by hand."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from . import operations, start
from .settings import load

if TYPE_CHECKING:
    from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="engine/enginectl", description="The Dagger engine from package registries.")
    commands = top.add_subparsers(dest="command", required=True, metavar="up|down|status|logs|prune")
    commands.add_parser("up", help="start it; build first what is missing")
    down = commands.add_parser("down", help="stop it and keep its cache")
    down.add_argument("--force", action="store_true", help="end connected clients first")
    commands.add_parser("status", help="what it is doing; exit code 3 when it does not run")
    logs = commands.add_parser("logs", help="the last lines of its logs")
    logs.add_argument("-f", "--follow", action="store_true", help="and whatever is added")
    commands.add_parser("prune", help="free what is not in use: parts of other versions, unused cache")
    return top


def main(root: Path, arguments: list[str]) -> int:
    """Runs a command.

    Args:
        root: the repository.
        arguments: the command line.

    Returns:
        The exit code.
    """
    options = parser().parse_args(arguments)
    settings = load(os.environ, root)
    if options.command == "status":
        return operations.status(settings)
    if options.command == "up":
        start.up(settings)
    elif options.command == "down":
        operations.down(settings, force=options.force)
    elif options.command == "logs":
        operations.logs(settings, follow=options.follow)
    else:
        operations.prune(settings)
    return 0
