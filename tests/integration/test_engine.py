"""The engine from package registries, on this machine: a second one, beside the one that the other tests use.

It has a folder, a network and a registry port of its own, and shares the built parts with the first.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from engine_machine import ROOT, all_rules, machine

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

STORE = Path(
    os.environ.get("ARC_ENGINE_STORE")
    or Path(os.environ.get("ARC_ENGINE_HOME") or Path.home() / ".cache/arc/engine") / "store"
)
RANDOM = ("core", "container", "from", "--address", "debian:trixie-slim", "with-exec", "--args")
DIGITS = ("sha256sum,/proc/sys/kernel/random/uuid", "stdout")  # differs each time that it really runs
Environ = dict[str, str]


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environ]:
    """Give the second engine's environment; the engine is stopped in the end."""
    home = tmp_path_factory.mktemp("e")
    ours = {
        "ARC_ENGINE_HOME": str(home),
        "ARC_ENGINE_STORE": str(STORE),
        "ARC_ENGINE_IMAGES_LOCK": str(home / "images.lock.json"),
        "NO_COLOR": "1",
    }
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("ARC_ENGINE_", "_EXPERIMENTAL_"))}
    environ = {**rest, **ours}
    explained = _run(environ, "daggerw", "--explain").stdout
    if "built from package registries" not in explained:
        pytest.skip(f"this machine does not use the engine from registries: {explained.splitlines()[0]}")
    yield environ
    done = _run(environ, "engine/enginectl", "down", "--force")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(home)


@pytest.fixture
def engine(environ: Environ) -> Environ:
    """Give the environment with the engine running."""
    done = _run(environ, "engine/enginectl", "up")
    assert done.returncode == 0, done.stderr
    return environ


def _run(environ: Mapping[str, str], program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [str(ROOT / program), *arguments]
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def _start(environ: Mapping[str, str], program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program beside the test; it does not outlive it."""
    words = [str(ROOT / program), *arguments]
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


@contextlib.contextmanager
def _building(environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Have a client with a container that runs for long."""
    seconds = str(100_000 + os.getpid())
    with _start(environ, "daggerw", *RANDOM, f"sleep,{seconds}", "stdout") as client:
        end = time.monotonic() + 60
        while not any(_command(number) == ["sleep", seconds] for number in _processes()):
            assert client.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        yield client


def _processes() -> list[Path]:
    return [path for path in Path("/proc").iterdir() if path.name.isdigit()]


def _command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text().split("\0")[:-1]
    except OSError:
        return []


def _stdout(environ: Mapping[str, str], *arguments: str) -> str:
    done = _run(environ, "daggerw", *arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def _record(environ: Environ) -> dict[str, str]:
    record: dict[str, str] = json.loads(Path(environ["ARC_ENGINE_HOME"], "engine.json").read_text())
    return record


def _pid(environ: Environ) -> int:
    return int(Path(environ["ARC_ENGINE_HOME"], "run/pid").read_text().split()[0])


def _one_line(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Check that a failure is one line that says what to do; progress may precede it."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("arc engine: ")
    for part in parts:
        assert part in last


def test_a_second_start_takes_seconds_and_a_third_does_nothing(engine: Environ) -> None:
    assert _run(engine, "engine/enginectl", "down").returncode == 0
    begun = time.monotonic()
    done = _run(engine, "engine/enginectl", "up")
    assert done.returncode == 0
    assert time.monotonic() - begun < 10
    assert re.search(r"arc engine: up in .* registry 127\.0\.0\.1:\d+\n$", done.stderr)
    pid = _pid(engine)
    again = _run(engine, "engine/enginectl", "up")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert _pid(engine) == pid


def test_debian_comes_from_the_registry_on_loopback(engine: Environ) -> None:
    lock = json.loads(Path(engine["ARC_ENGINE_IMAGES_LOCK"]).read_text())
    assert lock["registry"] == f"127.0.0.1:{_record(engine)['port']}"
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
    assert _stdout(engine, *words).startswith("13")


def test_what_is_published_is_what_the_registry_has(engine: Environ) -> None:
    registry = f"127.0.0.1:{_record(engine)['port']}"
    words = ("core", "container", "from", "--address", "debian:trixie-slim", "publish", "--address")
    published = _stdout(engine, *words, f"{registry}/team/image:1")
    connection = http.client.HTTPConnection(registry, timeout=30)
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    connection.request("HEAD", "/v2/team/image/manifests/1", headers={"Accept": accept})
    digest = connection.getresponse().getheader("Docker-Content-Digest")
    connection.close()
    assert published == f"{registry}/team/image:1@{digest}"


def test_exit_codes_of_dagger_pass(engine: Environ) -> None:
    done = _run(engine, "daggerw", *RANDOM, "false", "stdout")
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


def test_shell_env_is_all_that_clients_need(engine: Environ) -> None:
    script = f'eval "$({ROOT}/daggerw --shell-env)"; dagger version; "$_EXPERIMENTAL_DAGGER_CLI_BIN" version'
    done = subprocess.run(["/bin/sh", "-ec", script], env=engine, capture_output=True, text=True, check=True)
    one, two = done.stdout.splitlines()
    assert one == two
    assert f"unix://{engine['ARC_ENGINE_HOME']}/run/sock/engine.sock" in one


def test_two_starts_at_once_wait_for_each_other(engine: Environ) -> None:
    assert _run(engine, "engine/enginectl", "down").returncode == 0
    words = (engine, "daggerw", *RANDOM, "true", "exit-code")
    errors = []
    with _start(*words) as one, _start(*words) as two:
        for child in (one, two):
            out, error = child.communicate(timeout=120)
            assert (child.returncode, out.strip()) == (0, "0"), error
            errors.append(error)
    assert sum("arc engine: up in" in error for error in errors) == 1
    assert sum("waiting for another start or stop of the engine" in error for error in errors) == 1


def test_down_refuses_while_clients_are_connected_and_force_keeps_the_cache(engine: Environ) -> None:
    digits = _stdout(engine, *RANDOM, *DIGITS)
    with _building(engine) as client:
        _one_line(
            _run(engine, "engine/enginectl", "down"),
            f"{client.pid} dagger core",
            "or run engine/enginectl down --force",
        )
        assert client.poll() is None
        done = _run(engine, "engine/enginectl", "down", "--force")
        assert done.returncode == 0
        assert f"ending {client.pid} dagger" in done.stderr
        assert "killed" not in done.stderr
        client.communicate(timeout=30)
        assert client.returncode != 0
    assert _stdout(engine, *RANDOM, *DIGITS) == digits


def test_the_cache_survives_a_restart(engine: Environ) -> None:
    digits = _stdout(engine, *RANDOM, *DIGITS)
    assert _run(engine, "engine/enginectl", "down").returncode == 0
    assert _stdout(engine, *RANDOM, *DIGITS) == digits


def test_an_engine_killed_in_mid_build_is_replaced_by_the_next_call(engine: Environ) -> None:
    with _building(engine) as client:
        os.kill(_pid(engine), signal.SIGKILL)
        done = _run(engine, "daggerw", *RANDOM, "echo,completed", "stdout")
        assert (done.returncode, done.stdout.strip()) == (0, "completed"), done.stderr
        assert "it had not been stopped in good order, so its cache starts empty" in done.stderr
        client.communicate(timeout=60)  # it has been waiting for the engine; the new one does not know it
        assert client.returncode != 0


def test_of_the_machine_nothing_changes(engine: Environ) -> None:
    record = _record(engine)
    rootfs = Path(record["rootfs"])
    network = f"{_run(engine, 'engine/enginectl', 'status').stdout.partition('network:  ')[2].split('0,')[0]}"
    assert _run(engine, "engine/enginectl", "down").returncode == 0
    before = machine(rootfs)
    assert _stdout(engine, *RANDOM, "cat,/etc/hostname", "stdout")
    running = machine(rootfs)
    assert f"{network}0" in running["interfaces"]  # the comparison would see it
    for part in ("files of /etc", "files of /usr", "resolver", "mounts", "places"):
        assert running[part] == before[part]
    assert _run(engine, "engine/enginectl", "down").returncode == 0
    after = machine(rootfs)
    for part, lines in before.items():
        assert after[part] == lines, part
    prefix = re.search(r"10\.\d+\.", running["routes"][[network in line for line in running["routes"]].index(True)])
    assert prefix
    for backend in ("legacy", "nft"):
        assert not [line for line in all_rules(rootfs, backend) if prefix[0] in line or network in line]


def test_a_taken_port_is_one_line(environ: Environ) -> None:
    _run(environ, "engine/enginectl", "down")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        done = _run({**environ, "ARC_ENGINE_REGISTRY_PORT": str(port)}, "engine/enginectl", "up")
    _one_line(done, f"port {port} is taken: set ARC_ENGINE_REGISTRY_PORT to a free one")


def test_addresses_of_another_network_are_one_line(environ: Environ) -> None:
    routes = Path("/proc/net/route").read_text().splitlines()[1:]
    used = next(line.split() for line in routes if line.split()[1] != "00000000")
    address = ".".join(str(byte) for byte in bytes.fromhex(used[1])[::-1][:2])
    done = _run({**environ, "ARC_ENGINE_CIDR": f"{address}.0.0/16"}, "engine/enginectl", "up")
    _one_line(done, f"addresses {address}.0.0/16 are in use by {used[0]}: set ARC_ENGINE_CIDR")


def _store_without(path: Path, *parts: str) -> Path:
    """Make a store that has the parts of the real one but for some."""
    path.mkdir()
    for part in STORE.iterdir():
        if part.is_dir() and part.name.rpartition("-")[0] not in parts:
            (path / part.name).symlink_to(part)
    return path


def test_an_interrupted_installation_is_completed(environ: Environ, tmp_path: Path) -> None:
    _run(environ, "engine/enginectl", "down")
    store = _store_without(tmp_path / "store", "debian")
    ours = {**environ, "ARC_ENGINE_STORE": str(store)}
    with _start(ours, "engine/enginectl", "up") as child:
        end = time.monotonic() + 60
        while not list(store.glob("debian-*.part*/blobs/sha256/part")):
            assert time.monotonic() < end
            time.sleep(0.01)
        child.kill()
        child.wait()
    assert [path for path in store.glob("debian-*") if ".part" not in path.name] == []
    done = _run(ours, "engine/enginectl", "up")
    assert done.returncode == 0, done.stderr
    assert "1 parts of the engine are built from package registries" in done.stderr
    (image,) = store.glob("debian-*")
    assert (image / "digest").read_text() == f"{_record(environ)['digest']}\n"
    assert _run(ours, "engine/enginectl", "down").returncode == 0


@pytest.mark.parametrize(
    ("size", "part"), [("60m", "GB are needed: free some, or set ARC_ENGINE_HOME"), ("64k", "No space left")]
)
def test_a_full_disk_is_one_line(environ: Environ, tmp_path: Path, size: str, part: str) -> None:
    """A small file system: too small for what is to be built, then too small for anything."""
    script = (
        'mount -t tmpfs -o size="$1" tmpfs "$2"; if [ "$1" = 64k ]; then head -c 64k /dev/zero > "$2/full" || :; fi;'
        ' exec "$3" up'
    )
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", size, str(tmp_path)]
    ours = {**environ, "ARC_ENGINE_HOME": str(tmp_path / "home"), "ARC_ENGINE_STORE": str(tmp_path / "home/store")}
    command = [*words, str(ROOT / "engine/enginectl")]
    _one_line(subprocess.run(command, env=ours, capture_output=True, text=True, check=False), part)


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ({"GOPROXY": "http://127.0.0.1:9"}, "the Go module proxy cannot be reached: check the network and GOPROXY"),
        ({"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}, "PyPI "),
    ],
)
def test_a_registry_out_of_reach_is_one_line(environ: Environ, tmp_path: Path, setting: Environ, part: str) -> None:
    """A CLI for an engine elsewhere is all that is asked for: that takes the module proxy, or PyPI for Go itself."""
    ours = {**environ, **setting, "ARC_ENGINE_STORE": str(tmp_path / "store"), "ARC_DAGGER_INSTALLER": ""}
    ours |= {"_EXPERIMENTAL_DAGGER_RUNNER_HOST": "tcp://127.0.0.1:9", "GOMODCACHE": str(tmp_path / "mod")}
    if "PIP_INDEX_URL" in setting:
        folders = [path for path in environ["PATH"].split(":") if not Path(path, "go").exists()]
        ours |= {"PATH": ":".join(folders), "PIP_RETRIES": "0"}
        ours.pop("PIP_FIND_LINKS", None)
    _one_line(_run(ours, "daggerw", "version"), part, "details: ")


def test_a_debian_mirror_out_of_reach_is_one_line(environ: Environ, tmp_path: Path) -> None:
    store = _store_without(tmp_path / "store", "debian", "base", "tools")
    ours = {**environ, "ARC_ENGINE_STORE": str(store), "http_proxy": "http://127.0.0.1:9"}
    done = _run(ours, "engine/enginectl", "up")
    _one_line(done, "the Debian mirror cannot be reached: check the network and apt's sources and proxy", "tools.log")
    assert "3 parts of the engine are built from package registries, once: about" in done.stderr
    assert [path.name for path in store.iterdir() if not path.is_symlink()] == ["lock"]


@pytest.mark.usefixtures("environ")
def test_without_root_it_says_what_else_works(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    copy = tmp_path / "repository"
    ignore = shutil.ignore_patterns("__pycache__", ".*_cache")
    shutil.copytree(ROOT / "engine", copy / "engine", ignore=ignore)
    shutil.copy(ROOT / "daggerw", copy)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    for folder in (tmp_path, *tmp_path.parents):
        if folder not in {Path("/"), Path("/tmp")}:  # noqa: S108  # pytest's own folders
            folder.chmod(0o755)
    words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", str(copy / "daggerw"), "version"]
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "ARC_DAGGER_INSTALLER": ""}
    if subprocess.run([*words[:-2], "python3", "--version"], env=env, capture_output=True, check=False).returncode:
        pytest.skip("no Python that other users may run")
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, cwd="/")
    _one_line(done, "needs root: run it with sudo, or use Docker or a remote engine")
