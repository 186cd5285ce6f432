from __future__ import annotations

import json
import re
from pathlib import Path

import hadolint.lint
import pytest
import trivy.scan

from pipeline.build import images
from pipeline.errors import UsageError

ROOT = Path(__file__).parents[2]
REFERENCE = re.compile(
    r"(?:^|\s|=)((?:docker\.io|ghcr\.io|quay\.io)/[\w./-]+(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?)", re.MULTILINE
)


def test_the_lock_is_pinned_and_read() -> None:
    assert images.PINNED.match(images.read(ROOT, images.LOCK)["debian"])


@pytest.mark.parametrize("reference", [hadolint.lint.IMAGE, trivy.scan.IMAGE])
def test_the_tools_are_pinned(reference: str) -> None:
    assert images.PINNED.match(reference)


def test_every_dockerfile_names_the_locked_base() -> None:
    """A Dockerfile must build by itself, so it repeats the reference; here is what keeps them equal."""
    locked = images.read(ROOT, images.LOCK)["debian"]
    files = [
        file
        for pattern in ("base-images/*/Dockerfile", "modules/*/tool/Dockerfile", "pipeline/**/*.Dockerfile")
        for file in ROOT.glob(pattern)
    ]
    named = {
        file: match[1] for file in files for match in re.finditer(r"^ARG DEBIAN=(\S+)", file.read_text(), re.MULTILINE)
    }
    assert len(named) >= 4
    assert {str(file): reference for file, reference in named.items() if reference != locked} == {}


def test_external_images_have_a_digest() -> None:
    """Our own images have none before they are published; everything else must."""
    files = [
        *ROOT.glob("base-images/*/Dockerfile"),
        *ROOT.glob("services/*/Dockerfile"),
        *ROOT.glob("modules/*/tool/Dockerfile"),
    ]
    found = [(file, reference) for file in files for reference in REFERENCE.findall(file.read_text())]
    assert [
        (str(f), r) for f, r in found if "@sha256:" not in r and not r.startswith("ghcr.io/arc-framework/base-")
    ] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is no lock file"),
        ("{}", "is no lock file"),
        (json.dumps({"images": {"debian": "debian:trixie-slim"}}), "debian: `debian:trixie-slim` has no digest"),
    ],
)
def test_a_wrong_lock(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "base-images").mkdir()
    (tmp_path / images.LOCK).write_text(text)
    with pytest.raises(UsageError, match=re.escape("base-images/images.lock.json")) as caught:
        images.read(tmp_path, images.LOCK)
    assert expected in str(caught.value)


def test_no_lock_is_an_empty_one(tmp_path: Path) -> None:
    assert images.read(tmp_path, images.LOCAL_LOCK) == {}
