"""Processes as /proc shows them: the engine's, its clients'."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# linux/sock_diag.h and linux/unix_diag.h
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_SHOW_PEER = 4
_ATTRIBUTE_PEER = 2
_ESTABLISHED = 1
_DONE = 3
_ERROR = 2
_HEADER = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=BBBBIII")
_ATTRIBUTE = struct.Struct("=HH")


def started(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; with its number that names it for good.

    Args:
        pid: the process.

    Returns:
        The time, or None when there is no such process or it has ended and waits to be reaped.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def children(pid: int) -> list[int]:
    """Children of a process.

    Args:
        pid: the process.
    """
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def name(pid: int) -> str:
    """Command line of a process, shortened for a message.

    Args:
        pid: the process.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "ended"
    return " ".join([Path(words[0]).name, *words[1:]]).strip()[:60]


def memory(pid: int) -> int:
    """Resident memory of a process in bytes; 0 when it has ended.

    Args:
        pid: the process.
    """
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def sockets(pid: int) -> set[int]:
    """Inodes of the sockets that a process has open.

    Args:
        pid: the process.
    """
    found: set[int] = set()
    with contextlib.suppress(OSError):  # it has ended
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed in between
                target = str(entry.readlink())
                if target.startswith("socket:["):
                    found.add(int(target[8:-1]))
    return found


def peers() -> dict[int, int]:
    """Which unix socket is connected to which, by inode; asked from the kernel itself, as `ss` does."""
    request = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 1 << _ESTABLISHED, 0, _SHOW_PEER, 0xFFFFFFFF, 0xFFFFFFFF)
    header = _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0)
    found: dict[int, int] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as netlink:  # 4: NETLINK_SOCK_DIAG
        netlink.sendall(header + request)
        while _read(netlink.recv(1 << 16), found):
            pass
    return found


def _read(data: bytes, found: dict[int, int]) -> bool:
    """Adds one answer's pairs; whether more answers follow."""
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        if kind in {_DONE, _ERROR}:
            return False
        *_, inode, _, _ = _MESSAGE.unpack_from(data, _HEADER.size)
        offset = _HEADER.size + _MESSAGE.size
        while offset + _ATTRIBUTE.size <= length:
            size, attribute = _ATTRIBUTE.unpack_from(data, offset)
            if attribute == _ATTRIBUTE_PEER:
                found[inode] = struct.unpack_from("=I", data, offset + _ATTRIBUTE.size)[0]
            offset += max((size + 3) & ~3, _ATTRIBUTE.size)
        data = data[(length + 3) & ~3 :]
    return True


def connected_to(server: int, path: str) -> tuple[int, list[int]]:
    """Who is connected to a server's unix socket.

    Args:
        server: the process that listens.
        path: the socket's path as the server bound it.

    Returns:
        The number of connections, and the processes at their other ends.
    """
    bound = set()
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) > 7 and fields[7] == path and fields[5] == "03":  # noqa: PLR2004  # 03: connected
            bound.add(int(fields[6]))
    ours = bound & sockets(server)
    pairs = peers() if ours else {}
    others = {pairs[inode] for inode in ours if inode in pairs}
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return len(ours), sorted(pid for pid in numbers if others & sockets(pid)) if others else []


def wait(true: Callable[[], bool], seconds: float) -> bool:
    """Waits for something to be true.

    Args:
        true: says whether it is.
        seconds: how long to wait at most.

    Returns:
        Whether it came true.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
