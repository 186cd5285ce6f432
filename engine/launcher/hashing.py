"""Content hashes: a result is named by everything that went into it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_LENGTH = 20  # hexadecimal digits of a key: 80 bits


def tree(root: Path) -> str:
    """Hash of a file or of a folder's files: relative names, contents and executable bits.

    Args:
        root: the file or folder. Python's bytecode and Go's tests do not count.

    Returns:
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for path in sorted(_files(root)):
        name = os.fspath(path.relative_to(root)) if path != root else ""
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name}\0{int(os.access(path, os.X_OK))}\0{content}\n".encode())
    return digest.hexdigest()


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    found: list[Path] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [Path(folder, name) for name in files if not name.endswith("_test.go")]
    return found


def key(*inputs: object) -> str:
    """Key of a result.

    Args:
        inputs: versions, keys of other results, options; paths count by their content.

    Returns:
        A short hexadecimal name.
    """
    digest = hashlib.sha256()
    for item in inputs:
        text = tree(item) if isinstance(item, Path) else repr(item)
        digest.update(f"{len(text)}:{text}".encode())
    return digest.hexdigest()[:_LENGTH]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file of any size, in hexadecimal.

    Args:
        path: the file.
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
