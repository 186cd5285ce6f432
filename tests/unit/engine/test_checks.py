from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from launcher import checks, pins, settings
from launcher.errors import LauncherError

_MOUNTS = """\
22 1 254:0 / / rw,relatime - overlay overlay rw
30 22 254:1 / /var rw,relatime shared:1 - ext4 /dev/vdb rw
31 30 254:2 / /var/with\\040space rw,relatime - xfs /dev/vdc rw
32 22 0:9 / /various rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home", "overlay"),
        ("/var/cache", "ext4"),
        ("/var", "ext4"),
        ("/various/x", "tmpfs"),
        ("/var/with space/x", "xfs"),
    ],
)
def test_a_folder_is_on_the_innermost_mount(path: str, kind: str) -> None:
    assert checks.file_system(Path(path), _MOUNTS) == kind


def test_an_overlay_cannot_hold_the_cache(root: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "root", lambda: None)
    monkeypatch.setattr(checks, "_kernel", lambda: None)
    monkeypatch.setattr(checks, "file_system", lambda *_: "overlay")
    with pytest.raises(LauncherError, match=r"is on overlay, .*: set ARC_ENGINE_HOME to a folder on a disk"):
        checks.machine(settings.load(environ, root))


def test_a_path_that_mount_cannot_take_is_refused(
    root: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checks, "root", lambda: None)
    monkeypatch.setattr(checks, "_kernel", lambda: None)
    with pytest.raises(LauncherError, match=r"ARC_ENGINE_STORE=.* has a character that a mount cannot take"):
        checks.machine(settings.load({**environ, "ARC_ENGINE_STORE": f"{tmp_path}/a:b"}, root))


def test_too_little_room_says_how_much_is_needed(tmp_path: Path) -> None:
    checks.room(tmp_path / "new", 0)
    with pytest.raises(LauncherError) as caught:
        checks.room(tmp_path, 10**9)
    assert "GB left and 1000002.0 GB are needed: free some, or set ARC_ENGINE_HOME" in str(caught.value)


def test_without_root_it_says_what_else_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LauncherError, match="needs root: run it with sudo, or use Docker or a remote engine"):
        checks.root()


def test_architectures_have_gos_names() -> None:
    assert [pins.architecture(name) for name in ("x86_64", "aarch64", "arm64")] == ["amd64", "arm64", "arm64"]
    with pytest.raises(LauncherError, match="no engine for riscv64"):
        pins.architecture("riscv64")


def test_a_machine_without_namespaces_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    denied = subprocess.CompletedProcess([], 1, stdout="", stderr="unshare: unshare failed: Operation not permitted\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: denied)
    with pytest.raises(
        LauncherError, match=r"Operation not permitted.*: use a privileged container or a remote engine"
    ):
        checks._kernel()  # noqa: SLF001  # the machine at hand has what is missing here
