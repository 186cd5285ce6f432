"""`engine/enginectl` as a program, where it needs no engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def _run(root: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [str(root / "engine/enginectl"), *arguments]
    env = {**environ, "PATH": os.environ["PATH"]}
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_status_of_an_engine_that_never_ran(root: Path, environ: dict[str, str]) -> None:
    done = _run(root, environ, "status")
    assert (done.returncode, done.stdout, done.stderr) == (3, "not running\n", "")


def test_logs_of_an_engine_that_never_ran(root: Path, environ: dict[str, str]) -> None:
    done = _run(root, environ, "logs")
    assert done.returncode == 1
    assert done.stderr == "arc engine: no logs: the engine never ran; start it with engine/enginectl up\n"


def test_wrong_usage_is_exit_code_2(root: Path, environ: dict[str, str]) -> None:
    for words in ((), ("start",), ("up", "--force"), ("down", "now")):
        done = _run(root, environ, *words)
        assert done.returncode == 2, words
        assert "usage: engine/enginectl" in done.stderr


def test_an_unwritable_home_is_one_line(root: Path, environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = _run(root, {**environ, "ARC_ENGINE_HOME": str(tmp_path / "file/home")}, "up")
    assert done.returncode == 1
    assert done.stderr == f"arc engine: Not a directory: {tmp_path}/file/home; mend that and try again\n"
