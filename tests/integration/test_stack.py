from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cli import ROOT, call, note

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]
PORTS = {"oracle": 5432, "sonic": 6379, "flash": 4222, "raymond": 8081, "sherlock": 8000}
PASSWORD = "integration-test-password-0123456789"  # noqa: S105  # of a stack that lives for this test


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


@pytest.mark.parametrize("arguments", [("stack",), ("up", "stack")])
def test_up_opens_every_port_and_ends_at_an_interrupt(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert [name for name, port in PORTS.items() if _open(port)] == [], "ports of an earlier stack are still open"
    secrets = tmp_path / "secrets.env"
    secrets.write_text(
        "".join(f"{name}={PASSWORD}\n" for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "NATS_PASSWORD"))
    )
    words = (
        ["call", "stack", "--secrets", f"file:{secrets}", "--volumes", "arc-test", "up"]
        if arguments[0] == "stack"
        else list(arguments)
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(ROOT / "daggerw"), *words], cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        begun = time.monotonic()
        _wait_for_ports(process, tmp_path / "log")
        note(f"{' '.join(words[:2])}: all ports open after {time.monotonic() - begun:.0f} s")
        _wait_for_ready("http://127.0.0.1:8081/ready")
        body = json.dumps({"session_id": "t", "message": "ping tok-4711", "stream": False}).encode()
        assert "tok-4711" in json.loads(_get("http://127.0.0.1:8000/v1/chat", body)[1])["answer"]
        assert _talk(4222, b"").startswith(b"INFO ")
        if arguments[0] == "stack":
            assert _talk(6379, f"AUTH {PASSWORD}\r\nPING\r\n".encode()).endswith(b"+PONG\r\n")
        assert _talk(6379, b"PING\r\n").startswith(b"-NOAUTH")
        assert PASSWORD.encode() not in (tmp_path / "log").read_bytes()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert [name for name, port in PORTS.items() if _open(port)] == []


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


def _wait_for_ports(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 600
    while missing := [name for name, port in PORTS.items() if not _open(port)]:
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
        assert time.monotonic() < end, f"not open: {missing}\n{log.read_text(errors='replace')[-4000:]}"
        time.sleep(1)


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


def _open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


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
