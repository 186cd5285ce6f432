from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from launcher import choose

Programs = Callable[[str, str], Path]
_PINNED = 'if [ "$1" = version ]; then echo "dagger v0.21.8 (image://x) linux/amd64"; fi'


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no runtime, no dagger
    monkeypatch.setattr(choose, "RUNTIMES", ("docker-x", "podman-x"))


def _choose(tmp_path: Path, **environ: str) -> choose.Choice:
    return choose.choose({"ARC_DAGGER_INSTALLER": "", **environ}, "v0.21.8", tmp_path / "cli")


def _on_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_given_engine_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs) -> None:
    _on_path(monkeypatch, programs("dagger", _PINNED))
    choice = _choose(tmp_path, _EXPERIMENTAL_DAGGER_RUNNER_HOST="tcp://engine:1234")
    assert (choice.kind, choice.engine) == ("given", "tcp://engine:1234")
    assert choice.cli == str(tmp_path / "programs/dagger")


def test_a_given_engine_is_used_with_our_cli_where_there_is_no_other(tmp_path: Path) -> None:
    choice = _choose(tmp_path, _EXPERIMENTAL_DAGGER_RUNNER_HOST="tcp://engine:1234")
    assert (choice.kind, choice.cli) == ("given", None)


def test_a_runtime_with_a_daemon_and_the_pinned_cli_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs
) -> None:
    programs("podman-x", "exit 0")
    _on_path(monkeypatch, programs("dagger", _PINNED))
    choice = _choose(tmp_path)
    assert choice.kind == "runtime"
    assert choice.engine == "image+podman-x://registry.dagger.io/engine:v0.21.8"
    assert choice.reasons[0] == "docker-x: not on PATH"


def test_a_client_without_daemon_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs
) -> None:
    programs("docker-x", "echo Client: 1.2; echo 'Cannot connect to the daemon.' >&2; exit 1")
    _on_path(monkeypatch, programs("dagger", _PINNED))
    choice = _choose(tmp_path)
    assert choice.kind == "registries"
    assert "no working daemon (Cannot connect to the daemon.)" in choice.reasons[0]


def test_a_daemon_that_hangs_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs
) -> None:
    monkeypatch.setattr(choose, "_DAEMON_SECONDS", 0.2)
    _on_path(monkeypatch, programs("docker-x", "exec sleep 30"))
    choice = _choose(tmp_path)
    assert choice.kind == "registries"
    assert "does not answer" in choice.reasons[0]


def test_another_version_of_the_cli_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs
) -> None:
    programs("docker-x", "exit 0")
    _on_path(monkeypatch, programs("dagger", 'echo "dagger v0.20.0 (x) linux/amd64"'))
    choice = _choose(tmp_path)
    assert choice.kind == "registries"
    assert "is not v0.21.8, and no installer is set" in choice.reasons[-1]


def test_the_installer_puts_the_cli_into_our_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs
) -> None:
    _on_path(monkeypatch, programs("docker-x", "exit 0"))
    installer = tmp_path / "install.sh"
    # The options of upstream's installer: version without v, and where to.
    installer.write_text(
        'test "$DAGGER_VERSION" = 0.21.8 && cat > "$BIN_DIR/dagger" <<X && chmod 755 "$BIN_DIR/dagger"\n'
        f"#!/bin/sh\n{_PINNED.replace('$1', chr(92) + '$1')}\nX\n"
    )
    first = _choose(tmp_path, ARC_DAGGER_INSTALLER=installer.as_uri())
    assert (first.kind, first.cli) == ("runtime", str(tmp_path / "cli/v0.21.8/dagger"))
    assert _choose(tmp_path).reasons[-1].endswith("downloaded before")
    assert [path.name for path in (tmp_path / "cli").iterdir()] == ["v0.21.8"]


@pytest.mark.parametrize("body", ["exit 3", ": > $BIN_DIR/dagger", "echo nothing"])
def test_an_installer_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs, body: str
) -> None:
    _on_path(monkeypatch, programs("docker-x", "exit 0"))
    installer = tmp_path / "install.sh"
    installer.write_text(body)
    choice = _choose(tmp_path, ARC_DAGGER_INSTALLER=installer.as_uri())
    assert choice.kind == "registries"
    assert f"and {installer.as_uri()} failed" in choice.reasons[-1]
    assert list((tmp_path / "cli").iterdir()) == []


def test_an_installer_out_of_reach_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs) -> None:
    _on_path(monkeypatch, programs("docker-x", "exit 0"))
    choice = _choose(tmp_path, ARC_DAGGER_INSTALLER="http://127.0.0.1:9/install.sh")
    assert choice.kind == "registries"
    assert "cannot be reached" in choice.reasons[-1]
