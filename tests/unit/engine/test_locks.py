from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from launcher import locks

_HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from launcher import locks
from pathlib import Path
with locks.hold(Path(sys.argv[2]), "test"):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def _holder(root: Path, path: Path, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", _HOLDER, str(root / "engine"), str(path), str(seconds)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_the_second_waits_and_says_for_whom(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    with _holder(root, tmp_path / "lock", 1) as child, locks.hold(tmp_path / "lock", "start"):
        assert time.monotonic() - begun > 0.8
    assert f"waiting for another start (process {child.pid})" in capsys.readouterr().err


def test_a_killed_holder_lets_go(root: Path, tmp_path: Path) -> None:
    with _holder(root, tmp_path / "lock", 60) as child:
        os.kill(child.pid, signal.SIGKILL)
        with locks.hold(tmp_path / "lock", "start"):
            assert child.wait(5) == -signal.SIGKILL


def test_a_holder_may_delete_the_lock(tmp_path: Path) -> None:
    path, order = tmp_path / "folder/lock", []

    def second() -> None:
        with locks.hold(path, "start"):
            order.append("second")
            assert path.exists()  # what it holds is what a third one would wait for

    with locks.hold(path, "start"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
        path.unlink()
    thread.join(5)
    assert order == ["first", "second"]
