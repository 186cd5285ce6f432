from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from pathlib import Path

from launcher.oci import Blobs


def _tar(path: Path) -> Path:
    path.parent.joinpath("file").write_text("content")
    with tarfile.open(path, "w") as tar:
        tar.add(path.parent / "file", "file")
    return path


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_an_image_names_blobs_that_are_there(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    tar = _tar(tmp_path / "layer.tar")
    content = tar.read_bytes()
    layers = [blobs.layer_gzip(tar), blobs.layer(tar)]
    digest = blobs.image(layers, "arm64", {"Env": ["A=b"]}, "2026-01-01T00:00:00Z")

    manifest = json.loads(blobs.file(digest).read_bytes())
    assert _sha256(blobs.file(digest).read_bytes()) == digest
    for blob in (manifest["config"], *manifest["layers"]):
        data = blobs.file(blob["digest"]).read_bytes()
        assert (_sha256(data), len(data)) == (blob["digest"], blob["size"])
    compressed, plain = manifest["layers"]
    assert gzip.decompress(blobs.file(compressed["digest"]).read_bytes()) == content
    assert compressed["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    assert plain["mediaType"] == "application/vnd.oci.image.layer.v1.tar"

    config = json.loads(blobs.file(manifest["config"]["digest"]).read_bytes())
    assert config["rootfs"]["diff_ids"] == [_sha256(content)] * 2
    assert (config["architecture"], config["config"]) == ("arm64", {"Env": ["A=b"]})


def test_the_same_layers_make_the_same_image(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        blobs = Blobs(tmp_path / name / "blobs")
        tar = tmp_path / name / "layer.tar"
        tar.write_bytes(_tar(tmp_path / "one.tar").read_bytes() if name == "a" else (tmp_path / "one.tar").read_bytes())
        digests.add(blobs.image([blobs.layer_gzip(tar)], "amd64", {}, "2026-01-01T00:00:00Z"))
    assert len(digests) == 1
