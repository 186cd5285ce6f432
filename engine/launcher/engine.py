"""The engine as a process: start, stop, what it is doing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from . import processes, registry, spawn
from .errors import LauncherError
from .hashing import key
from .host import Host
from .store import write_atomically

if TYPE_CHECKING:
    import subprocess

    from .parts import Parts
    from .settings import Settings

SOCKET_INSIDE = "/run/dagger/engine.sock"
_REGISTRY_SECONDS = 30
_LOG_BYTES = 50_000_000


@dataclass(frozen=True)
class Record:
    """What is known of the engine that runs, or ran last.

    Attributes:
        composition: hash of everything it is made of.
        port: the registry's port.
        digest: digest of the Debian image in the registry.
        rootfs: its root file system.
        cli: the CLI that belongs to it.
    """

    composition: str
    port: int
    digest: str
    rootfs: str
    cli: str


class Engine:
    """One engine.

    Args:
        settings: its settings.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pid_file = settings.run / "pid"
        self._record_file = settings.home / "engine.json"

    def pid(self) -> int | None:
        """Its first process as the machine sees it, or None when it does not run."""
        try:
            number, since = self._pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(number) if processes.started(int(number)) == since else None

    def server(self) -> int | None:
        """The process that listens on its socket, or None."""
        first = self.pid()
        return next(iter(processes.children(first)), None) if first else None

    def record(self) -> Record | None:
        """What is known of it, or None when it never ran."""
        try:
            return Record(**json.loads(self._record_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def clients(self) -> tuple[int, list[int]]:
        """Number of connections, and the processes they come from."""
        server = self.server()
        return processes.connected_to(server, SOCKET_INSIDE) if server else (0, [])

    def trim_logs(self) -> None:
        """Keeps logs from growing without end: a big one becomes the one before, in place of what that was."""
        for name in ("engine", "registry"):
            log = self.settings.logs / f"{name}.log"
            if log.exists() and log.stat().st_size > _LOG_BYTES:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)  # the engine has it open, and goes on at its new end

    def composition(self, parts: Parts) -> str:
        """Hash of all that an engine started now would be made of.

        Args:
            parts: its parts.
        """
        files = [self.settings.source / "inside" / name for name in spawn.FILES]
        names = [path.parent.name for path in spawn.layers(parts)]
        return key(*names, *files, self.settings.network, self.settings.cidr, parts.place("debian").name)

    def was_killed(self) -> bool:
        """Whether it ended without being stopped, so that its cache is not whole."""
        return self._pid_file.exists() and not self.pid()

    def start(self, parts: Parts) -> Record:
        """Starts it and waits until it and the registry answer.

        Args:
            parts: its parts, all made.

        Returns:
            What is known of it.

        Raises:
            LauncherError: it did not come up.
        """
        settings, last = self.settings, self.record()
        host = Host(settings, parts.place("rootfs") / "layer")
        host.clean()  # after a crash or a power cut
        port = registry.choose_port(settings.port, last.port if last else None)
        spawn.prepare(settings, port)
        host.claim()
        child = spawn.spawn(settings, parts)
        server = registry.Registry(port)
        up = processes.wait(lambda: settings.socket.exists() or child.poll() is not None, settings.wait)
        if not up or not settings.socket.exists():
            self._abort(child, host, "engine")
        if not server.wait(_REGISTRY_SECONDS):
            self._abort(child, host, "registry")
        digest = parts.digest("debian")
        server.seed(parts.place("debian") / "blobs", digest)
        rootfs, cli = parts.place("rootfs") / "layer", parts.place("programs") / "bin/dagger"
        record = Record(self.composition(parts), port, digest, str(rootfs), str(cli))
        write_atomically(self._record_file, json.dumps(asdict(record), indent=2) + "\n")
        return record

    def stop(self, seconds: float) -> bool:
        """Stops it gracefully: the cache is written only on this way out.

        Args:
            seconds: how long to wait before it is killed.

        Returns:
            False when it had to be killed, and the cache is lost.
        """
        number = self.pid()
        if not number:
            return True
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGTERM)
        if processes.wait(lambda: not self.pid(), seconds):
            return True
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        processes.wait(lambda: not self.pid(), 10)
        return False

    def clean(self) -> None:
        """Takes back what it left on the machine."""
        record = self.record()
        if record and Path(record.rootfs).is_dir():
            Host(self.settings, Path(record.rootfs)).clean()
        self._pid_file.unlink(missing_ok=True)

    def _abort(self, child: subprocess.Popen[bytes], host: Host, what: str) -> NoReturn:
        number = self.pid()
        if number:
            os.kill(number, signal.SIGKILL)
        child.kill()
        child.wait()
        host.clean()
        self._pid_file.unlink(missing_ok=True)
        log = self.settings.logs / f"{what}.log"
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise LauncherError(f"the {what} did not start ({lines[-1][:200] if lines else 'no output'}); details: {log}")
