from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from launcher.errors import LauncherError
from launcher.parts import Part, Parts, announce
from launcher.store import Store

Make = Callable[[Path, Callable[[str], Path]], None]


def _write(part: Path, _: object) -> None:
    (part / "made").touch()


def _parts(path: Path, *, make: Make = _write, value: str = "1", spared: bool = True) -> Parts:
    """Tool -> low -> middle -> top; beside them a lone one."""
    return Parts(
        Store(path),
        "recipe",
        [
            Part("tool", "tool", 1, 1, make, spared=lambda: spared),
            Part("low", "low", 1, 1, make, ("tool",), (value,)),
            Part("middle", "middle", 1, 1, make, ("low",)),
            Part("top", "top", 1, 1, make, ("middle", "tool")),
            Part("lone", "lone", 1, 1, make),
        ],
    )


def _names(parts: list[Part]) -> list[str]:
    return [part.name for part in parts]


def test_all_that_is_needed_is_missing_at_first(tmp_path: Path) -> None:
    assert _names(_parts(tmp_path).missing(["top"])) == ["low", "middle", "top"]


def test_a_tool_is_made_when_the_machine_has_none(tmp_path: Path) -> None:
    assert _names(_parts(tmp_path, spared=False).missing(["top"])) == ["tool", "low", "middle", "top"]


def test_nothing_is_missing_below_what_is_there(tmp_path: Path) -> None:
    parts = _parts(tmp_path, spared=False)
    parts.place("top").mkdir(parents=True)
    assert parts.missing(["top"]) == []
    assert _names(parts.missing(["top", "lone"])) == ["lone"]


def test_a_changed_input_renames_what_is_above_it(tmp_path: Path) -> None:
    one, two = _parts(tmp_path), _parts(tmp_path, value="2")
    same = {name for name in ("tool", "low", "middle", "top", "lone") if one.place(name) == two.place(name)}
    assert same == {"tool", "lone"}


def test_parts_are_made_after_those_they_need(tmp_path: Path) -> None:
    order: list[str] = []
    lock = threading.Lock()

    def make(part: Path, place: Callable[[str], Path]) -> None:
        name = part.name.partition("-")[0]
        with lock:
            order.append(name)
        below = {"middle": "low", "top": "middle"}.get(name)
        assert below is None or (place(below) / "made").exists()
        (part / "made").touch()

    parts = _parts(tmp_path, make=make)
    parts.make(parts.missing(["top", "lone"]))
    assert sorted(order) == ["lone", "low", "middle", "top"]
    assert parts.missing(["top", "lone"]) == []


def test_two_that_do_not_need_each_other_are_made_at_once(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=10)

    def make(_part: Path, _place: object) -> None:
        both.wait()

    parts = Parts(Store(tmp_path), 1, [Part("a", "a", 1, 1, make), Part("b", "b", 1, 1, make)])
    parts.make(parts.missing(["a", "b"]))


def test_a_failure_is_raised_and_what_was_made_stays(tmp_path: Path) -> None:
    def make(part: Path, _: object) -> None:
        if part.name.startswith("middle"):
            raise LauncherError("no luck")
        time.sleep(0.05)

    parts = _parts(tmp_path, make=make)
    with pytest.raises(LauncherError, match="no luck"):
        parts.make(parts.missing(["top", "lone"]))
    assert _names(parts.missing(["top", "lone"])) == ["middle", "top"]


def test_the_first_start_says_what_it_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    announce([Part("a", "a", 100, 1500, _write), Part("b", "b", 25, 500, _write)], tmp_path)
    line = capsys.readouterr().err
    assert line.startswith("arc engine: 2 parts of the engine are built from package registries, once:")
    assert line.endswith(f" about 1 min 40 s on 2 cores, 2.0 GB in {tmp_path}\n")
