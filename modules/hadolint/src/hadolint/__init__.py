"""Lint Dockerfiles with hadolint, pinned, with an image registry or without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hadolint.main import Hadolint

__all__ = ["Hadolint"]


def __getattr__(name: str) -> type:
    """Load the Dagger object only for the module itself.

    Importing it registers it with the module that runs, and a module that merely uses `hadolint.lint` must not get
    this one's functions beside its own.
    """
    if name == "Hadolint":
        from hadolint.main import Hadolint  # noqa: PLC0415  # see above

        return Hadolint
    raise AttributeError(name)
