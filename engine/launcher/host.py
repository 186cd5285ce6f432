"""What an engine changes outside of its namespaces, and how that is taken back."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import locks, rules
from .errors import LauncherError
from .report import say
from .store import write_atomically

if TYPE_CHECKING:
    from .settings import Settings

_SYSCTLS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")  # CNI's bridge plugin turns them on
_SHARED = Path("/run/arc-engine")  # what all engines of this machine together must know; gone with the last one
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass
class _Shared:
    """What the engines of this machine changed together.

    Attributes:
        sysctls: the kernel's settings as they were before the first engine.
        engines: home of each engine, by its network.
        boot: the kernel's name for the time since it was started: what was before does not count.
    """

    sysctls: dict[str, str] = field(default_factory=dict)
    engines: dict[str, str] = field(default_factory=dict)
    boot: str = ""


class Host:
    """The machine as one engine touches it.

    Args:
        settings: the engine's settings.
        rootfs: a root file system that has iptables and iproute2.
    """

    def __init__(self, settings: Settings, rootfs: Path) -> None:
        self._settings = settings
        self._rootfs = rootfs
        self._bridge = f"{settings.network}0"

    def claim(self) -> None:
        """Takes the network for this engine, and remembers the kernel's settings that it is going to change.

        Raises:
            LauncherError: its name or its addresses are someone else's.
        """
        home = str(self._settings.home)
        with locks.hold(_SHARED / "lock", "engine's start"):
            shared = _load()
            if shared.engines.get(self._settings.network, home) != home:
                message = (
                    f"the engine in {shared.engines[self._settings.network]} has network {self._settings.network}: "
                )
                raise LauncherError(message + "set ARC_ENGINE_NETWORK to another name")
            if not shared.engines:
                shared.sysctls = {
                    name: _sysctl(name).read_text().strip() for name in _SYSCTLS if _sysctl(name).exists()
                }
            shared.engines[self._settings.network] = home
            _save(shared)
            (_SHARED / "xtables.lock").touch()
        user = overlap(self._settings.cidr, Path("/proc/net/route").read_text(), self._bridge)
        if user:
            self._release(others=True)
            raise LauncherError(
                f"addresses {self._settings.cidr} are in use by {user}: set ARC_ENGINE_CIDR to another private /16"
            )

    def clean(self) -> None:
        """Takes everything back that a stopped or killed engine left: bridge, rules, cgroups, sysctls, run files.

        Raises:
            LauncherError: there is a bridge of the same name that no engine of this home made.
        """
        ours = _load().engines.get(self._settings.network) == str(self._settings.home)
        if Path("/sys/class/net", self._bridge).exists():
            if not ours:
                raise LauncherError(
                    f"there is an interface {self._bridge} of someone else: set ARC_ENGINE_NETWORK to another name"
                )
            self._tool("/usr/sbin/ip", "link", "delete", self._bridge)
        if ours:
            self._release(others=self._clean_rules())
        for top in self._cgroups():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        for path in (self._settings.socket.parent, self._settings.run / "mnt", self._settings.state / "tmp"):
            shutil.rmtree(path, ignore_errors=True)

    def _clean_rules(self) -> bool:
        """Removes our firewall rules; whether rules of others rely on forwarding."""
        others = False
        for backend in _backends():
            program = f"/usr/sbin/xtables-{backend}-multi"
            saved = self._tool(program, "iptables-save").stdout
            others = others or rules.forwards_for_others(saved, self._settings.network, self._settings.prefix)
            edits = rules.leftovers(saved, self._settings.network, self._settings.prefix)
            if edits:
                done = self._tool(program, "iptables-restore", "--noflush", text=edits)
                if done.returncode:
                    say(f"firewall rules remain ({backend}): {done.stderr.strip()}; remove them with iptables")
        return others

    def _release(self, *, others: bool) -> None:
        """Gives the network up; the kernel's settings go back when nobody else relies on them."""
        with locks.hold(_SHARED / "lock", "engine's stop"):
            shared = _load()
            shared.engines.pop(self._settings.network, None)
            if shared.engines:
                _save(shared)
                return
            if not others:
                for name, value in shared.sysctls.items():
                    _sysctl(name).write_text(value)
            shutil.rmtree(_SHARED)

    def _cgroups(self) -> list[Path]:
        name = self._settings.network
        found = [_CGROUPS / name, *_CGROUPS.glob(f"*/{name}")]
        return [path for path in found if path.is_dir() and not path.is_symlink()]

    def _tool(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs one of the root file system's own programs on the machine's network."""
        script = str(self._settings.source / "inside/on-host")
        words = ["unshare", "--mount", "--propagation", "private", "sh", script, str(self._rootfs), *command]
        return subprocess.run(words, input=text, capture_output=True, text=True, check=False)


def overlap(cidr: str, routes: str, bridge: str) -> str:
    """Who else has some of a network's addresses.

    Args:
        cidr: the network.
        routes: content of /proc/net/route.
        bridge: the network's own bridge, which does not count.

    Returns:
        Name of an interface, or an empty text.
    """
    network = ipaddress.IPv4Network(cidr)
    for line in routes.splitlines()[1:]:
        fields = line.split()
        name, start, mask = fields[0], _address(fields[1]), _address(fields[7])
        route = ipaddress.IPv4Network(f"{start}/{mask}", strict=False)
        if name != bridge and route.prefixlen and route.overlaps(network):
            return name
    return ""


def _address(text: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(bytes.fromhex(text)[::-1])


def _sysctl(name: str) -> Path:
    return Path("/proc/sys", name)


def _load() -> _Shared:
    boot = _sysctl("kernel/random/boot_id").read_text().strip()
    try:
        shared = _Shared(**json.loads((_SHARED / "record").read_text()))
    except (OSError, ValueError, TypeError):
        return _Shared(boot=boot)
    return shared if shared.boot == boot else _Shared(boot=boot)


def _save(shared: _Shared) -> None:
    write_atomically(_SHARED / "record", json.dumps(asdict(shared)))


def _backends() -> list[str]:
    """The kinds of tables to look at: asking for legacy ones makes a kernel that lacks them complain."""
    return ["legacy", "nft"] if Path("/proc/net/ip_tables_names").exists() else ["nft"]
