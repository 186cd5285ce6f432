from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from launcher import registry, settings
from launcher.errors import LauncherError


@pytest.fixture
def taken() -> Iterator[int]:
    """Give a port that something listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_wanted_port_is_used_or_refused(taken: int) -> None:
    port = _free()
    assert registry.choose_port(port, taken) == port
    with pytest.raises(LauncherError, match=f"port {taken} is taken: set ARC_ENGINE_REGISTRY_PORT to a free one"):
        registry.choose_port(taken, None)


def test_the_last_port_is_kept_while_it_is_free(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    last, next_ = _free(), _free()
    monkeypatch.setattr(registry, "_PORTS", (taken, next_))
    assert registry.choose_port(None, last) == last
    assert registry.choose_port(None, taken) == next_
    assert registry.choose_port(None, None) == next_


def test_no_port_at_all_is_said(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_PORTS", (taken,))
    with pytest.raises(LauncherError, match="are all taken: set ARC_ENGINE_REGISTRY_PORT"):
        registry.choose_port(None, None)


def test_the_images_file_names_the_stand_in_and_the_registry(root: Path, environ: dict[str, str]) -> None:
    engine = settings.load(environ, root)
    registry.write_images_lock(engine, "sha256:abc", 5001)
    assert json.loads(engine.images_lock.read_text()) == {
        "images": {"debian": "docker.io/library/debian:trixie-slim@sha256:abc"},
        "registry": "127.0.0.1:5001",
    }


def test_the_images_file_is_only_written_when_it_changes(root: Path, environ: dict[str, str]) -> None:
    engine = settings.load(environ, root)
    registry.write_images_lock(engine, "sha256:abc", 5001)
    inode = engine.images_lock.stat().st_ino
    registry.write_images_lock(engine, "sha256:abc", 5001)
    assert engine.images_lock.stat().st_ino == inode
    registry.write_images_lock(engine, "sha256:abc", 5002)
    assert engine.images_lock.stat().st_ino != inode


def test_a_registry_that_does_not_run_does_not_answer() -> None:
    assert not registry.Registry(_free()).wait(0.2)
