"""The engine from package registries as people use it: start, stop, restart, kill, publish."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from engine_machine import all_rules, machine
from engine_second import DIGITS, RANDOM, ROOT, Environ, building, one_line, pid, record, run, second, start, stdout
from engine_tcp import over_tcp

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


environ = pytest.fixture(scope="module")(second)


@pytest.fixture
def engine(environ: Environ) -> Environ:
    """Give the environment with the engine running."""
    done = run(environ, "engine/enginectl", "up")
    assert done.returncode == 0, done.stderr
    return environ


def test_a_second_start_takes_seconds_and_a_third_does_nothing(engine: Environ) -> None:
    assert run(engine, "engine/enginectl", "down").returncode == 0
    begun = time.monotonic()
    done = run(engine, "engine/enginectl", "up")
    assert done.returncode == 0
    assert time.monotonic() - begun < 10
    assert re.search(r"arc engine: up in .* registry 127\.0\.0\.1:\d+\n$", done.stderr)
    number = pid(engine)
    again = run(engine, "engine/enginectl", "up")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert pid(engine) == number


def test_debian_comes_from_the_registry_on_loopback(engine: Environ) -> None:
    lock = json.loads(Path(engine["ARC_ENGINE_IMAGES_LOCK"]).read_text())
    assert lock["registry"] == f"127.0.0.1:{record(engine)['port']}"
    address = lock["images"]["debian"]
    assert address.startswith("docker.io/library/debian:trixie-slim@sha256:")
    words = (
        "core",
        "container",
        "from",
        "--address",
        address,
        "with-exec",
        "--args",
        "cat,/etc/debian_version",
        "stdout",
    )
    assert stdout(engine, *words).startswith("13")


def test_what_is_published_is_what_the_registry_has(engine: Environ) -> None:
    registry = f"127.0.0.1:{record(engine)['port']}"
    words = ("core", "container", "from", "--address", "debian:trixie-slim", "publish", "--address")
    published = stdout(engine, *words, f"{registry}/team/image:1")
    connection = http.client.HTTPConnection(registry, timeout=30)
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    connection.request("HEAD", "/v2/team/image/manifests/1", headers={"Accept": accept})
    digest = connection.getresponse().getheader("Docker-Content-Digest")
    connection.close()
    assert published == f"{registry}/team/image:1@{digest}"


def test_exit_codes_of_dagger_pass(engine: Environ) -> None:
    done = run(engine, "daggerw", *RANDOM, "false", "stdout")
    assert done.returncode == 1
    assert "exit code: 1" in done.stderr


def test_on_a_terminal_progress_is_plain(engine: Environ) -> None:
    """The CLI has no interactive screen: it would end where one is asked for."""
    leader, terminal = os.openpty()
    words = [str(ROOT / "daggerw"), *RANDOM, "echo,on a terminal", "stdout"]
    with subprocess.Popen(words, env=engine, stdin=terminal, stdout=terminal, stderr=terminal) as child:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the last program on the terminal has ended
            while data := os.read(leader, 65536):
                shown += data
        os.close(leader)
    assert child.returncode == 0, shown.decode()
    assert b"on a terminal" in shown.splitlines()


def test_an_engine_elsewhere_is_used_over_tcp(engine: Environ) -> None:
    with over_tcp(f"{engine['ARC_ENGINE_HOME']}/run/sock/engine.sock") as port:
        elsewhere = {
            **engine,
            "_EXPERIMENTAL_DAGGER_RUNNER_HOST": f"tcp://127.0.0.1:{port}",
            "ARC_DAGGER_INSTALLER": "",
        }
        explained = run(elsewhere, "daggerw", "--explain").stdout
        assert f"engine: tcp://127.0.0.1:{port}" in explained
        assert stdout(elsewhere, *RANDOM, "echo,elsewhere", "stdout") == "elsewhere"
        assert not Path(engine["ARC_ENGINE_IMAGES_LOCK"]).exists()  # its images are not ours
    assert run(engine, "engine/enginectl", "up").returncode == 0
    assert Path(engine["ARC_ENGINE_IMAGES_LOCK"]).exists()


def test_shell_env_is_all_that_clients_need(engine: Environ) -> None:
    script = f'eval "$({ROOT}/daggerw --shell-env)"; dagger version; "$_EXPERIMENTAL_DAGGER_CLI_BIN" version'
    done = subprocess.run(["/bin/sh", "-ec", script], env=engine, capture_output=True, text=True, check=True)
    one, two = done.stdout.splitlines()
    assert one == two
    assert f"unix://{engine['ARC_ENGINE_HOME']}/run/sock/engine.sock" in one


def test_two_starts_at_once_wait_for_each_other(engine: Environ) -> None:
    assert run(engine, "engine/enginectl", "down").returncode == 0
    words = (engine, "daggerw", *RANDOM, "true", "exit-code")
    errors = []
    with start(*words) as one, start(*words) as two:
        for child in (one, two):
            out, error = child.communicate(timeout=120)
            assert (child.returncode, out.strip()) == (0, "0"), error
            errors.append(error)
    assert sum("arc engine: up in" in error for error in errors) == 1  # the other one came after it, or waited for it


def test_down_refuses_while_clients_are_connected_and_force_keeps_the_cache(engine: Environ) -> None:
    digits = stdout(engine, *RANDOM, *DIGITS)
    with building(engine) as client:
        one_line(
            run(engine, "engine/enginectl", "down"),
            f"{client.pid} dagger core",
            "or run engine/enginectl down --force",
        )
        assert client.poll() is None
        done = run(engine, "engine/enginectl", "down", "--force")
        assert done.returncode == 0
        assert f"ending {client.pid} dagger" in done.stderr
        assert "killed" not in done.stderr
        client.communicate(timeout=30)
        assert client.returncode != 0
    assert stdout(engine, *RANDOM, *DIGITS) == digits


def test_an_engine_of_other_sources_is_not_taken_from_under_its_clients(engine: Environ) -> None:
    number = pid(engine)
    changed = {**engine, "ARC_ENGINE_CIDR": "10.229.0.0/16"}  # what a change of sources would do, too
    with building(engine) as client:
        one_line(run(changed, "engine/enginectl", "up"), f"is in use ({client.pid} dagger core", "let it finish")
        done = run(changed, "daggerw", *RANDOM, "echo,all the same", "stdout")
        assert (done.returncode, done.stdout.strip()) == (0, "all the same")
        assert f"it restarts when it is free of {client.pid} dagger core" in done.stderr
        assert client.poll() is None
    assert pid(engine) == number


def test_the_cache_survives_a_restart(engine: Environ) -> None:
    digits = stdout(engine, *RANDOM, *DIGITS)
    assert run(engine, "engine/enginectl", "down").returncode == 0
    assert stdout(engine, *RANDOM, *DIGITS) == digits


def test_an_engine_killed_in_mid_build_is_replaced_by_the_next_call(engine: Environ) -> None:
    with building(engine) as client:
        os.kill(pid(engine), signal.SIGKILL)
        done = run(engine, "daggerw", *RANDOM, "echo,completed", "stdout")
        assert (done.returncode, done.stdout.strip()) == (0, "completed"), done.stderr
        assert "it had not been stopped in good order, so its cache starts empty" in done.stderr
        client.communicate(timeout=60)  # it has been waiting for the engine; the new one does not know it
        assert client.returncode != 0


def test_of_the_machine_nothing_changes(engine: Environ) -> None:
    rootfs = Path(record(engine)["rootfs"])
    network = f"{run(engine, 'engine/enginectl', 'status').stdout.partition('network:  ')[2].split('0,')[0]}"
    assert run(engine, "engine/enginectl", "down").returncode == 0
    before = machine(rootfs)
    assert stdout(engine, *RANDOM, "cat,/etc/hostname", "stdout")
    running = machine(rootfs)
    assert f"{network}0" in running["interfaces"]  # the comparison would see it
    for part in ("files of /etc", "files of /usr", "resolver", "mounts", "places"):
        assert running[part] == before[part]
    assert run(engine, "engine/enginectl", "down").returncode == 0
    after = machine(rootfs)
    for part, lines in before.items():
        assert after[part] == lines, part
    prefix = re.search(r"10\.\d+\.", running["routes"][[network in line for line in running["routes"]].index(True)])
    assert prefix
    for backend in ("legacy", "nft"):
        assert not [line for line in all_rules(rootfs, backend) if prefix[0] in line or network in line]
