"""What an engine changes outside of its namespaces, and how that is taken back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from . import locks, rules
from .report import say
from .store import write_atomically

if TYPE_CHECKING:
    from .settings import Settings

_SYSCTLS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")  # CNI's bridge plugin turns them on
_SHARED = Path("/run/arc-engine")  # what all engines of this machine together must know; gone with the last one
_CGROUPS = Path("/sys/fs/cgroup")
_SCRIPT = 'r=$1; shift; mount -t tmpfs tmpfs "$r/run"; mount --rbind /proc "$r/proc"; exec chroot "$r" "$@"'


class Host:
    """The machine as one engine touches it.

    Args:
        settings: the engine's settings.
        rootfs: a root file system that has iptables and iproute2.
    """

    def __init__(self, settings: Settings, rootfs: Path) -> None:
        self._settings = settings
        self._rootfs = rootfs

    def claim(self) -> None:
        """Remembers, before a start, the settings of the kernel that the engine is going to change."""
        with locks.hold(_SHARED / "lock", "engine's start"):
            record = self._record()
            values = {name: Path("/proc/sys", name).read_text().strip() for name in _SYSCTLS if Path("/proc/sys", name).exists()}
            record.setdefault("sysctls", values)
            record["engines"] = sorted({*record.get("engines", ()), self._settings.network})
            write_atomically(_SHARED / "record", json.dumps(record))

    def clean(self) -> None:
        """Takes everything back that a stopped or killed engine left: bridge, rules, cgroups, sysctls, run files."""
        if self.bridge_exists():
            self._tool("/usr/sbin/ip", "link", "delete", f"{self._settings.network}0")
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
        self._release(others=others)
        for top in self._cgroups():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        for path in (self._settings.socket.parent, self._settings.run / "mnt", self._settings.state / "tmp"):
            shutil.rmtree(path, ignore_errors=True)

    def bridge_exists(self) -> bool:
        """Whether the network's bridge is there."""
        return Path(f"/sys/class/net/{self._settings.network}0").exists()

    def _release(self, *, others: bool) -> None:
        """Puts the kernel's settings back when this was the last engine and nobody else relies on them."""
        if not (_SHARED / "record").exists():
            return
        with locks.hold(_SHARED / "lock", "engine's stop"):
            record = self._record()
            record["engines"] = [name for name in record.get("engines", ()) if name != self._settings.network]
            if record["engines"]:
                write_atomically(_SHARED / "record", json.dumps(record))
                return
            if not others:
                for name, value in record.get("sysctls", {}).items():
                    Path("/proc/sys", name).write_text(value)
            shutil.rmtree(_SHARED)

    def _record(self) -> dict[str, object]:
        try:
            record = json.loads((_SHARED / "record").read_text())
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _cgroups(self) -> list[Path]:
        name = self._settings.network
        found = [_CGROUPS / name, *_CGROUPS.glob(f"*/{name}")]
        return [path for path in found if path.is_dir() and not path.is_symlink()]

    def _tool(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs one of the root file system's own programs on the machine's network, with a /run of its own."""
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _SCRIPT, "sh", str(self._rootfs), *command]
        return subprocess.run(words, input=text, capture_output=True, text=True, check=False)


def _backends() -> list[str]:
    """The kinds of tables to look at: asking for legacy ones makes a kernel that lacks them complain."""
    return ["legacy", "nft"] if Path("/proc/net/ip_tables_names").exists() else ["nft"]
