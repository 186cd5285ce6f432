"""arc-uv-layer: what it reads from a lock, and what it says when the lock and the base disagree."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

HERE = Path(__file__).resolve().parent


def _load() -> ModuleType:
    """Load the script from its file: it is a program of an image, not a package."""
    spec = importlib.util.spec_from_file_location("arc_uv_layer", HERE.parent / "arc_uv_layer.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


layer = _load()

EXPORTED = """\
# by uv
nats-py==2.16.0 \\
    --hash=sha256:aa
Pydantic_Core==2.41.5 ; python_full_version >= '3.9' \\
    --hash=sha256:bb \\
    --hash=sha256:cc

uvicorn[standard]==0.54.0 --hash=sha256:dd
"""


def test_pins_are_read_with_their_hashes() -> None:
    """Names are canonical, continued lines belong together, extras and markers do not disturb."""
    pins = layer.read_pins(EXPORTED)
    assert [(pin.name, pin.version) for pin in pins] == [
        ("nats-py", "2.16.0"),
        ("pydantic-core", "2.41.5"),
        ("uvicorn", "0.54.0"),
    ]
    assert pins[1].text.endswith("--hash=sha256:cc")
    assert pins[2].text == "uvicorn[standard]==0.54.0 --hash=sha256:dd"


@pytest.mark.parametrize("line", ["./vendored", "demo @ https://example.org/demo.whl", "httpx>=0.28", "-e ."])
def test_what_is_not_pinned_is_refused(line: str) -> None:
    """A path, an address or a range cannot be checked by a hash."""
    with pytest.raises(layer.MistakeError, match=r"uv\.lock: .* is not a package at a version"):
        layer.read_pins(f"nats-py==2.16.0\n{line}\n")


def test_packages_of_the_base_are_left_out() -> None:
    """What the base has at the same version is not installed a second time."""
    base = layer.read_pins("nats-py==2.16.0\nuvicorn==0.54.0\nprotobuf==7.36.2\n")
    assert [pin.name for pin in layer.beside_base(layer.read_pins(EXPORTED), base)] == ["pydantic-core"]


def test_every_disagreement_is_named_with_the_command_that_ends_it() -> None:
    """All packages that differ from the base are in the one message."""
    base = layer.read_pins("nats-py==2.15.0\npydantic.core==2.41.0\n")
    with pytest.raises(layer.MistakeError) as caught:
        layer.beside_base(layer.read_pins(EXPORTED), base)
    assert str(caught.value) == (
        "uv.lock: not the version of the base: nats-py 2.16.0 (base: 2.15.0), pydantic-core 2.41.5 (base: 2.41.0); "
        "run: uv lock --upgrade-package nats-py==2.15.0 --upgrade-package pydantic-core==2.41.0"
    )


def test_the_base_list_is_readable_and_pinned() -> None:
    """The list that the image carries is one that the script reads, with a hash for each package."""
    pins = layer.read_pins((HERE.parent / "requirements.txt").read_text())
    assert {"nats-py", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"} <= {pin.name for pin in pins}
    assert all("--hash=sha256:" in pin.text for pin in pins)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["deps", "/app/.venv"], "pyproject.toml: not in "),
        (["project", "/elsewhere"], "/elsewhere: the path file of the virtual environment names /app/site"),
    ],
)
def test_mistakes_are_one_line_and_exit_two(
    argv: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A user's mistake shows no traceback."""
    monkeypatch.chdir(tmp_path)
    assert layer.main(argv) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
