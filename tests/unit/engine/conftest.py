"""Fixtures of the launcher's tests; they need no engine and nothing beside pytest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "engine"))  # the launcher is no installed package


@pytest.fixture
def root() -> Path:
    """Give the repository."""
    return ROOT


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give an environment whose engine lives in a temporary folder."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "ARC_ENGINE_HOME": str(tmp_path / "home"),
        "ARC_ENGINE_IMAGES_LOCK": str(tmp_path / "images.lock.json"),
        "ARC_DAGGER_INSTALLER": "",
    }


@pytest.fixture
def programs(tmp_path: Path) -> Callable[[str, str], Path]:
    """Make a shell program in a folder of its own; gives the folder, for PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()

    def make(name: str, body: str) -> Path:
        program = folder / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        return folder

    return make
