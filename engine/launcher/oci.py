"""OCI images as blobs in a folder: layers, configuration, manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .hashing import file_sha256

if TYPE_CHECKING:
    from pathlib import Path

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Blob:
    """A stored blob.

    Attributes:
        digest: `sha256:...`.
        size: bytes.
        media_type: what it is.
        diff_id: for a layer the digest of its uncompressed tar, else empty.
    """

    digest: str
    size: int
    media_type: str
    diff_id: str = ""

    def descriptor(self) -> dict[str, Any]:
        """The blob as a manifest names it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


class Blobs:
    """A folder of blobs, `sha256/<hex>`.

    Args:
        path: the folder; made when needed.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path / "sha256"
        self.folder.mkdir(parents=True, exist_ok=True)

    def file(self, digest: str) -> Path:
        """A blob's file.

        Args:
            digest: `sha256:...`.
        """
        return self.folder / digest.removeprefix("sha256:")

    def layer(self, tar: Path) -> Blob:
        """Stores a tar file, uncompressed, as a layer; the tar file is used up.

        Args:
            tar: the file, on the same file system.
        """
        digest = f"sha256:{file_sha256(tar)}"
        size = tar.stat().st_size
        tar.rename(self.file(digest))
        return Blob(digest, size, _LAYER, digest)

    def layer_gzip(self, tar: Path) -> Blob:
        """Stores a tar file as a compressed layer.

        Args:
            tar: the file.
        """
        part = self.folder / "part"
        with part.open("wb") as out:  # no name, no time: the same tar gives the same blob
            subprocess.run(["gzip", "--no-name", "--stdout", tar], stdout=out, check=True)
        digest = f"sha256:{file_sha256(part)}"
        size = part.stat().st_size
        part.rename(self.file(digest))
        return Blob(digest, size, f"{_LAYER}+gzip", f"sha256:{file_sha256(tar)}")

    def image(self, layers: list[Blob], arch: str, config: dict[str, Any], created: str) -> str:
        """Stores an image of stored layers.

        Args:
            layers: from the lowest up.
            arch: architecture, such as `amd64`.
            config: `Env`, `Cmd` and so on.
            created: time in RFC 3339.

        Returns:
            Digest of its manifest.
        """
        rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
        description = {"created": created, "architecture": arch, "os": "linux", "config": config, "rootfs": rootfs}
        configuration = self._json(description, _CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": configuration.descriptor(),
            "layers": [layer.descriptor() for layer in layers],
        }
        return self._json(manifest, _MANIFEST).digest

    def copy_from(self, other: Path) -> None:
        """Takes over all blobs of another folder, by hard link where that can be.

        Args:
            other: the folder that has `sha256/`.
        """
        for blob in (other / "sha256").iterdir():
            target = self.folder / blob.name
            try:
                target.hardlink_to(blob)
            except FileExistsError:
                continue
            except OSError:
                shutil.copyfile(blob, target)

    def _json(self, content: dict[str, Any], media_type: str) -> Blob:
        data = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.file(digest).write_bytes(data)
        return Blob(digest, len(data), media_type)
