"""One Dockerfile out of several: the bases' stages in front of the service's.

`dockerBuild` has no named build contexts and takes no unpublished image as FROM, so a service that is to stand on a
just-built base gets that base's stages into its own Dockerfile (ADR 0004). The engine caches the stages by content:
every service shares them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

FROM = re.compile(r"^\s*from\s", re.IGNORECASE)
STAGE = re.compile(r"^\s*from\s+(?:--\S+\s+)*\S+\s+as\s+(\S+)", re.IGNORECASE)
ARGUMENT = re.compile(r"^\s*arg\s+([A-Za-z_][A-Za-z0-9_]*)", re.IGNORECASE)


class ComposeError(ValueError):
    """The Dockerfiles cannot stand in one file; the message names both places."""


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
    def arguments(self) -> tuple[str, ...]:
        """Names of its global build arguments."""
        return tuple(match[1] for line in self.head if (match := ARGUMENT.match(line)))


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


def compose(files: Sequence[tuple[str, str]]) -> str:
    """Put Dockerfiles into one, in order; the last one's final stage is the result.

    Args:
        files: Path and contents of each, bases first.

    Returns:
        The combined Dockerfile: all global arguments, then all stages.

    Raises:
        ComposeError: A file has no FROM, or two files name the same stage.
    """
    parsed = [parse(name, text) for name, text in files]
    owner: dict[str, str] = {}
    for part in parsed:
        for stage in part.stages:
            if owner.setdefault(stage, part.name) != part.name:
                raise ComposeError(f"{part.name}: stage `{stage}` is also in {owner[stage]}; rename it")
    seen: set[str] = set()
    head: list[str] = []
    for part in parsed:
        for line in part.head:
            match = ARGUMENT.match(line)
            # The first default of an argument stands; each is given as a build argument anyway.
            if match and match[1] not in seen:
                seen.add(match[1])
                head.append(line)
    return "\n".join([*head, *(line for part in parsed for line in ("", *part.body))]) + "\n"
