"""A stack in the foreground, as a person has it in a terminal."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli import ROOT

PORTS = {"oracle": 5432, "sonic": 6379, "flash": 4222, "raymond": 8081, "sherlock": 8000}
SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "NATS_PASSWORD")
PASSWORD = "integration-test-password-0123456789"  # noqa: S105  # of a stack that lives for a test
START = 900
"""Seconds within which everything must be built and healthy."""


def secrets_file(folder: Path) -> Path:
    """Write the secrets of a test's stack."""
    file = folder / "secrets.env"
    file.write_text("".join(f"{name}={PASSWORD}\n" for name in SECRETS))
    return file


@contextmanager
def running(words: Sequence[str], ports: Mapping[str, int], log: Path) -> Iterator[float]:
    """Start a stack, wait for its ports, and end it as Ctrl-C does; yields the seconds that the start took."""
    assert [name for name, port in ports.items() if is_open(port)] == [], "ports of another stack are open"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(ROOT / "daggerw"), *words], cwd=ROOT, stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )
    begun = time.monotonic()
    try:
        while missing := [name for name, port in ports.items() if not is_open(port)]:
            assert process.poll() is None, log.read_text(errors="replace")[-4000:]
            assert time.monotonic() - begun < START, f"not open: {missing}\n{log.read_text(errors='replace')[-4000:]}"
            time.sleep(1)
        yield time.monotonic() - begun
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert [name for name, port in ports.items() if is_open(port)] == []


def is_open(port: int) -> bool:
    """Whether something listens on loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
