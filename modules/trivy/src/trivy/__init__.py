"""Scan images and Dockerfiles with trivy, pinned, with an image registry or without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trivy.main import Trivy

__all__ = ["Trivy"]


def __getattr__(name: str) -> type:
    """Load the Dagger object only for the module itself.

    Importing it registers it with the module that runs, and a module that merely uses `trivy.scan` must not get this
    one's functions beside its own.
    """
    if name == "Trivy":
        from trivy.main import Trivy  # noqa: PLC0415  # see above

        return Trivy
    raise AttributeError(name)
