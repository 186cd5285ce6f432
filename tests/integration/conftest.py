"""Fixtures of the integration tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from cli import ROOT, Answer, Repository, call


@pytest.fixture(scope="session")
def built() -> Answer:
    """One build of the whole catalogue, for all tests that look at it."""
    return call("build-all", "--profile", os.environ.get("ARC_TEST_PROFILE", "full"), "report", "--format", "json")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Make a repository with our base images and a few of our services, which a test may spoil."""

    def make(services: Sequence[str]) -> Path:
        root = tmp_path / "platform"
        shutil.copytree(ROOT / "base-images", root / "base-images")
        for name in (".hadolint.yaml", ".arc/images.lock.json"):
            (root / name).parent.mkdir(exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, root / name)
        ignore = shutil.ignore_patterns(".venv", "__pycache__", ".*_cache")
        for service in services:
            shutil.copytree(ROOT / "services" / service, root / "services" / service, ignore=ignore)
        return root

    return make
