"""`./daggerw` as a program: with an engine given and a `dagger` on PATH that shows what it was called with."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Programs = Callable[[str, str], Path]
_DAGGER = """
if [ "$1" = version ]; then echo "dagger v0.21.8 (x) linux/amd64"; exit; fi
for word in "$@"; do echo "<$word>"; done
env | grep -E '^(_EXPERIMENTAL_DAGGER|DAGGER|DO_NOT_TRACK)' | sort
exit 42
"""


@pytest.fixture
def given(environ: dict[str, str], programs: Programs) -> dict[str, str]:
    """Give an environment with an engine and a CLI."""
    path = f"{programs('dagger', _DAGGER)}:{os.environ['PATH']}"  # Python may be anywhere
    return {**environ, "PATH": path, "_EXPERIMENTAL_DAGGER_RUNNER_HOST": "tcp://engine:1234"}


def _run(root: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [str(root / "daggerw"), *arguments]
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=False, timeout=60)


def test_arguments_and_exit_code_pass_unchanged(root: Path, given: dict[str, str]) -> None:
    words = ["call", "--explain", "two words", "", "--", "-m", "$HOME", "*"]
    done = _run(root, given, *words)
    assert done.returncode == 42
    assert done.stdout.splitlines()[: len(words)] == [f"<{word}>" for word in words]
    assert done.stderr == ""


def test_clients_are_told_of_the_engine_and_the_cli(root: Path, given: dict[str, str], tmp_path: Path) -> None:
    lines = _run(root, given, "call").stdout.splitlines()
    assert lines[1:] == [
        "DAGGER_NO_NAG=1",
        "DO_NOT_TRACK=1",
        f"_EXPERIMENTAL_DAGGER_CLI_BIN={tmp_path}/programs/dagger",
        "_EXPERIMENTAL_DAGGER_RUNNER_HOST=tcp://engine:1234",
    ]


def test_the_images_of_our_registry_are_not_claimed_for_another_engine(
    root: Path, given: dict[str, str], tmp_path: Path
) -> None:
    lock = tmp_path / "images.lock.json"
    lock.write_text("{}")
    _run(root, given, "call")
    assert not lock.exists()


def test_signals_reach_dagger(root: Path, given: dict[str, str], programs: Programs) -> None:
    programs("dagger", 'test "$1" = version && echo "dagger v0.21.8 (x)" && exit\necho ready\nexec sleep 30')
    words = [str(root / "daggerw"), "call"]
    with subprocess.Popen(words, env=given, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(5) == -signal.SIGTERM


def test_no_signal_is_ignored_on_the_way(root: Path, given: dict[str, str], programs: Programs) -> None:
    programs("dagger", 'test "$1" = version && echo "dagger v0.21.8 (x)" && exit\nexec grep SigIgn /proc/self/status')
    direct = subprocess.run(["/bin/grep", "SigIgn", "/proc/self/status"], capture_output=True, text=True, check=True)
    assert _run(root, given, "call").stdout == direct.stdout


def test_explain_says_which_and_why(root: Path, given: dict[str, str], tmp_path: Path) -> None:
    done = _run(root, given, "--explain")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Dagger v0.21.8, engine: tcp://engine:1234",
        "  _EXPERIMENTAL_DAGGER_RUNNER_HOST is set",
        f"  CLI: {tmp_path}/programs/dagger is v0.21.8",
    ]


def test_explain_starts_and_builds_nothing(root: Path, given: dict[str, str], tmp_path: Path) -> None:
    environ = {**given, "PATH": given["PATH"].replace(f"{tmp_path}/programs:", "")}
    del environ["_EXPERIMENTAL_DAGGER_RUNNER_HOST"]
    # A client that has no daemon, in front of any that has one.
    for runtime in ("docker", "podman", "nerdctl"):
        program = tmp_path / "programs" / runtime
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
    (tmp_path / "programs/dagger").unlink()
    environ["PATH"] = f"{tmp_path}/programs:{environ['PATH']}"
    done = _run(root, environ, "--explain")
    assert done.returncode == 0
    assert "engine: built from package registries" in done.stdout
    assert "is not running; the next call starts it" in done.stdout
    assert "to be built first:" in done.stdout
    assert not (tmp_path / "home").exists()


def test_shell_env_can_be_evaluated(root: Path, given: dict[str, str], tmp_path: Path) -> None:
    script = f'eval "$({root}/daggerw --shell-env)" && command -v dagger && echo "$_EXPERIMENTAL_DAGGER_RUNNER_HOST"'
    done = subprocess.run(["/bin/sh", "-ec", script], env=given, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [f"{tmp_path}/programs/dagger", "tcp://engine:1234"]


def test_it_may_be_called_by_a_link(root: Path, given: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root / "daggerw")
    words = [str(tmp_path / "link"), "--explain"]
    done = subprocess.run(words, env=given, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("Dagger v0.21.8")


def test_a_bad_setting_is_one_line(root: Path, given: dict[str, str]) -> None:
    done = _run(root, {**given, "ARC_ENGINE_CIDR": "nonsense"}, "call")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "arc engine: ARC_ENGINE_CIDR=nonsense is not a private /16: give one such as 10.87.0.0/16"
    ]


def test_an_old_python_is_said(root: Path, tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    (tmp_path / "readlink").symlink_to("/usr/bin/readlink")
    words = ["/bin/sh", str(root / "daggerw"), "version"]
    done = subprocess.run(words, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "arc engine: Python 3.11 or newer is missing: install python3 (Debian 12 and later have it)\n"


def test_the_wrapper_costs_little(root: Path, given: dict[str, str]) -> None:
    begun = time.monotonic()
    _run(root, given, "call")
    assert time.monotonic() - begun < 5
