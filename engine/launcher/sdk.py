"""The SDKs built into the engine: images for Go and Python modules, made of Debian, PyPI and Go modules."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .commands import DEBIAN, GO, PYPI, Runner
from .debian import Root
from .golang import toolchain
from .oci import Blobs
from .store import remove

if TYPE_CHECKING:
    from pathlib import Path

    from .pins import Pins
    from .settings import Settings

CONTENT = "usr/local/share/dagger/content/blobs"  # where the engine looks (module/distconsts)
_SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
GO_ENV = (f"PATH=/usr/local/go/bin:/go/bin:{_SYSTEM}", "GOPATH=/go", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
PYTHON_ENV = (f"PATH=/opt/venv/bin:{_SYSTEM}", "VIRTUAL_ENV=/opt/venv")
PYTHON_PACKAGES = ("python3", "python3-venv")
# What the client that `codegen` writes imports: compiled ahead, so that the first module need not wait for it.
GO_WARM = (
    "dagger.io/dagger/...",
    "github.com/Khan/genqlient/graphql",
    "github.com/dagger/otel-go",
    "github.com/dagger/querybuilder",
    "github.com/vektah/gqlparser/v2/gqlerror",
    "go.opentelemetry.io/otel",
    "go.opentelemetry.io/otel/sdk/trace",
    "go.opentelemetry.io/otel/trace",
    "golang.org/x/sync/errgroup",
)
_TAR = ("--numeric-owner", "--sort=name", "--one-file-system", "--exclude=./var/cache/apt/*", "--exclude=./tmp/*")


def make_go_base(settings: Settings, pins: Pins, go: str, base: Path, part: Path) -> None:
    """Makes the lower layer of the Go SDK: Debian, git, the Go toolchain, modules and packages compiled ahead.

    Args:
        settings: the engine's settings.
        pins: the toolchain's version.
        go: a Go program.
        base: the base file system.
        part: folder to fill: `layer.tar`.
    """
    runner = Runner(settings, "sdk-go", DEBIAN)
    root = Root(settings, part / "root", runner)
    root.unpack(base)
    root.install(["git"])
    runner.run(["cp", "-a", toolchain(settings, pins, go), root.path / "usr/local/go"])
    runner.run(["chmod", "-R", "u+w", root.path / "usr/local/go"])
    runner.run(["rm", "-rf", *(root.path / "usr/local/go" / name for name in ("test", "api", "doc"))])
    root.runner = Runner(settings, "sdk-go-modules", GO)
    warm = root.path / "warm"
    warm.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(settings.source / "sdk/python-runtime" / name, warm / name)
    env = dict(item.split("=", 1) for item in GO_ENV)
    root.run("go", "-C", "/warm", "mod", "download", env=env)
    root.run("nice", "go", "-C", "/warm", "build", *GO_WARM, env=env)
    runner.run(["rm", "-rf", warm])
    _pack(runner, root, part)


def make_go(settings: Settings, pins: Pins, base: Path, programs: Path, part: Path) -> None:
    """Makes the image for Go modules: the lower layer and `codegen`.

    Args:
        settings: the engine's settings.
        pins: versions, date, architecture.
        base: result of `make_go_base`.
        programs: result of `make_programs`.
        part: folder to fill: a layer of the engine's root file system, and `digest`.
    """
    upper = part / "upper"
    for source, place in (
        (settings.source / "sdk/go-codegen", upper / "usr/local/bin/codegen"),
        (programs / "bin/codegen", upper / "usr/local/libexec/codegen"),
    ):
        place.parent.mkdir(parents=True)
        shutil.copyfile(source, place)
        place.chmod(0o755)
    _image(settings, pins, base, GO_ENV, part)


def make_python_base(settings: Settings, base: Path, part: Path) -> None:
    """Makes the lower layer of the Python SDK: Debian, Python, and a virtual environment with uv and dagger-io.

    Args:
        settings: the engine's settings.
        base: the base file system.
        part: folder to fill: `layer.tar`.
    """
    runner = Runner(settings, "sdk-python", DEBIAN)
    root = Root(settings, part / "root", runner)
    root.unpack(base)
    root.install(PYTHON_PACKAGES)
    root.runner = Runner(settings, "sdk-python-packages", PYPI)
    lock = root.path / "requirements.txt"
    shutil.copyfile(settings.source / "sdk/requirements.txt", lock)
    root.run("python3", "-m", "venv", "/opt/venv")
    pip = ("/opt/venv/bin/pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "install", "--no-compile")
    root.run(*pip, "--require-hashes", "--only-binary=:all:", "--requirement=/requirements.txt")
    root.run("/opt/venv/bin/pip", "--quiet", "uninstall", "--yes", "pip")
    # Bytecode that is never checked against its source: layers do not keep the times it would be checked by.
    compile_ = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/opt/venv/lib", "/usr/lib/python3")
    root.run("/opt/venv/bin/python", *compile_)
    lock.unlink()
    _pack(runner, root, part)


def make_python(settings: Settings, pins: Pins, base: Path, part: Path) -> None:
    """Makes the image for Python modules: the lower layer and the runtime, a Go module that serves them.

    Args:
        settings: the engine's settings.
        pins: date, architecture.
        base: result of `make_python_base`.
        part: folder to fill: a layer of the engine's root file system, and `digest`.
    """
    upper = part / "upper"
    shutil.copytree(settings.source / "sdk/python-runtime", upper / "runtime")
    (upper / "runtime/runtime.py").rename(upper / "runtime.py")
    (upper / "runtime.py").chmod(0o755)
    _image(settings, pins, base, PYTHON_ENV, part)


def _pack(runner: Runner, root: Root, part: Path) -> None:
    runner.run(["tar", "-C", root.path, *_TAR, "-cf", part / "layer.tar", "."])
    remove(root.path)


def _image(settings: Settings, pins: Pins, base: Path, env: tuple[str, ...], part: Path) -> None:
    """Stores the lower layer, `part/upper` and the image of both as content of the engine's root file system."""
    upper, tar = part / "upper", part / "upper.tar"
    owner = ("--owner=0", "--group=0", f"--mtime=@{pins.epoch}")
    Runner(settings, "sdk-images", DEBIAN).run(["tar", "-C", upper, *_TAR, *owner, "-cf", tar, "."])
    remove(upper)
    lower = part / "lower.tar"
    try:
        lower.hardlink_to(base / "layer.tar")
    except OSError:
        shutil.copyfile(base / "layer.tar", lower)
    blobs = Blobs(part / "layer" / CONTENT)
    layers = [blobs.layer(lower), blobs.layer(tar)]
    config = {"Env": list(env), "WorkingDir": "/"}
    digest = blobs.image(layers, pins.arch, config, f"{pins.date.isoformat()}T00:00:00Z")
    (part / "digest").write_text(digest + "\n")
