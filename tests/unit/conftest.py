"""A platform's repository, small and complete, that a test changes by one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from samples import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write services with their Dockerfiles, and profiles; returns the root."""

    def put(*services: dict[str, Any], profiles: object = None) -> Path:
        for service in services:
            folder = tmp_path / "services" / service.get("codename", "nameless")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "service.yaml").write_text(yaml.safe_dump(service, sort_keys=False))
            (folder / "Dockerfile").write_text("ARG GO_INFRA=x\nFROM ${GO_INFRA}\n")
        if profiles is not None:
            (tmp_path / "services" / "profiles.yaml").write_text(yaml.safe_dump(profiles, sort_keys=False))
        return tmp_path

    return put
