"""Runs programs: output to a log, and one line that says what to do when one fails."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import LauncherError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .settings import Settings

# Debian's packages of programs that are not called like them.
_PACKAGES = {
    "apt": ("apt-get", "apt-config"),
    "coreutils": ("chroot", "du", "nice"),
    "dpkg": ("dpkg-deb",),
    "findutils": ("find",),
    "util-linux": ("unshare", "pivot_root"),
}
_TAIL = 40  # lines of a log in which the cause is looked for
_CAUSES = (
    (r"No space left on device|ENOSPC|disk quota", "the disk is full: free some space (docs/engine.md has the sizes)"),
    (
        r"403 Forbidden|407 Proxy|401 Unauthorized|404 +Not Found|410 Gone|No matching distribution",
        "{registry} refused it: check what it serves and {setting}",
    ),
    (
        (
            r"[Cc]ould not resolve|Temporary failure|no such host|Name or service not known|[Cc]onnection refused"
            r"|[Cc]ould not connect|[Cc]onnection timed out|i/o timeout|unreachable|ProxyError|NewConnectionError"
        ),
        "{registry} cannot be reached: check the network and {setting}",
    ),
    (
        r"x509:|certificate verify failed|CERTIFICATE_VERIFY_FAILED|Certificate verification failed",
        (
            "the certificate of {registry} is not trusted: install its CA in /usr/local/share/ca-certificates"
            " and run update-ca-certificates"
        ),
    ),
    (r"NO_PUBKEY|not signed|invalid signature", "{registry} is not signed by Debian's keys: check {setting}"),
)


@dataclass(frozen=True)
class Source:
    """Where a command gets its data, for messages.

    Attributes:
        registry: the registry.
        setting: what the user can set to use another one.
    """

    registry: str
    setting: str


GO = Source("the Go module proxy", "GOPROXY (go env GOPROXY)")
PYPI = Source("PyPI", "pip's index-url (pip config list)")
DEBIAN = Source("the Debian mirror", "apt's sources and proxy (/etc/apt)")


class Runner:
    """Runs the commands of one step.

    Args:
        settings: says where logs go.
        name: the step; its log is called so.
        source: the registry the step uses.
    """

    def __init__(self, settings: Settings, name: str, source: Source) -> None:
        self.log = settings.logs / f"{name}.log"
        self._source = source
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")

    def run(
        self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Runs a command; its output goes to the step's log.

        Args:
            command: program and arguments.
            env: variables to set beside the environment.
            cwd: folder to run in.

        Raises:
            LauncherError: it failed.
        """
        words = [os.fspath(word) for word in command]
        # Nothing goes on building when this process is killed.
        tied = ["setpriv", "--pdeathsig", "KILL", *words] if shutil.which("setpriv") else words
        with self.log.open("a") as log:
            log.write("$ " + " ".join(words) + "\n")
            log.flush()
            try:
                done = subprocess.run(
                    tied,
                    env={**os.environ, **(env or {})},
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    check=False,
                )
            except FileNotFoundError:
                raise LauncherError(missing(words[0])) from None
        if done.returncode:
            raise LauncherError(self._why(words[0], done.returncode))

    def _why(self, program: str, code: int) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL:]
        return explain("\n".join(lines), os.path.basename(program), code, self._source, self.log)  # noqa: PTH119  # a name


def explain(output: str, program: str, code: int, source: Source, log: Path) -> str:
    """The line for a failed command.

    Args:
        output: the end of what it printed.
        program: its name.
        code: its exit code.
        source: the registry it used.
        log: where all of its output is.

    Returns:
        What is wrong, what to do, and where to read more.
    """
    for pattern, text in _CAUSES:
        if re.search(pattern, output):
            return f"{text.format(registry=source.registry, setting=source.setting)}; details: {log}"
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "no output")
    return f"{program} failed with exit code {code} ({last[:160]}); details: {log}"


def missing(program: str) -> str:
    """The line for a program that is not installed.

    Args:
        program: its name.
    """
    package = next((name for name, programs in _PACKAGES.items() if program in programs), program)
    return f"{program} is missing: install the package {package}, or use Docker or a remote engine (docs/engine.md)"


def need(*programs: str) -> None:
    """Checks that programs are installed.

    Args:
        programs: their names.

    Raises:
        LauncherError: one is not.
    """
    for program in programs:
        if not shutil.which(program):
            raise LauncherError(missing(program))
