"""The engine as a process: start, stop, what it is doing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import string
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import processes, registry
from .errors import LauncherError
from .hashing import key
from .host import Host
from .store import write_atomically

if TYPE_CHECKING:
    from .recipes import Recipes
    from .settings import Settings

SOCKET_INSIDE = "/run/dagger/engine.sock"
CAS = "/usr/local/share/ca-certificates"
_PASSED = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "GOPROXY")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TEMPLATES = ("engine.toml", "registry.yml")
_SCRIPTS = ("start", "main", "dnsmasq")


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

    def composition(self, recipes: Recipes) -> str:
        """Hash of all that an engine started now would be made of.

        Args:
            recipes: its parts.
        """
        files = [self.settings.source / "inside" / name for name in (*_TEMPLATES, *_SCRIPTS)]
        names = [path.parent.name for path in recipes.layers()]
        return key(*names, *files, self.settings.network, self.settings.cidr, recipes.parts["debian"].key)

    def start(self, recipes: Recipes) -> None:
        """Starts it and waits until it and the registry answer.

        Args:
            recipes: its parts, all made.

        Raises:
            LauncherError: it did not come up.
        """
        settings, last = self.settings, self.record()
        host = Host(settings, recipes.place("rootfs") / "layer")
        host.clean()  # after a crash or a power cut
        if host.bridge_exists():
            message = f"interface {settings.network}0 is there already and cannot be removed: set ARC_ENGINE_NETWORK"
            raise LauncherError(message)
        port = registry.choose_port(settings.port, last.port if last else None)
        self._prepare(port)
        host.claim()
        child = self._spawn(recipes)
        server = registry.Registry(port)
        up = processes.wait(lambda: settings.socket.exists() or child.poll() is not None, settings.wait)
        if not up or not settings.socket.exists() or not server.wait(settings.wait):
            self._abort(child, host)
        digest = recipes.digest("debian")
        server.seed(recipes.place("debian") / "blobs", digest)
        record = Record(
            self.composition(recipes), port, digest, str(recipes.place("rootfs") / "layer"),
            str(recipes.place("programs") / "bin/dagger"),
        )  # fmt: skip
        write_atomically(self._record_file, json.dumps(asdict(record), indent=2) + "\n")

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

    def _prepare(self, port: int) -> None:
        """Makes its folders and the files it is configured by."""
        settings = self.settings
        settings.logs.mkdir(parents=True, exist_ok=True)
        for path in (settings.run / "mnt", settings.socket.parent, *(settings.state / n for n in ("engine", "registry", "tmp"))):
            path.mkdir(parents=True, exist_ok=True)
        values = {"network": settings.network, "port": port}
        for name in _TEMPLATES:
            text = (settings.source / "inside" / name).read_text()
            write_atomically(settings.run / name, string.Template(text).substitute(values))
        for name in _SCRIPTS:  # copies: the engine must not notice when the repository changes
            shutil.copyfile(settings.source / "inside" / name, settings.run / name)

    def _spawn(self, recipes: Recipes) -> subprocess.Popen[bytes]:
        settings = self.settings
        log = settings.logs / "engine.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        env = {name: os.environ[name] for name in _PASSED if name in os.environ}
        env |= {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", "DO_NOT_TRACK": "1"}
        env |= {f"DAGGER_{name}_SDK_MANIFEST_DIGEST": recipes.digest(part) for name, part in (("GO", "golang"), ("PYTHON", "python"))}
        words = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--propagation", "private", "sh"]
        words += ["-c", 'exec 3>>"$1"; shift; exec sh "$@"', "sh", str(settings.logs / "registry.log")]
        words += [str(settings.run / "start"), str(settings.run), str(settings.state)]
        words += [":".join(str(layer) for layer in recipes.layers()), CAS]
        words += ["--network-name", settings.network, "--network-cidr", settings.cidr]
        with log.open("w") as out:
            return subprocess.Popen(
                words, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    def _abort(self, child: subprocess.Popen[bytes], host: Host) -> None:
        number = self.pid()
        if number:
            os.kill(number, signal.SIGKILL)
        child.kill()
        child.wait()
        host.clean()
        log = self.settings.logs / "engine.log"
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        message = f"the engine did not start ({lines[-1][:200] if lines else 'no output'}); details: {log}"
        raise LauncherError(message)
