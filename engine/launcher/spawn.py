"""The engine's first process: what it finds in its folders, and the namespaces it starts in."""

from __future__ import annotations

import os
import shutil
import string
import subprocess
from typing import TYPE_CHECKING

from .recipes import LAYERS
from .store import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from .parts import Parts
    from .settings import Settings

CAS = "/usr/local/share/ca-certificates"
_TEMPLATES = ("engine.toml", "engine.json", "registry.yml")
_SCRIPTS = ("start", "main", "dnsmasq")
FILES = (*_TEMPLATES, *_SCRIPTS)  # of engine/inside
_PASSED = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "GOPROXY")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAMESPACES = ("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--propagation", "private")
_SDKS = {"DAGGER_GO_SDK_MANIFEST_DIGEST": "golang", "DAGGER_PYTHON_SDK_MANIFEST_DIGEST": "python"}


def prepare(settings: Settings, port: int) -> None:
    """Makes the engine's folders and the files it is configured by.

    Args:
        settings: the engine's settings.
        port: the registry's port.
    """
    state = [settings.state / name for name in ("engine", "registry", "tmp")]
    for path in (settings.logs, settings.run / "mnt", settings.socket.parent, *state):
        path.mkdir(parents=True, exist_ok=True)
    values = {"network": settings.network, "port": port}
    for name in _TEMPLATES:
        text = (settings.source / "inside" / name).read_text()
        write_atomically(settings.run / name, string.Template(text).substitute(values))
    for name in _SCRIPTS:  # copies: the engine must not notice when the repository changes
        shutil.copyfile(settings.source / "inside" / name, settings.run / name)


def spawn(settings: Settings, parts: Parts) -> subprocess.Popen[bytes]:
    """Starts the engine and leaves it to itself.

    Args:
        settings: the engine's settings.
        parts: its parts.

    Returns:
        The process that waits for its first process.
    """
    log = settings.logs / "engine.log"
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    env = {name: os.environ[name] for name in _PASSED if name in os.environ}
    env |= {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", "DO_NOT_TRACK": "1"}
    env |= {name: parts.digest(part) for name, part in _SDKS.items()}
    words = [*_NAMESPACES, "sh", "-c", 'exec 3>>"$1"; shift; exec sh "$@"', "sh", str(settings.logs / "registry.log")]
    words += [str(settings.run / "start"), str(settings.run), str(settings.state)]
    words += [":".join(str(layer) for layer in layers(parts)), CAS]
    words += ["--network-name", settings.network, "--network-cidr", settings.cidr]
    with log.open("a") as out:  # to append: it may be cut while it is written to
        return subprocess.Popen(
            words, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )


def layers(parts: Parts) -> list[Path]:
    """Layers of the engine's root file system, from the highest down.

    Args:
        parts: its parts.
    """
    return [parts.place(name) / "layer" for name in LAYERS]
