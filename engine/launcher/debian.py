"""Debian packages: mmdebstrap unpacked into our folder, the base file system, packages added to it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .commands import DEBIAN, Runner, need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pins import Pins
    from .settings import Settings

DEFAULT_MIRROR = "http://deb.debian.org"
_SOURCES = re.compile(r"^(?:URIs:|deb)\s+(?:\[[^\]]*\]\s+)?(https?://\S*?)/debian/?(?:\s.*)?$", re.MULTILINE)
_HOST_OPTIONS = re.compile(r'^Acquire::(?:https?|Retries|Check-|ForceIP|By-Hash).* ".*";$', re.MULTILINE)
BASE_OPTIONS = (
    "--mode=root",
    "--format=tar",
    "--variant=apt",
    "--include=ca-certificates",
    '--aptopt=APT::Install-Recommends "false"',
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale")),
)
_KEYRING = "debian-archive-keyring"
_APT_GET = ("apt-get", "-qq", "-o", "Dpkg::Use-Pty=0")
_NAMESPACES = ("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--propagation", "private")


def mirror(etc: Path = Path("/etc/apt")) -> str:
    """The mirror that this machine's apt uses, up to `/debian`.

    Args:
        etc: apt's configuration.
    """
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.suffix in {".list", ".sources"} and path.is_file():
            found = _SOURCES.search(path.read_text(errors="replace"))
            if found:
                return found[1]
    return DEFAULT_MIRROR


def host_options() -> str:
    """Those of this machine's apt options that say how to reach a mirror (proxy, retries), in apt's syntax."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    return "".join(f"{line}\n" for line in _HOST_OPTIONS.findall(dump))


def ca_bundle() -> Path | None:
    """The CAs this machine trusts, as one file."""
    candidates = (
        os.environ.get("SSL_CERT_FILE"),
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
    )
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def make_tools(settings: Settings, part: Path) -> None:
    """Fetches mmdebstrap and the archive's keys with the machine's apt, and unpacks them; nothing gets installed.

    Args:
        settings: the engine's settings.
        part: folder to fill; the programs end up in `part/usr`.
    """
    need("apt-get", "apt-config", "dpkg-deb", "perl", "tar", "unshare")
    runner = Runner(settings, "tools", DEBIAN)
    apt = part / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial", "parts", "log"):
        (apt / folder).mkdir(parents=True)
    options = [f'Dir::State "{apt}/state";', f'Dir::Cache "{apt}/cache";', f'Dir::Log "{apt}/log";']
    options += [f'Dir::Etc::parts "{apt}/parts";', 'APT::Sandbox::User "root";', 'Acquire::Languages "none";']
    release = platform.freedesktop_os_release()
    if release.get("ID") == "debian" and release.get("VERSION_CODENAME"):
        line = f"deb {mirror()}/debian {release['VERSION_CODENAME']} main\n"
        (apt / "sources.list").write_text(line)
        options += [f'Dir::Etc::sourcelist "{apt}/sources.list";', f'Dir::Etc::sourceparts "{apt}/parts";']
    (apt / "apt.conf").write_text("\n".join(options) + "\n" + host_options())
    env = {"APT_CONFIG": str(apt / "apt.conf")}
    runner.run([*_APT_GET, "update"], env=env)
    runner.run([*_APT_GET, "download", "mmdebstrap", _KEYRING], env=env, cwd=apt)
    for package in sorted(apt.glob("*.deb")):
        runner.run(["dpkg-deb", "-x", package, part])
    runner.run(["rm", "-rf", apt])


def make_base(settings: Settings, pins: Pins, tools: Path, part: Path) -> None:
    """Makes the base file system: apt, its dependencies and CA certificates, no manuals and translations.

    Args:
        settings: the engine's settings.
        pins: suite and date.
        tools: result of `make_tools`.
        part: folder to fill: `base.tar`.
    """
    runner = Runner(settings, "base", DEBIAN)
    # The machine's user _apt must not get in: then apt works as root, and no number of this machine's ends up in there.
    part.chmod(0o700)
    keyring = next((tools / "usr/share/keyrings").glob(f"{_KEYRING}.*"))
    site, suite = mirror(), pins.suite
    (part / "sources.list").write_text(
        f"deb {site}/debian {suite} main\ndeb {site}/debian {suite}-updates main\n"
        f"deb {site}/debian-security {suite}-security main\n"
    )
    (part / "host.conf").write_text(host_options())
    hook = "/etc/apt/apt.conf.d/00host"
    words: list[str | Path] = [*_NAMESPACES, "--mount-proc", tools / "usr/bin/mmdebstrap"]
    words += [
        *BASE_OPTIONS,
        f"--keyring={keyring}",
        f'--setup-hook=cp "{part}/host.conf" "$1{hook}"',
        f'--customize-hook=rm "$1{hook}"',
    ]
    words += [suite, part / "base.tar", part / "sources.list"]
    env = {"SOURCE_DATE_EPOCH": str(pins.epoch), "TMPDIR": str(part), "LC_ALL": "C.UTF-8"}
    runner.run(words, env=env)
    (part / "host.conf").unlink()


class Root:
    """A Debian root file system being made.

    Args:
        settings: the engine's settings.
        path: its folder.
        runner: runs its commands.
    """

    def __init__(self, settings: Settings, path: Path, runner: Runner) -> None:
        self.path = path
        self.runner = runner
        self._script = settings.source / "inside/in-root"

    def unpack(self, base: Path) -> None:
        """Puts the base file system there.

        Args:
            base: result of `make_base`.
        """
        self.path.mkdir(parents=True)
        self.runner.run(["tar", "-C", self.path, "--numeric-owner", "-xf", base / "base.tar"])

    def run(self, *command: str, env: dict[str, str] | None = None) -> None:
        """Runs a command in it, in namespaces of its own: no mount and no process of it reaches the machine.

        Args:
            command: program and arguments.
            env: variables to set.
        """
        bundle = ca_bundle()
        # What the machine's own environment says of certificate files does not hold in there.
        keep = {name: value for name, value in os.environ.items() if name.lower() in _PASSED}
        inside = {"PATH": _PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **keep}
        if bundle:
            inside |= {"SSL_CERT_FILE": "/tmp/ca.crt", "PIP_CERT": "/tmp/ca.crt"}  # noqa: S108  # a tmpfs of its own
        variables = [f"{name}={value}" for name, value in {**inside, **(env or {})}.items()]
        self.runner.run([*_NAMESPACES, "sh", self._script, self.path, bundle or "", "env", "-i", *variables, *command])

    def install(self, packages: Sequence[str]) -> None:
        """Adds Debian packages, without what they merely recommend.

        Args:
            packages: their names.
        """
        options = self.path / "etc/apt/apt.conf.d/00host"
        trust = 'Acquire::https::CAInfo "/tmp/ca.crt";\n' if ca_bundle() else ""
        options.write_text(host_options() + trust)
        policy = self.path / "usr/sbin/policy-rc.d"  # forbids packages to start their daemons
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        self.run(*_APT_GET, "update")
        self.run(*_APT_GET, "install", "--yes", "--no-install-recommends", *packages)
        self.run(*_APT_GET, "clean")
        options.unlink()
        policy.unlink()
        self.run("find", "/var/lib/apt/lists", "/var/log", "/var/cache/debconf", "-type", "f", "-delete")


_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PASSED = {
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "ftp_proxy",
    "goproxy",
    "gosumdb",
    "gonosumdb",
    "goprivate",
    "gonoproxy",
    "pip_index_url",
    "pip_extra_index_url",
    "source_date_epoch",
}
