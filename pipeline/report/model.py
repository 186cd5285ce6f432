"""What a build has to say about each image."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

MB = 1_000_000
"""Bytes of a megabyte, as budgets count them."""
Status = Literal["passed", "failed", "error"]
"""`failed`: findings or a budget; `error`: it could not be built or looked at."""


@dataclass(frozen=True)
class Note:
    """One thing about an image that a person must read."""

    check: str
    text: str
    file: str = ""
    line: int = 0
    fix: str = ""
    fails: bool = True

    def __str__(self) -> str:
        """One line."""
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.text}" + (f" ({self.fix})" if self.fix else "")


@dataclass(frozen=True)
class ImageResult:
    """One image: what was done with it, and what came out."""

    name: str
    kind: Literal["base", "service"]
    reference: str
    status: Status = "error"
    digest: str = ""
    """Digest of the manifest, as a registry will name it; empty when there is no image."""
    size: int = 0
    """Bytes of the unpacked root filesystem."""
    compressed: int = 0
    """Bytes of the layers as a registry keeps them."""
    budget: int = 0
    """Bytes that the unpacked root filesystem may have; 0 is no limit."""
    scanned: bool = False
    """Whether the image itself was looked into."""
    vulnerabilities: bool = False
    """Whether there was a vulnerability database."""
    seconds: float = 0.0
    notes: tuple[Note, ...] = ()

    @property
    def errors(self) -> tuple[Note, ...]:
        """The notes that fail it."""
        return tuple(note for note in self.notes if note.fails)

    def count(self, check: str) -> int:
        """How many failing notes a check made."""
        return sum(note.check == check for note in self.errors)


@dataclass(frozen=True)
class BuildResult:
    """All images of one call."""

    images: tuple[ImageResult, ...]
    started: str
    """UTC, ISO 8601."""
    seconds: float
    platform: str
    tools: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """The worst of all images."""
        found = {image.status for image in self.images}
        return "error" if "error" in found else "failed" if "failed" in found else "passed"

    @property
    def failures(self) -> tuple[ImageResult, ...]:
        """Every image that did not pass."""
        return tuple(image for image in self.images if image.status != "passed")

    def to_dict(self) -> dict[str, Any]:
        """State that survives JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> BuildResult:
        """Undo `to_dict`.

        Args:
            state: What it returned, possibly after JSON.

        Returns:
            The result.
        """
        images = [{**image, "notes": tuple(Note(**note) for note in image["notes"])} for image in state["images"]]
        rest = {key: value for key, value in state.items() if key not in {"images", "warnings"}}
        return cls(images=tuple(ImageResult(**i) for i in images), warnings=tuple(state["warnings"]), **rest)
