"""What an engine could change on the machine, as text that can be compared before and after."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SYSCTLS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all",
    "net/ipv4/conf/default",
    "net/ipv6/conf/all",
    "net/ipv6/conf/default",
    "kernel/hostname",
    "kernel/domainname",
    "fs/nr_open",
)
_PLACES = (
    "/run/dagger",
    "/run/buildkit",
    "/run/containers",
    "/run/netns",
    "/run/runc",
    "/run/xtables.lock",
    "/opt/cni",
)
_STATES = ("/var/lib/cni", "/var/lib/dagger", "/var/lib/buildkit", "/var/lib/docker-registry", "/var/run/containers")
# Other engines of this machine come and go meanwhile: pairs of interfaces, and rules for one container each.
_OTHERS = re.compile(r"-[ds] 10\.\d+\.\d+\.\d+/(32|16) |CNI-[0-9a-f]{24}|CNI (firewall|portfwd)|:CNI-")


def machine(rootfs: Path) -> dict[str, list[str]]:
    """Look at everything.

    Args:
        rootfs: a root file system with iptables and iproute2.
    """
    return {
        "files of /etc": _contents(Path("/etc")),
        "files of /usr": _listing(Path("/usr")),
        "resolver": [Path("/etc/resolv.conf").read_text(), Path("/etc/hosts").read_text()],
        "mounts": sorted(Path("/proc/self/mountinfo").read_text().splitlines()),
        "interfaces": sorted(
            path.name for path in Path("/sys/class/net").iterdir() if not path.name.startswith("veth")
        ),
        "routes": _tool(rootfs, "/usr/sbin/ip", "route"),
        "routing rules": _tool(rootfs, "/usr/sbin/ip", "rule"),
        "legacy rules": rules(rootfs, "legacy"),
        "nft rules": rules(rootfs, "nft"),
        "sysctls": [f"{path}={path.read_text().strip()}" for path in _sysctls()],
        "cgroups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/*") if path.is_dir()),
        "places": [place for place in (*_PLACES, *_STATES) if Path(place).exists()],
    }


def all_rules(rootfs: Path, backend: str) -> list[str]:
    """Firewall rules, without counters.

    Args:
        rootfs: a root file system with iptables.
        backend: `legacy` or `nft`.
    """
    lines: list[str] = []
    for kind in ("iptables", "ip6tables"):
        lines += _tool(rootfs, f"/usr/sbin/xtables-{backend}-multi", f"{kind}-save")
    return [re.sub(r" \[\d+:\d+\]", "", line) for line in lines if not line.startswith("#")]


def rules(rootfs: Path, backend: str) -> list[str]:
    """Firewall rules, without those of other engines.

    Args:
        rootfs: a root file system with iptables.
        backend: `legacy` or `nft`.
    """
    return [line for line in all_rules(rootfs, backend) if not _OTHERS.search(line)]


def _tool(rootfs: Path, *command: str) -> list[str]:
    script = str(ROOT / "engine/inside/on-host")
    words = ["unshare", "--mount", "--propagation", "private", "sh", script, str(rootfs), *command]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()


def _sysctls() -> list[Path]:
    found: list[Path] = []
    for name in _SYSCTLS:
        path = Path("/proc/sys", name)
        found += sorted(path.iterdir()) if path.is_dir() else [path]
    return [path for path in found if os.access(path, os.R_OK) and path.is_file() and path.name != "stable_secret"]


def _files(top: Path) -> list[Path]:
    found = []
    for folder, _, names in os.walk(top):
        found += [Path(folder, name) for name in names if not name.endswith(".pyc")]
    return sorted(found)


def _contents(top: Path) -> list[str]:
    lines = []
    for path in _files(top):
        status = path.lstat()
        data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        lines.append(f"{path} {status.st_mode:o} {status.st_uid}:{status.st_gid} {digest}")
    return lines


def _listing(top: Path) -> list[str]:
    """One checksum over 100 000 files would not say which differs: a line for each, by what a change cannot hide."""
    lines = []
    for path in _files(top):
        status = path.lstat()
        lines.append(f"{path} {status.st_mode:o} {status.st_uid}:{status.st_gid} {status.st_size} {status.st_ctime_ns}")
    return lines
