from __future__ import annotations

import os
from pathlib import Path

import pytest
from launcher import engine as module
from launcher import processes, settings
from launcher.engine import Engine, Record


@pytest.fixture
def engine(root: Path, environ: dict[str, str]) -> Engine:
    """Give an engine that never ran."""
    made = Engine(settings.load(environ, root))
    for folder in (made.settings.run, made.settings.logs):
        folder.mkdir(parents=True)
    return made


def _runs_as(engine: Engine, pid: int, since: str | None) -> None:
    (engine.settings.run / "pid").write_text(f"{pid} {since}\n")


def test_it_runs_while_its_process_does(engine: Engine) -> None:
    assert engine.pid() is None
    assert not engine.was_killed()
    _runs_as(engine, os.getpid(), processes.started(os.getpid()))
    assert engine.pid() == os.getpid()
    assert not engine.was_killed()


@pytest.mark.parametrize("text", ["", "nonsense", "1 2 3"])
def test_a_broken_pid_file_means_that_it_does_not_run(engine: Engine, text: str) -> None:
    (engine.settings.run / "pid").write_text(text)
    assert engine.pid() is None


def test_another_process_with_its_number_is_not_it(engine: Engine) -> None:
    _runs_as(engine, os.getpid(), "1")
    assert engine.pid() is None
    assert engine.was_killed()


@pytest.mark.parametrize("text", ["", "{}", '{"port": 1}', "[]", '{"unknown": 1}'])
def test_a_record_of_another_version_is_no_record(engine: Engine, text: str) -> None:
    assert engine.record() is None
    (engine.settings.home / "engine.json").write_text(text)
    assert engine.record() is None


def test_a_record_is_read_back(engine: Engine) -> None:
    text = '{"composition": "c", "port": 5000, "digest": "d", "rootfs": "/r", "cli": "/c"}'
    (engine.settings.home / "engine.json").write_text(text)
    assert engine.record() == Record("c", 5000, "d", "/r", "/c")


def test_a_log_does_not_grow_without_end(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOG_BYTES", 10)
    log = engine.settings.logs / "engine.log"
    with log.open("a") as writer:
        writer.write("short\n")
        writer.flush()
        engine.trim_logs()
        assert log.read_text() == "short\n"
        writer.write("now it is long\n")
        writer.flush()
        engine.trim_logs()
        assert log.read_text() == ""
        writer.write("goes on\n")
        writer.flush()
    assert log.read_text() == "goes on\n"
    assert log.with_suffix(".log.1").read_text() == "short\nnow it is long\n"


def test_an_engine_that_does_not_run_has_no_clients(engine: Engine) -> None:
    assert engine.clients() == (0, [])
    assert engine.server() is None
    assert engine.stop(1)
