"""One Dockerfile out of several: the bases' stages in front of the service's.

`dockerBuild` has no named build contexts and takes no unpublished image as FROM, so a service that is to stand on a
just-built base gets that base's stages into its own Dockerfile (ADR 0004). The engine caches the stages by content:
every service shares them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

FROM = re.compile(r"^\s*from\s", re.IGNORECASE)
STAGE = re.compile(r"^\s*from\s+(?:--\S+\s+)*\S+\s+as\s+(\S+)", re.IGNORECASE)
ARGUMENT = re.compile(r"^\s*arg\s+([A-Za-z_][A-Za-z0-9_]*)(?:=(\S*))?\s*$", re.IGNORECASE)
ANY_ARGUMENT = re.compile(r"^\s*arg\s", re.IGNORECASE)
NUMBERED = re.compile(r"^\s*(?:copy|run)\s.*(?:--from|from)=\d+\b", re.IGNORECASE)


class ComposeError(ValueError):
    """The Dockerfiles cannot stand in one file; the message names both places."""


@dataclass(frozen=True)
class Composed:
    """Several Dockerfiles in one."""

    text: str
    stages: frozenset[str]
    arguments: frozenset[str]
    """Global build arguments that some file declares."""


@dataclass(frozen=True)
class Parsed:
    """A Dockerfile cut where its first stage begins."""

    name: str
    head: tuple[str, ...]
    body: tuple[str, ...]

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of its stages."""
        return tuple(match[1].lower() for line in self.body if (match := STAGE.match(line)))

    @property
    def arguments(self) -> dict[str, str]:
        """Its global build arguments with their defaults."""
        return {match[1]: match[2] or "" for line in self.head if (match := ARGUMENT.match(line))}


def parse(name: str, text: str) -> Parsed:
    """Cut a Dockerfile into its global part and its stages.

    Args:
        name: Path of the file, for errors.
        text: Its contents.

    Returns:
        The parts.

    Raises:
        ComposeError: It has no FROM.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if FROM.match(line):
            return Parsed(name, tuple(lines[:number]), tuple(lines[number:]))
    raise ComposeError(f"{name}: has no FROM; begin the first stage with one")


def compose(files: Sequence[tuple[str, str]], given: Collection[str] = ()) -> Composed:
    """Put Dockerfiles into one, in order; the last one's final stage is the result.

    Args:
        files: Path and contents of each, bases first.
        given: Build arguments that the build sets, so that their defaults do not matter.

    Returns:
        The combined Dockerfile: all global arguments, then all stages.

    Raises:
        ComposeError: A file has no FROM; or something in it would mean another thing beside the other files: the same
            stage or another default for the same argument, a stage named by its number, an ARG of several names.
    """
    parsed = [parse(name, text) for name, text in files]
    stages: dict[str, str] = {}
    arguments: dict[str, tuple[str, str]] = {}
    for part in parsed:
        _check_forms(part)
        for stage in part.stages:
            if stages.setdefault(stage, part.name) != part.name:
                raise ComposeError(f"{part.name}: stage `{stage}` is also in {stages[stage]}; rename it")
        for name, default in part.arguments.items():
            first, where = arguments.setdefault(name, (default, part.name))
            if first != default and name not in given:
                raise ComposeError(f"{part.name}: ARG `{name}` has another default in {where}; rename it")
    head = [f"ARG {name}={default}" if default else f"ARG {name}" for name, (default, _) in arguments.items()]
    text = "\n".join([*head, *(line for part in parsed for line in ("", *part.body))]) + "\n"
    return Composed(text, frozenset(stages), frozenset(arguments))


def _check_forms(part: Parsed) -> None:
    for line in part.head:
        if ANY_ARGUMENT.match(line) and not ARGUMENT.match(line):
            raise ComposeError(f"{part.name}: `{line.strip()}` is no plain ARG; write one NAME=value a line")
    for line in part.body:
        if NUMBERED.match(line):
            raise ComposeError(f"{part.name}: `{line.strip()}` names a stage by its number; name it")
