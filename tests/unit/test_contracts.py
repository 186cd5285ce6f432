"""What stands twice must be equal: service.yaml and Dockerfile, tags and labels."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.catalogue import load
from pipeline.catalogue.plan import BASES, Platform

ROOT = Path(__file__).parents[2]
PLATFORM = Platform.read(ROOT)
ENTRIES = {entry.service.codename: entry for entry in PLATFORM.catalogue.entries}
SECONDS = re.compile(r"--(interval|timeout|start-period|retries)=(\d+)s?")


def dockerfile(codename: str) -> str:
    entry = ENTRIES[codename]
    return (ROOT / entry.folder / entry.service.build.dockerfile).read_text().replace("\\\n", " ")


def label(text: str, name: str) -> str:
    match = re.search(rf'{re.escape(name)}="([^"]*)"', text)
    assert match, name
    return match[1]


@pytest.mark.parametrize("codename", sorted(ENTRIES))
def test_the_health_check_is_that_of_the_dockerfile(codename: str) -> None:
    check = ENTRIES[codename].service.healthcheck
    assert check
    match = re.search(r"^HEALTHCHECK (.*?)\s+CMD (\[.*\])\s*$", dockerfile(codename), re.MULTILINE)
    assert match
    assert json.loads(match[2]) == check.test[1:]
    numbers = {key: float(value) for key, value in SECONDS.findall(match[1])}
    assert numbers == {
        "interval": check.interval,
        "timeout": check.timeout,
        "start-period": check.start_period,
        "retries": check.retries,
    }


@pytest.mark.parametrize("codename", sorted(ENTRIES))
def test_labels_ports_and_user_are_those_of_the_catalogue(codename: str) -> None:
    service, text = ENTRIES[codename].service, dockerfile(codename)
    assert label(text, "org.opencontainers.image.title") == service.name
    assert label(text, "org.opencontainers.image.licenses") == service.license
    assert label(text, "arc.service.codename") == service.codename
    assert label(text, "arc.service.role") == service.role
    assert label(text, "arc.service.tier") == service.tier
    exposed = re.search(r"^EXPOSE (.*)$", text, re.MULTILINE)
    assert exposed
    assert {int(port) for port in exposed[1].split()} == {port.port for port in service.open_ports}
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "1000:1000"


@pytest.mark.parametrize("codename", sorted(ENTRIES))
def test_the_default_of_a_base_is_what_is_published(codename: str) -> None:
    tags = {stage: tag for base in BASES.values() for stage, tag in base.stages}
    named = re.findall(r"^ARG [A-Z_]+=ghcr.io/arc-framework/base-([a-z-]+):(\S+)$", dockerfile(codename), re.MULTILINE)
    assert named
    assert dict(named) == {stage: tags[stage] for stage, _ in named}


@pytest.mark.parametrize("base", sorted(BASES))
def test_a_base_is_labelled_with_its_tag(base: str) -> None:
    text = (ROOT / "base-images" / base / "Dockerfile").read_text()
    assert label(text, "org.opencontainers.image.version") == BASES[base].tag


def test_hadolint_finds_nothing_in_any_dockerfile() -> None:
    """Also in those that no image of the catalogue is built from."""
    tool = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert tool
    folders = ("base-images", "modules", "pipeline", load.SERVICES)
    files = [str(file) for folder in folders for file in sorted((ROOT / folder).rglob("*Dockerfile"))]
    assert len(files) >= 10
    done = subprocess.run(
        [tool, "--config", str(ROOT / ".hadolint.yaml"), *files], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
