"""The engine's own root file system, and the Debian image that the registry serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .commands import DEBIAN, Runner
from .debian import Root
from .oci import Blobs

if TYPE_CHECKING:
    from pathlib import Path

    from .pins import Pins
    from .settings import Settings

# What upstream's image holds, in Debian's names, less what this engine never runs (Kata's and qemu's parts, sqlite3):
# the container machinery; git, ssh and ripgrep for directories; compression; tini as PID 1; the registry.
PACKAGES = (
    "ca-certificates",
    "containernetworking-plugins",
    "dnsmasq-base",
    "docker-registry",
    "git",
    "iproute2",
    "iptables",
    "mount",
    "nftables",
    "openssh-client",
    "openssl",
    "pigz",
    "ripgrep",
    "runc",
    "tini",
    "xz-utils",
)
_FOLDERS = ("etc/dagger", "opt/cni/bin", "usr/local/share/dagger/content", "var/lib/dagger", "var/lib/registry")
_CNI_PLUGINS = ("bridge", "loopback", "firewall", "host-local")
# Where the engine looks for them (module/distconsts).
_LINKS = {
    "usr/local/bin/runc": "/usr/sbin/runc",
    "usr/local/bin/tini": "/usr/bin/tini",
    "usr/bin/xtables-nft-multi": "/usr/sbin/xtables-nft-multi",
    "usr/bin/xtables-legacy-multi": "/usr/sbin/xtables-legacy-multi",
    **{f"opt/cni/bin/{plugin}": f"/usr/lib/cni/{plugin}" for plugin in _CNI_PLUGINS},
}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def make_rootfs(settings: Settings, base: Path, part: Path) -> None:
    """Makes the root file system, as the lowest layer of the one the engine runs in.

    Args:
        settings: the engine's settings.
        base: the base file system.
        part: folder to fill: `layer/`.
    """
    root = Root(settings, part / "layer", Runner(settings, "rootfs", DEBIAN))
    root.unpack(base)
    root.install(PACKAGES)
    for folder in _FOLDERS:
        (root.path / folder).mkdir(parents=True, exist_ok=True)
    for place, target in _LINKS.items():
        (root.path / place).symlink_to(target)
    # The engine picks legacy or nft itself and makes links in /usr/bin. Debian's own, to nft, are in /usr/sbin, which
    # comes first in PATH: they must go.
    for tool in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            (root.path / f"usr/sbin/{tool}{suffix}").unlink()
    (root.path / "etc/resolv.conf").write_text("")


def make_image(pins: Pins, base: Path, part: Path) -> None:
    """Makes the image that stands in for `debian:trixie-slim`.

    Args:
        pins: its date and architecture.
        base: the base file system, its only layer.
        part: folder to fill: `blobs/` and `digest`.
    """
    blobs = Blobs(part / "blobs")
    layer = blobs.layer_gzip(base / "base.tar")
    config = {"Cmd": ["bash"], "Env": [f"PATH={_PATH}"]}
    digest = blobs.image([layer], pins.arch, config, f"{pins.date.isoformat()}T00:00:00Z")
    (part / "digest").write_text(digest + "\n")
