"""Where things lie and which names they have: environment over defaults."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LauncherError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_NETWORK = "arc"
DEFAULT_CIDR = "10.87.0.0/16"
DEFAULT_PORT = 5000
_MAX_SOCKET_PATH = 107  # sun_path is 108 bytes, one of them the final zero


@dataclass(frozen=True)
class Settings:
    """One engine's folders, network and limits.

    Attributes:
        root: the repository.
        home: the engine's own folder: state, socket, logs.
        store: built artefacts, each named by the hash of its inputs; several engines may share it.
        network: name of the container network; its bridge is called `<network>0`.
        cidr: addresses of the container network, a private IPv4 /16.
        port: TCP port of the registry on 127.0.0.1, or None to choose a free one.
        images_lock: file that names the images this engine stands in for.
        wait: seconds to wait for a start or a graceful stop.
    """

    root: Path
    home: Path
    store: Path
    network: str
    cidr: str
    port: int | None
    images_lock: Path
    wait: float

    @property
    def source(self) -> Path:
        """The folder with the engine's sources."""
        return self.root / "engine"

    @property
    def run(self) -> Path:
        """Files that live as long as the engine runs."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """Logs of the engine, the registry and each build step."""
        return self.home / "logs"

    @property
    def state(self) -> Path:
        """The engine's cache and the registry's images; kept over restarts."""
        return self.home / "state"

    @property
    def socket(self) -> Path:
        """The socket clients connect to."""
        return self.run / "sock/engine.sock"

    @property
    def runner_host(self) -> str:
        """Value of _EXPERIMENTAL_DAGGER_RUNNER_HOST for this engine."""
        return f"unix://{self.socket}"

    @property
    def prefix(self) -> str:
        """First two numbers of the network's addresses, such as `10.87.`."""
        return self.cidr.rsplit(".", 2)[0] + "."


def load(environ: Mapping[str, str], root: Path) -> Settings:
    """Settings from the environment.

    Args:
        environ: the environment; ARC_ENGINE_* variables are described in docs/engine.md.
        root: the repository.

    Returns:
        The settings, checked.

    Raises:
        LauncherError: a variable has a value that cannot be used (code 2).
    """
    cache = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "/root") / ".cache")
    default_home = cache / "arc/engine"
    home = Path(environ.get("ARC_ENGINE_HOME") or default_home)
    if not home.is_absolute():
        raise LauncherError(f"ARC_ENGINE_HOME={home} is not an absolute path: give one that starts with /", 2)
    name, cidr = _default_network(home, default_home)
    settings = Settings(
        root=root,
        home=home,
        store=Path(environ.get("ARC_ENGINE_STORE") or home / "store"),
        network=environ.get("ARC_ENGINE_NETWORK") or name,
        cidr=environ.get("ARC_ENGINE_CIDR") or cidr,
        port=_port(environ.get("ARC_ENGINE_REGISTRY_PORT", "")),
        images_lock=Path(environ.get("ARC_ENGINE_IMAGES_LOCK") or root / ".arc/images.lock.json"),
        wait=_seconds(environ.get("ARC_ENGINE_WAIT", "")),
    )
    _check(settings)
    return settings


def _default_network(home: Path, default_home: Path) -> tuple[str, str]:
    """Name and addresses that differ from one home to the next."""
    if home == default_home:
        return DEFAULT_NETWORK, DEFAULT_CIDR
    digest = hashlib.sha256(str(home).encode()).digest()
    return f"{DEFAULT_NETWORK}{digest.hex()[:6]}", f"10.{128 + digest[0] % 100}.0.0/16"


def _port(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise LauncherError(f"ARC_ENGINE_REGISTRY_PORT={text} is not a port: give a number from 1 to 65535", 2)
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text or "120")
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise LauncherError(f"ARC_ENGINE_WAIT={text} is not a number of seconds: give one such as 120", 2)
    return value


def _check(settings: Settings) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,12}", settings.network):
        raise LauncherError(
            f"ARC_ENGINE_NETWORK={settings.network} cannot name a bridge: give a lower-case letter and"
            " up to 12 letters or digits",
            2,
        )
    try:
        network = ipaddress.IPv4Network(settings.cidr)
    except ValueError:
        network = None
    if network is None or network.prefixlen != 16 or not network.is_private:  # noqa: PLR2004  # /16 says itself
        raise LauncherError(f"ARC_ENGINE_CIDR={settings.cidr} is not a private /16: give one such as {DEFAULT_CIDR}", 2)
    if len(str(settings.socket).encode()) > _MAX_SOCKET_PATH:
        raise LauncherError(f"ARC_ENGINE_HOME={settings.home} is too long for a socket's path: give a shorter one", 2)
