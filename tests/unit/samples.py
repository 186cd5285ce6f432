"""Descriptions of services that tests begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Write = Callable[..., Path]


def describe(codename: str, **changes: object) -> dict[str, Any]:
    """A valid service.yaml as a mapping; a change to None takes the key away."""
    service = {
        "codename": codename,
        "role": f"{codename}-role",
        "name": f"arc-{codename}",
        "image": f"ghcr.io/acme/arc-{codename}:1.2.3",
        "version": "1.2.3",
        "health": "true",
        "depends_on": [],
        **changes,
    }
    return {key: value for key, value in service.items() if value is not None}
