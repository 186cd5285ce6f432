from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launcher.store import Store, mounted, remove, write_atomically

_INTERRUPTED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from launcher.store import Store
from pathlib import Path
def build(part):
    (part / "half").write_text("half")
    print("half", flush=True)
    time.sleep(60)
store = Store(Path(sys.argv[2]))
store.make(store.place("thing", "key"), build)
"""


def test_an_artefact_is_built_once(tmp_path: Path) -> None:
    store, built = Store(tmp_path), []

    def build(part: Path) -> None:
        built.append(part)
        (part / "file").write_text("whole")

    place = store.place("thing", "key")
    store.make(place, build)
    store.make(place, build)
    assert (place / "file").read_text() == "whole"
    assert len(built) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thing-key"]


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def build(part: Path) -> None:
        (part / "half").write_text("half")
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  # the build's own error, whatever it says
        store.make(store.place("thing", "key"), build)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_build_left_is_thrown_away(root: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", _INTERRUPTED, str(root / "engine"), str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "half\n"
        os.kill(child.pid, signal.SIGKILL)
    store = Store(tmp_path)
    place = store.place("thing", "key")
    assert not place.exists()
    assert len(list(tmp_path.iterdir())) == 1
    store.make(place, lambda part: part.joinpath("file").touch())
    assert [path.name for path in place.iterdir()] == ["file"]
    assert [path.name for path in tmp_path.iterdir()] == ["thing-key"]


def test_prune_keeps_what_is_wanted_and_what_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    for name in ("wanted-1", "mounted-1", "old-1", "half-1.part77"):
        (tmp_path / name).mkdir()
    (tmp_path / "lock").touch()
    monkeypatch.setattr("launcher.store.mounted", lambda _: {"mounted-1"})
    gone = store.prune([tmp_path / "wanted-1"])
    assert sorted(path.name for path in gone) == ["half-1.part77", "old-1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "mounted-1", "wanted-1"]


def test_layers_of_a_running_engine_are_found(tmp_path: Path) -> None:
    store, proc = tmp_path / "store", tmp_path / "proc"
    (proc / "12").mkdir(parents=True)
    (proc / "12/mountinfo").write_text(
        f"36 35 98:0 / {store}/bind-1 rw - ext4 /dev/root rw\n"
        f"37 35 0:33 / / rw - overlay overlay rw,lowerdir={store}/a-1/layer:{store}/b-2/layer,upperdir=/x,workdir=/y\n"
    )
    assert mounted(store, proc) == {"a-1", "b-2"}


def test_files_without_write_permission_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/file").touch(0o400)
    remove(folder)
    remove(folder)
    assert not folder.exists()


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path, contents = tmp_path / "deep/file", {"a" * 100_000, "b" * 100_000}
    write_atomically(path, "a" * 100_000)
    writer = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from launcher.store import write_atomically\n"
        "for n in range(300): write_atomically(Path(sys.argv[2]), 'ab'[n % 2] * 100_000)\n"
    )
    engine = str(Path(__file__).resolve().parents[3] / "engine")
    with subprocess.Popen([sys.executable, "-c", writer, engine, str(path)]) as child:
        while child.poll() is None:
            assert path.read_text() in contents
            time.sleep(0.001)
    assert child.returncode == 0
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
