"""The version of Dagger stands in `engine/version`; everything else that names one must agree."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from launcher import pins


@pytest.fixture
def version(root: Path) -> str:
    """Give the pinned version."""
    found = pins.version(root / "engine")
    assert re.fullmatch(r"v\d+\.\d+\.\d+", found)
    return found


def test_go_modules(root: Path, version: str) -> None:
    module = (root / "engine/module/go.mod").read_text()
    assert f"\nrequire github.com/dagger/dagger {version} " in module
    runtime = (root / "engine/sdk/python-runtime/go.mod").read_text()
    assert f"\tdagger.io/dagger {version}\n" in runtime
    assert f"\tdagger.io/dagger => dagger.io/dagger {version}\n" in runtime
    assert f"--lib-version {version}" in (root / "engine/sdk/go-codegen").read_text()


def test_python_packages(root: Path, version: str) -> None:
    wanted = f"dagger-io=={version.removeprefix('v')}"
    assert wanted in (root / "engine/sdk/requirements.in").read_text().split()
    assert f"\n{wanted} \\\n" in (root / "engine/sdk/requirements.txt").read_text()
    assert wanted in tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]


def test_modules(root: Path, version: str) -> None:
    modules = [
        root / "dagger.json",
        root / "engine/sdk/python-runtime/dagger.json",
        *root.glob("modules/*/dagger.json"),
    ]
    assert {json.loads(path.read_text())["engineVersion"] for path in modules} == {version}


def test_every_python_package_is_pinned_by_hash(root: Path) -> None:
    entries = re.split(r"\n(?=\S)", (root / "engine/sdk/requirements.txt").read_text().strip())
    assert len(entries) > 20
    assert all(re.match(r"[\w.-]+==\S+", entry) and "--hash=sha256:" in entry for entry in entries)


def test_gos_toolchain_compiles_the_modules(root: Path) -> None:
    pinned = pins.load(root / "engine")
    toolchain = [int(number) for number in pinned.go_toolchain.split(".")]
    for path in (root / "engine/module/go.mod", root / "engine/sdk/python-runtime/go.mod"):
        found = re.search(r"^go (\S+)$", path.read_text(), re.MULTILINE)
        assert found
        assert [int(number) for number in found[1].split(".")] <= toolchain


def test_each_architecture_has_a_wheel_of_go(root: Path) -> None:
    wheel = tomllib.loads((root / "engine/pins.toml").read_text())["go"]["wheel"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", wheel["version"])
    assert len({wheel["amd64"], wheel["arm64"]}) == 2
    assert all(re.fullmatch(r"[0-9a-f]{64}", wheel[arch]) for arch in ("amd64", "arm64"))
