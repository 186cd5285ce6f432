from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from launcher import golang, pins

Programs = Callable[[str, str], Path]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.27rc1 linux/arm64", (1, 27)),
        ("go version devel go1.28-abcdef linux/amd64", (1, 28)),
        ("1.21", (1, 21)),
        ("gibberish", ()),
        ("", ()),
    ],
)
def test_versions_are_read(text: str, numbers: tuple[int, ...]) -> None:
    assert golang.parse(text) == numbers


@pytest.mark.parametrize(("version", "good"), [("1.19.8", False), ("1.21.0", True), ("1.26.10", True), ("2.0", True)])
def test_go_on_path_must_be_new_enough(
    root: Path, monkeypatch: pytest.MonkeyPatch, programs: Programs, version: str, *, good: bool
) -> None:
    folder = programs("go", f'test "$GOTOOLCHAIN" = local && echo "go version go{version} linux/amd64"')
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    assert golang.on_path(pins.load(root / "engine")) == (str(folder / "go") if good else None)


def test_no_go_on_path(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert golang.on_path(pins.load(root / "engine")) is None


def test_builds_name_the_toolchain_and_no_path_of_the_machine(root: Path) -> None:
    pinned = pins.load(root / "engine")
    env = golang.environment(pinned)
    assert env["GOTOOLCHAIN"] == f"go{pinned.go_toolchain}"
    assert "-trimpath" in env["GOFLAGS"].split()
    assert env["CGO_ENABLED"] == "0"
