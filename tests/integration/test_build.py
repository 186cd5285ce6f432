from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cli import ROOT, Answer, Repository, call, note

pytestmark = [pytest.mark.engine, pytest.mark.timeout(3600)]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


def test_everything_is_built_linted_and_scanned(built: Answer) -> None:
    assert built.code == 0, built.err
    document = built.json
    failed = [check for check in document["checks"] if check["status"] == "failed"]
    assert failed == []
    assert document["status"] == "passed"
    names = [image["name"] for image in document["images"]]
    assert names[:2] == ["go-infra", "python-ai"]
    assert {"oracle", "sonic", "flash", "raymond", "sherlock"} <= set(names)
    for image in document["images"]:
        assert DIGEST.match(image["digest"]), image
        assert 0 < image["compressed"] < image["size"] <= image["budget"]
        note(f"built and scanned: {image['name']:10} {image['size'] / 1e6:7.1f} MB  {image['digest']}")
    catalogue = {service["codename"] for service in call("list", "--format", "json").json["services"]}
    note(f"not built: {', '.join(sorted(catalogue - set(names))) or 'none, this is the whole catalogue'}")
    vulnerability = {check["details"] for check in document["checks"] if check["name"].endswith(":vulnerability")}
    note(f"vulnerabilities: {', '.join(sorted(vulnerability)) or 'scanned'}")


@pytest.mark.usefixtures("built")
def test_a_second_call_with_nothing_changed_does_no_work() -> None:
    """It prints the table for people, and takes only what asking the engine takes."""
    begun = time.monotonic()
    answer = call("build-all")
    seconds = time.monotonic() - begun
    assert answer.code == 0, answer.err
    assert re.search(r"^.*IMAGE +STATUS +SIZE +BUDGET", answer.err, re.MULTILINE)
    note(f"second build-all: {seconds:.0f} s")
    assert seconds < 120


def test_two_calls_at_once_give_the_same() -> None:
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: call("build-all", "--only", "sonic", "--only", "flash", "digests"), range(2))
    assert (one.code, other.code) == (0, 0), one.err + other.err
    assert one.json == other.json
    assert set(one.json) == {"go-infra", "sonic", "flash"}


def test_an_image_can_be_run_and_inspected(built: Answer) -> None:
    assert built.code == 0
    digests = call("build-all", "digests").json
    assert digests == {image["name"]: image["digest"] for image in built.json["images"]}
    user = call("build-all", "image", "--name", "raymond", "container", "user")
    assert user.out.strip() == "1000:1000"
    components = call("build-all", "image", "--name", "raymond", "sbom", "contents").json["components"]
    assert "github.com/jackc/pgx/v5" in {component["name"] for component in components}


def test_half_of_the_credentials_is_refused_before_anything_is_built() -> None:
    answer = call("publish", "--only", "sonic", "--username", "someone")
    assert answer.code == 2
    assert answer.error == ["--password: is missing; give user and password, or neither"]


def test_an_unknown_image_names_those_there_are() -> None:
    answer = call("build-all", "--only", "sonic", "image", "--name", "sonik", "digest")
    assert answer.code == 2
    assert answer.error == ["--name: no image `sonik` was built; there are: go-infra, sonic"]


def test_every_failure_is_reported_not_just_the_first(repository: Repository) -> None:
    root = repository(["sonic", "flash", "oracle"])
    _append(root, "sonic", 'RUN ["/no-such-program"]\n')
    _append(root, "flash", "USER root\n")
    service = root / "services" / "oracle" / "service.yaml"
    service.write_text(re.sub(r"size_mb: \d+", "size_mb: 1", service.read_text()))
    answer = call("--source", str(root), "build-all")
    assert answer.code == 1, answer.err
    text = "\n".join(answer.error)
    assert re.search(r"^sonic +error", text, re.MULTILINE), text
    assert re.search(r"^sonic: build: services/sonic/Dockerfile: .*no-such-program", text, re.MULTILINE)
    assert re.search(r"^flash: lint: services/flash/Dockerfile:\d+: DL3002 ", text, re.MULTILINE), text
    assert re.search(r"^flash: misconfiguration: services/flash/Dockerfile", text, re.MULTILINE)
    assert re.search(r"^oracle: budget: [\d.]+ MB unpacked, budget 1 MB", text, re.MULTILINE)
    assert re.search(r"^go-infra +passed", text, re.MULTILINE)
    assert text.endswith("not passed: flash, oracle, sonic")


def test_a_secret_in_an_image_fails_it(repository: Repository) -> None:
    root = repository(["sonic"])
    key = "AKIA" + "QWERTYUIOPASDFGH"  # the form of an access key, and no key
    (root / "services" / "sonic" / "leak.env").write_text(f"AWS_ACCESS_KEY_ID={key}\n")
    ignore = root / "services" / "sonic" / ".dockerignore"
    ignore.write_text(ignore.read_text() + "!leak.env\n" if ignore.is_file() else "")
    _append(root, "sonic", "COPY leak.env /leak.env\n")
    answer = call("--source", str(root), "build-all", "report", "--format", "json")
    assert answer.code == 0, answer.err
    (found,) = [check for check in answer.json["checks"] if check["name"] == "sonic:secret"]
    assert found["status"] == "failed"
    assert "leak.env" in found["file"]
    assert key not in answer.out


def test_publish_returns_what_the_registry_answers(built: Answer) -> None:
    assert built.code == 0
    registry = _registry()
    answer = call(
        "--registry", registry, "--namespace", "acme/platform", "publish", "--only", "sonic", "--only", "raymond"
    )
    assert answer.code == 0, answer.err
    published = {entry["name"]: entry for entry in answer.json}
    assert set(published) == {"go-infra", "debian-builder", "go-infra-builder", "sonic", "raymond"}
    for name, entry in published.items():
        repository, tag = entry["reference"].partition("/")[2].partition("@")[0].rsplit(":", 1)
        request = urllib.request.Request(
            f"http://{registry}/v2/{repository}/manifests/{tag}", headers={"Accept": MANIFEST}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.headers["Docker-Content-Digest"] == entry["digest"]
        assert entry["tag"] == tag
        assert entry["platform"] == "linux/amd64"
        assert DIGEST.match(entry["digest"]), name


def test_publish_pushes_what_passed_and_names_what_did_not(repository: Repository) -> None:
    root = repository(["sonic", "flash"])
    _append(root, "flash", 'RUN ["/no-such-program"]\n')
    answer = call("--source", str(root), "--registry", _registry(), "--namespace", "acme/partial", "publish")
    assert answer.code == 1
    text = "\n".join(answer.error)
    assert "not pushed, since they did not pass: flash" in text
    assert '"name": "sonic"' in text
    with urllib.request.urlopen(f"http://{_registry()}/v2/acme/partial/arc-cache/tags/list", timeout=30) as response:
        assert json.load(response)["tags"] == ["8.0.2"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{_registry()}/v2/acme/partial/arc-messaging/tags/list", timeout=30)


def _registry() -> str:
    """The engine's registry on loopback, where the engine from registries runs."""
    lock = ROOT / ".arc" / "images.lock.json"
    if not lock.is_file():
        reason = "publish was not tested: this engine has no registry on loopback (the engine from registries has)"
        note(reason)
        pytest.skip(reason)
    return str(json.loads(lock.read_text())["registry"])


def _append(root: Path, service: str, text: str) -> None:
    file = root / "services" / service / "Dockerfile"
    file.write_text(file.read_text() + text)


def test_refreshing_the_lock_never_writes_a_stand_in() -> None:
    answer = call("refresh-images", "is-empty")
    assert answer.code == 0, answer.err
    remark = re.search(r"debian: (kept|\S+ is up to date|\S+ is now sha256:[0-9a-f]{64})", answer.err)
    assert remark, answer.err
    assert answer.out.strip() == ("false" if " is now " in remark[0] else "true")
