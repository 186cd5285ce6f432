"""`./daggerw` as a user types it. Nothing here is a stand-in: the engine, the images and the services are real."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
REPORT = ROOT / ".arc" / "test-report.txt"
"""What `./test` prints at its end: what was built, scanned and started."""


@dataclass(frozen=True)
class Answer:
    """What a call left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # whatever the call printed
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> list[str]:
        """The lines of the error that ended the call, without the trace that precedes it."""
        text = self.err.rpartition("\nError: ")[2].rpartition(" [traceparent:")[0]
        return text.splitlines()


def daggerw(*arguments: str, cwd: Path = ROOT, timeout: float = 3000, env: Mapping[str, str] | None = None) -> Answer:
    """Run `./daggerw` and wait for its end."""
    done = subprocess.run(
        [str(ROOT / "daggerw"), *arguments],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def call(*arguments: str, cwd: Path = ROOT, **env: str) -> Answer:
    """Run `./daggerw call`."""
    return daggerw("call", *arguments, cwd=cwd, env=env)


def note(text: str) -> None:
    """Add to what `./test` prints at its end."""
    REPORT.parent.mkdir(exist_ok=True)
    with REPORT.open("a") as file:
        file.write(text.rstrip() + "\n")


Repository = Callable[[Sequence[str]], Path]
"""Makes a repository with our base images and the named ones of our services."""
