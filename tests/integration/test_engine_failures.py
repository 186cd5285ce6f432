"""The engine from package registries where it cannot be had: each time one line that says what to do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from engine_second import ROOT, Environ, one_line, record, run, second, start, store_without

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

environ = pytest.fixture(scope="module")(second)


def test_a_taken_port_is_one_line(environ: Environ) -> None:
    run(environ, "engine/enginectl", "down")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        done = run({**environ, "ARC_ENGINE_REGISTRY_PORT": str(port)}, "engine/enginectl", "up")
    one_line(done, f"port {port} is taken: set ARC_ENGINE_REGISTRY_PORT to a free one")


def test_addresses_of_another_network_are_one_line(environ: Environ) -> None:
    routes = Path("/proc/net/route").read_text().splitlines()[1:]
    used = next(line.split() for line in routes if line.split()[1] != "00000000")
    address = ".".join(str(byte) for byte in bytes.fromhex(used[1])[::-1][:2])
    done = run({**environ, "ARC_ENGINE_CIDR": f"{address}.0.0/16"}, "engine/enginectl", "up")
    one_line(done, f"addresses {address}.0.0/16 are in use by {used[0]}: set ARC_ENGINE_CIDR")


def test_an_interrupted_installation_is_completed(environ: Environ, tmp_path: Path) -> None:
    run(environ, "engine/enginectl", "down")
    store = store_without(tmp_path / "store", "debian")
    ours = {**environ, "ARC_ENGINE_STORE": str(store)}
    with start(ours, "engine/enginectl", "up") as child:
        end = time.monotonic() + 60
        while not list(store.glob("debian-*.part*/blobs/sha256/part")):
            assert time.monotonic() < end
            time.sleep(0.01)
        child.kill()
        child.wait()
    assert [path for path in store.glob("debian-*") if ".part" not in path.name] == []
    done = run(ours, "engine/enginectl", "up")
    assert done.returncode == 0, done.stderr
    assert "1 parts of the engine are built from package registries" in done.stderr
    (image,) = store.glob("debian-*")
    assert (image / "digest").read_text() == f"{record(environ)['digest']}\n"
    assert run(ours, "engine/enginectl", "down").returncode == 0


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
    one_line(subprocess.run(command, env=ours, capture_output=True, text=True, check=False), part)


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
    one_line(run(ours, "daggerw", "version"), part, "details: ")


def test_a_debian_mirror_out_of_reach_is_one_line(environ: Environ, tmp_path: Path) -> None:
    store = store_without(tmp_path / "store", "debian", "base", "tools")
    ours = {**environ, "ARC_ENGINE_STORE": str(store), "http_proxy": "http://127.0.0.1:9"}
    done = run(ours, "engine/enginectl", "up")
    one_line(done, "the Debian mirror cannot be reached: check the network and apt's sources and proxy", "tools.log")
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
    one_line(done, "needs root: run it with sudo, or use Docker or a remote engine")
