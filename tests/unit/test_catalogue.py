from __future__ import annotations

from typing import Any

import pytest
import yaml
from samples import Write, describe

from pipeline.catalogue import load
from pipeline.catalogue.model import Service
from pipeline.errors import USAGE, UsageError, UsageGroupError


def test_reads_a_service(write: Write) -> None:
    root = write(describe("sonic", port=6379, ports=[6379, {"port": 6380, "protocol": "udp"}], depends_on=[]))
    (entry,) = load.load(root).entries
    assert entry.file == "services/sonic/service.yaml"
    assert entry.folder == "services/sonic"
    assert [(port.port, port.protocol) for port in entry.service.open_ports] == [(6379, "tcp"), (6380, "udp")]
    assert entry.service.aliases == ("sonic", "sonic-role", "arc-sonic")
    assert entry.service.repository == "arc-sonic"


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("arc-cache", "arc-cache"),
        ("ghcr.io/acme/arc-cache:8", "arc-cache"),
        ("localhost:5000/a/b/arc-cache@sha256:00", "arc-cache"),
        ("localhost:5000/arc-cache:8@sha256:00", "arc-cache"),
    ],
)
def test_repository_of_an_image(write: Write, image: str, repository: str) -> None:
    assert load.load(write(describe("a", image=image))).services[0].repository == repository


def test_unknown_keys_are_kept_and_named(write: Write) -> None:
    (entry,) = load.load(write(describe("sonic", colour="red"))).entries
    assert entry.unknown == ("colour",)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"image": None}, "services/sonic/service.yaml: image: field required; add the key"),
        ({"port": 70000}, "services/sonic/service.yaml: port: input should be less than or equal to 65535, got 70000"),
        ({"role": "Sonic!"}, "role: must be lower-case letters and digits"),
        (
            {"ports": [{"port": 1, "protocol": "sctp"}]},
            "ports.0.protocol: input should be 'tcp', 'udp', 'http', 'https', 'grpc' or 'ws', got 'sctp'",
        ),
        ({"depends_on": "oracle"}, "depends_on: input should be a valid list"),
        ({"healthcheck": {"test": ["redis-cli"]}}, "healthcheck.test: must begin with CMD or CMD-SHELL"),
        ({"healthcheck": {"test": "true", "interval": "soon"}}, "healthcheck.interval: must be a duration such as"),
        ({"volumes": [{"name": "data", "path": "data"}]}, "volumes.0.path: must be an absolute path, got 'data'"),
        ({"secrets": [{"name": "p", "env": "p-w"}]}, "secrets.0.env:"),
        ({"image": ""}, "image: must be an image reference such as"),
        ({"version": "1 0"}, "version: must be usable as a tag"),
        ({"build": {"dockerfile": "Nope"}}, "build.dockerfile: has a name that no tool knows; call it Dockerfile"),
        ({"budget": {"size_mb": 0}}, "budget.size_mb: input should be greater than 0"),
        ({"build": {"base": "alpine"}}, "build.base: input should be 'go-infra' or 'python-ai', got 'alpine'"),
        (
            {"build": {"dockerfile": "x.Dockerfile"}},
            "there is no file `x.Dockerfile`; add services/sonic/x.Dockerfile",
        ),
        ({"build": {"context": "../../.."}}, "build.context: leads out of services/"),
    ],
)
def test_a_mistake_names_file_key_and_fix(write: Write, change: dict[str, Any], expected: str) -> None:
    root = write(describe("sonic", **change))
    with pytest.raises((UsageError, UsageGroupError)) as caught:
        load.load(root)
    assert expected in str(caught.value)
    assert str(caught.value).count("\n") == 0
    assert caught.value.exit_code == USAGE


def test_every_mistake_is_reported_not_just_the_first(write: Write) -> None:
    root = write(describe("a", image=None), describe("b", port=0))
    with pytest.raises(UsageGroupError) as caught:
        load.load(root)
    assert [error.where for error in caught.value.all] == [
        "services/a/service.yaml: image",
        "services/b/service.yaml: port",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"role": "a-role"}, "services/b/service.yaml: role/name: name `a-role` is taken by services/a/service.yaml"),
        ({"port": 80}, "services/b/service.yaml: ports: port 80/tcp is taken by services/a/service.yaml"),
        ({"image": "arc-a:9"}, "services/b/service.yaml: image: image `arc-a` is taken by services/a/service.yaml"),
    ],
)
def test_nothing_is_claimed_twice(write: Write, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError, match="taken") as caught:
        load.load(write(describe("a", port=80), describe("b", **change)))
    assert expected in str(caught.value)


def test_the_same_port_over_another_protocol_is_free(write: Write) -> None:
    udp = [{"port": 80, "protocol": "udp"}]
    assert len(load.load(write(describe("a", port=80), describe("b", ports=udp))).services) == 2


@pytest.mark.parametrize(
    ("text", "expected"), [("", "is empty"), ("- a\n", "is not a mapping"), ("a: [\n", "is not YAML")]
)
def test_a_file_that_is_no_mapping(write: Write, text: str, expected: str) -> None:
    root = write(describe("a"))
    (root / "services" / "a" / "service.yaml").write_text(text)
    with pytest.raises(UsageError, match=f"services/a/service.yaml: {expected}"):
        load.load(root)


def test_two_services_in_one_file(write: Write) -> None:
    root = write(describe("a"))
    file = root / "services" / "a" / "service.yaml"
    file.write_text(file.read_text() + "---\n" + file.read_text().replace("arc-a", "arc-b").replace(": a", ": b"))
    assert [service.codename for service in load.load(root).services] == ["a", "b"]


def test_an_empty_repository(write: Write) -> None:
    with pytest.raises(UsageError, match=r"services: holds no service.yaml"):
        load.load(write())


def test_the_nearest_names_are_offered(write: Write) -> None:
    catalogue = load.load(write(describe("sherlock"), describe("sonic")))
    assert catalogue.find("arc-sonic").service.codename == "sonic"
    with pytest.raises(UsageError, match="no service is called `sherlok`; nearest: sherlock"):
        catalogue.find("sherlok")


def test_a_port_for_both_transports_stays_two() -> None:
    service = Service.model_validate(describe("dns", port=53, ports=[{"port": 53, "protocol": "udp"}]))
    assert [(port.port, port.transport) for port in service.open_ports] == [(53, "tcp"), (53, "udp")]


def test_a_codename_counts_more_than_a_folder(write: Write) -> None:
    root = write(describe("a"), describe("x"))
    for one, other in (("a", "x"), ("x", "a")):
        (root / "services" / one / "service.yaml").write_text(yaml.safe_dump(describe(other)))
    assert load.load(root).find("a").service.codename == "a"
