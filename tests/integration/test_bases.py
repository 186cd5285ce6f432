"""Each base image by itself, before a service stands on it."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pytest
from cli import call

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1800)]
WANTED = {"etc/passwd", "etc/ssl/certs/ca-certificates.crt", "usr/share/zoneinfo/Europe/Berlin"}
SHELLS = {"sh", "bash", "dash", "busybox"}
MANAGERS = {"apt", "apt-get", "dpkg", "pip", "pip3", "curl", "wget", "gcc", "cc", "g++", "make", "uv"}


@dataclass(frozen=True)
class Image:
    """A base image as a registry would give it: every file with owner and mode."""

    name: str
    config: dict[str, Any]
    files: dict[str, tarfile.TarInfo]
    contents: dict[str, bytes]


@pytest.fixture(scope="module", params=["go-infra", "python-ai"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Image:
    name = str(request.param)
    path = tmp_path_factory.mktemp(name) / "image.tar"
    answer = call("base", "--name", name, "as-tarball", "export", "--path", str(path))
    assert answer.code == 0, answer.err
    with tarfile.open(path) as archive:

        def read(member: str) -> bytes:
            file = archive.extractfile(member)
            assert file is not None
            return file.read()

        (entry,) = json.loads(read("manifest.json"))
        config = json.loads(read(entry["Config"]))["config"]
        files, contents = {}, {}
        for layer in entry["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(read(layer))) as tar:
                for member in tar:
                    files[member.name.lstrip("./")] = member
                    if member.name.lstrip("./") in WANTED:
                        file = tar.extractfile(member)
                        contents[member.name.lstrip("./")] = file.read() if file else b""
    return Image(name, config, files, contents)


def test_the_user(base: Image) -> None:
    assert base.config["User"] == "1000:1000"
    assert b"arcuser:x:1000:1000:" in base.contents["etc/passwd"]
    assert (base.files["home/arcuser"].uid, base.files["home/arcuser"].gid) == (1000, 1000)


def test_no_setuid_and_nothing_world_writable(base: Image) -> None:
    real = {name: info for name, info in base.files.items() if not info.issym()}
    assert [name for name, info in real.items() if info.mode & 0o6000] == []
    assert [name for name, info in real.items() if info.mode & 0o002 and not info.mode & 0o1000] == []


def test_no_shell_and_no_tools_of_a_builder(base: Image) -> None:
    programs = {PurePosixPath(name).name for name in base.files if PurePosixPath(name).parent.name in {"bin", "sbin"}}
    assert "arc-probe" in programs
    assert programs & (SHELLS | MANAGERS) == set()


def test_certificates_and_time_zones(base: Image) -> None:
    assert base.contents["etc/ssl/certs/ca-certificates.crt"].count(b"BEGIN CERTIFICATE") > 100
    assert base.contents["usr/share/zoneinfo/Europe/Berlin"].startswith(b"TZif")


def test_health_check_and_labels(base: Image) -> None:
    assert base.config["Healthcheck"]["Test"][:2] == ["CMD", "arc-probe"]
    labels = base.config["Labels"]
    assert {f"org.opencontainers.image.{key}" for key in ("title", "version", "source", "licenses")} <= set(labels)
    assert labels["arc.service.codename"] == base.name


def test_the_probe_tells_healthy_from_unhealthy() -> None:
    probe = ("base", "--name", "python-ai", "with-exec", "--expect", "ANY", "--args")
    assert call(*probe, "arc-probe,exec,python,-c,pass", "exit-code").out.strip() == "0"
    assert call(*probe, "arc-probe,exec,arc-probe,tcp,127.0.0.1:1,-timeout,1s", "exit-code").out.strip() == "1"
    assert call(*probe, "arc-probe,tcp", "exit-code").out.strip() == "2"


def test_python_speaks_tls_zones_and_the_libraries() -> None:
    script = (
        "import ssl, zoneinfo, datetime, nats, opentelemetry.sdk, ctypes;"
        "ctypes.CDLL('libpq.so.5');"
        "assert len(ssl.create_default_context().get_ca_certs()) > 100;"
        "print(datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).utcoffset())"
    )
    answer = call("base", "--name", "python-ai", "with-exec", "--args", f'python,-c,"{script}"', "stdout")
    assert answer.out.strip() == "2:00:00", answer.err
    version = call("base", "--name", "python-ai", "with-exec", "--args", "psql,--version", "stdout")
    assert version.out.startswith("psql (PostgreSQL) 17")


def test_size() -> None:
    """The budget of the bases is part of `build-all`; the aims are stricter, and kept here."""
    aims = {"go-infra": 8_000_000, "python-ai": 150_000_000}
    images = {image["name"]: image["size"] for image in call("build-all", "report", "--format", "json").json["images"]}
    assert {name: images[name] for name, aim in aims.items() if images[name] > aim} == {}
