from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cli import ROOT, Repository, call, note
from running import PASSWORD, PORTS, SECRETS, running, secrets_file

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]


def test_smoke_uses_every_service() -> None:
    answer = call("ops", "smoke", "--format", "json")
    assert answer.code == 0, answer.err
    checks = answer.json["checks"]
    assert [check for check in checks if not check["ok"]] == []
    assert set(PORTS) <= {check["service"] for check in checks}
    for name in sorted(PORTS):
        done = [f"{check['check']} {check['ms']:.0f} ms" for check in checks if check["service"] == name]
        note(f"started and used: {name:10} {', '.join(done)}")


def test_health_and_ps() -> None:
    health = call("ops", "--profile", "data", "--only", "utility", "health", "--format", "json")
    assert health.code == 0, health.err
    assert health.json["overall_healthy"] is True
    assert {"oracle", "sonic", "flash"} <= set(health.json["services"])
    rows = call("ops", "--only", "utility", "ps", "--format", "json").json
    assert [row["service"] for row in rows][-1] == "raymond"
    assert {row["state"] for row in rows} == {"healthy"}


def test_up_opens_every_port_and_ends_at_an_interrupt(tmp_path: Path) -> None:
    words = ("call", "stack", "--secrets", f"file:{secrets_file(tmp_path)}", "--volumes", "arc-test", "up")
    with running(words, PORTS, tmp_path / "log") as seconds:
        note(f"call stack up: all ports open after {seconds:.0f} s")
        _wait_for_ready("http://127.0.0.1:8081/ready")
        body = json.dumps({"session_id": "t", "message": "ping tok-4711", "stream": False}).encode()
        assert "tok-4711" in json.loads(_get("http://127.0.0.1:8000/v1/chat", body)[1])["answer"]
        assert _talk(4222, b"").startswith(b"INFO ")
        assert _talk(6379, f"AUTH {PASSWORD}\r\nPING\r\n".encode()).endswith(b"+PONG\r\n")
        assert _talk(6379, b"PING\r\n").startswith(b"-NOAUTH")
    assert PASSWORD.encode() not in (tmp_path / "log").read_bytes()


def test_daggers_own_up_opens_every_port_too(tmp_path: Path) -> None:
    with running(("up", "stack"), PORTS, tmp_path / "log") as seconds:
        note(f"up stack: all ports open after {seconds:.0f} s")
        _wait_for_ready("http://127.0.0.1:8081/ready")


def test_raymonds_own_suite_against_the_real_servers(tmp_path: Path) -> None:
    """Bootstrap twice and at once, lost and returned dependencies, what `smoke` leaves behind: nothing."""
    go = shutil.which("go") or str(ROOT / ".arc/go/bin/go")
    data = {name: PORTS[name] for name in ("oracle", "sonic", "flash")}
    words = ("call", "stack", "--profile", "data", "--secrets", f"file:{secrets_file(tmp_path)}", "--volumes", "", "up")
    servers = {
        "RAYMOND_POSTGRES_HOST": "127.0.0.1",
        "RAYMOND_POSTGRES_DB": "arc",
        "RAYMOND_REDIS_ADDR": "127.0.0.1:6379",
        "RAYMOND_NATS_URL": "nats://127.0.0.1:4222",
        "NATS_USER": "arc",
        **dict.fromkeys(SECRETS, PASSWORD),
    }
    command = [
        go,
        "test",
        "-count=1",
        "-p",
        "1",
        "-tags",
        "integration",
        "./internal/integration/...",
        "./internal/smoke/...",
    ]
    with running(words, data, tmp_path / "log"):
        done = subprocess.run(
            command,
            cwd=ROOT / "services/raymond",
            env={**os.environ, "GOTOOLCHAIN": "auto", "GOFLAGS": "-buildvcs=false", **servers},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert PASSWORD not in done.stdout


def test_a_service_that_does_not_become_healthy_is_named(repository: Repository) -> None:
    root = repository(["oracle", "sonic", "flash", "raymond"])
    file = root / "services/sonic/service.yaml"
    text = re.sub(r"test: \[.*\]", 'test: [CMD, arc-probe, tcp, "127.0.0.1:1"]', file.read_text())
    file.write_text(text.replace("timeout: 60", "timeout: 3"))
    answer = call("--source", str(root), "ops", "--profile", "full", "health")
    assert answer.code == 1, answer.err
    assert len(answer.error) == 1
    assert answer.error[0].startswith("sonic: did not become healthy: ")


def test_a_bad_secret_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("POSTGRES_PASSWORD=CHANGE_ME_CHANGE_ME_CHANGE_ME\nREDIS_PASSWORD=short\n")
    answer = call("stack", "--secrets", f"file:{tmp_path / 's'}", "up")
    assert answer.code == 2
    assert [line.partition(" is ")[0].partition(" has ")[0] for line in answer.error] == [
        "--secrets: POSTGRES_PASSWORD:",
        "--secrets: REDIS_PASSWORD:",
    ]


def test_an_unknown_profile_names_those_there_are() -> None:
    answer = call("stack", "--profile", "cor", "up")
    assert answer.code == 2
    assert answer.error[0].startswith("--profile: there is no profile `cor`; choose one of: core")


def _wait_for_ready(url: str) -> None:
    """Healthy is what starts a dependent; ready, with everything provisioned, may come a moment later."""
    end = time.monotonic() + 30
    while True:
        try:
            assert _get(url)[0] == 200
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            assert time.monotonic() < end, text
            time.sleep(0.5)
        else:
            return


def _talk(port: int, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(words)
        connection.settimeout(2)
        answer = b""
        try:
            while data := connection.recv(4096):
                answer += data
        except TimeoutError:
            pass
        return answer


def _get(url: str, body: bytes | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.status, response.read().decode()
