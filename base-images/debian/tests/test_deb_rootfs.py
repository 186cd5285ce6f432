"""deb-rootfs, with the machine's own apt and dpkg on a repository of hand-made packages."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[1] / "deb-rootfs"
EPOCH = 1_700_000_000


def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), *args]
    return subprocess.run(command, env={**os.environ, **env}, text=True, capture_output=True, check=False)


def package(repository: Path, name: str, version: str, files: dict[str, str]) -> str:
    """Build a package; return its paragraph for the repository's index."""
    tree = repository / f"{name}-{version}.tree"
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    sums = "".join(f"{hashlib.md5(text.encode()).hexdigest()}  {path}\n" for path, text in files.items())  # noqa: S324 - the format's checksum
    control = (
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <n@example.org>\nDescription: x\n"
    )
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(control)
    (tree / "DEBIAN/md5sums").write_text(sums)
    (tree / "DEBIAN/postinst").write_text("#!/bin/sh\ntouch /this-must-not-run\n")
    (tree / "DEBIAN/postinst").chmod(0o755)
    deb = repository / f"{name}_{version}_all.deb"
    command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(deb)]
    subprocess.run(command, check=True, capture_output=True)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    return f"{control}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n\n"


@pytest.fixture
def apt(tmp_path: Path) -> dict[str, str]:
    """A configuration in which apt knows nothing but three hand-made packages."""
    repository, state = tmp_path / "repository", tmp_path / "apt"
    repository.mkdir()
    for folder in ("lists/partial", "archives/partial", "etc"):
        (state / folder).mkdir(parents=True)
    docs = {
        "usr/share/doc/alpha/copyright": "licence",
        "usr/share/doc/alpha/changelog": "long",
        "usr/share/man/man1/alpha.1": "manual",
        "usr/share/locale/de/alpha.mo": "text",
    }
    index = package(repository, "alpha", "1.2-1", {"usr/bin/alpha": "old", **docs})
    index += package(repository, "alpha", "1.2-2", {"usr/bin/alpha": "new", "usr/lib/alpha/extra": "x", **docs})
    index += package(repository, "alpha", "2.0-1", {"usr/bin/alpha": "next"})
    index += package(repository, "beta", "1:3", {"lib/beta.conf": "beta"})
    (repository / "Packages").write_text(index)
    (state / "status").write_text("")
    (state / "etc/sources.list").write_text(f"deb [trusted=yes] file:{repository} ./\n")
    (state / "apt.conf").write_text(
        f'Dir::State "{state}";\nDir::State::lists "{state}/lists";\nDir::State::status "{state}/status";\n'
        f'Dir::Cache "{state}";\nDir::Etc "{state}/etc";\nDir::Etc::sourceparts "-";\nAPT::Sandbox::User "root";\n'
    )
    return {"APT_CONFIG": str(state / "apt.conf")}


def test_exactly_the_named_packages_arrive(tmp_path: Path, apt: dict[str, str]) -> None:
    root = tmp_path / "root"
    done = run(str(root), "alpha=1.2-*", "beta", **apt)
    assert done.returncode == 0, done.stderr
    assert "2 packages" in done.stdout
    assert (root / "usr/bin/alpha").read_text() == "new", "the newest of the versions that match"
    assert (root / "usr/lib/beta.conf").read_text() == "beta", "an old path goes through the link"
    assert [(root / name).readlink() for name in ("bin", "lib", "lib64", "sbin")] == [
        Path("usr", name) for name in ("bin", "lib", "lib64", "sbin")
    ]
    assert not Path("/this-must-not-run").exists()


def test_documentation_stays_behind_and_copyright_does_not(tmp_path: Path, apt: dict[str, str]) -> None:
    root = tmp_path / "root"
    assert run("--exclude", "./usr/lib/alpha", str(root), "alpha=1.2-2", **apt).returncode == 0
    kept = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and "dpkg" not in path.parts}
    assert kept == {"usr/bin/alpha", "usr/share/doc/alpha/copyright"}


def test_packages_are_recorded_as_scanners_expect(tmp_path: Path, apt: dict[str, str]) -> None:
    root = tmp_path / "root"
    assert run("--exclude", "./usr/lib/alpha", str(root), "alpha=1.2-2", **apt).returncode == 0
    status = root / "var/lib/dpkg/status.d"
    assert "Package: alpha\nVersion: 1.2-2\n" in (status / "alpha").read_text()
    listed = [line.split(maxsplit=1)[1] for line in (status / "alpha.md5sums").read_text().splitlines()]
    assert sorted(listed) == ["usr/bin/alpha", "usr/share/doc/alpha/copyright"]


def test_times_are_clamped(tmp_path: Path, apt: dict[str, str]) -> None:
    root = tmp_path / "root"
    assert run(str(root), "beta", SOURCE_DATE_EPOCH=str(EPOCH), **apt).returncode == 0
    assert {path.lstat().st_mtime for path in [root, *root.rglob("*")]} == {float(EPOCH)}


@pytest.mark.parametrize("wanted", ["gamma", "alpha=9.*"])
def test_what_is_not_there_fails_by_name(wanted: str, tmp_path: Path, apt: dict[str, str]) -> None:
    done = run(str(tmp_path / "root"), wanted, **apt)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"deb-rootfs: apt-get download failed for: {wanted}"


@pytest.mark.parametrize(
    "args", [(), ("--check",), ("--exclude",), ("--exclude", "./x"), ("--unknown", "x"), ("root",)]
)
def test_wrong_use_is_one_line_and_two(args: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*(str(tmp_path / arg) if arg == "root" else arg for arg in args))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("deb-rootfs: usage: ")


def elf(file: Path, *needed: str, runpath: str = "", mode: int = 0o755) -> None:
    """Write the least that readelf takes for a program that needs libraries."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in (*needed, runpath))
    offsets, at = [], 1
    for name in (*needed, runpath):
        offsets.append(at)
        at += len(name.encode()) + 1
    header, segments = 64, 2 * 56
    text_at = header + segments
    dynamic_at = text_at + len(strings)
    entries = [(1, offset) for offset in offsets[:-1]] + ([(29, offsets[-1])] if runpath else [])
    entries += [(5, text_at), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    size = dynamic_at + len(dynamic)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head = ident + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, header, 0, 0, 64, 56, 2, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 1)
    pointer = struct.pack("<IIQQQQQQ", 2, 4, dynamic_at, dynamic_at, dynamic_at, len(dynamic), len(dynamic), 1)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(head + load + pointer + strings + dynamic)
    file.chmod(mode)


def test_check_passes_when_every_library_is_there(tmp_path: Path) -> None:
    elf(tmp_path / "usr/bin/tool", "liba.so.1", "libb.so.1")
    elf(tmp_path / "usr/lib/x86_64-linux-gnu/liba.so.1.2", "libb.so.1", mode=0o644)
    (tmp_path / "usr/lib/x86_64-linux-gnu/liba.so.1").symlink_to("liba.so.1.2")
    elf(tmp_path / "opt/b/libb.so.1")
    (tmp_path / "usr/lib/libb.so.1").symlink_to("/opt/b/libb.so.1")
    done = run("--check", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "deb-rootfs: 2 dynamic ELF files, every library is there\n"


def test_check_names_a_missing_library(tmp_path: Path) -> None:
    elf(tmp_path / "usr/lib/libplugin.so", "libgone.so.7", mode=0o644)
    (tmp_path / "usr/lib/libdangling.so.1").symlink_to("nowhere")
    elf(tmp_path / "usr/bin/tool", "libdangling.so.1")
    done = run("--check", str(tmp_path))
    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == [
        "deb-rootfs: /usr/bin/tool needs libdangling.so.1, which is not there",
        "deb-rootfs: /usr/lib/libplugin.so needs libgone.so.7, which is not there",
    ]


def test_check_looks_where_the_run_path_points(tmp_path: Path) -> None:
    elf(tmp_path / "app/ext/one.so", "libown.so", runpath="$ORIGIN/../own")
    elf(tmp_path / "app/own/libown.so")
    assert run("--check", str(tmp_path)).returncode == 0
    elf(tmp_path / "app/ext/two.so", "libown.so")
    done = run("--check", str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "deb-rootfs: /app/ext/two.so needs libown.so, which is not there\n")


def test_check_takes_libraries_of_the_image_below(tmp_path: Path) -> None:
    elf(tmp_path / "top/usr/bin/tool", "libbase.so.1")
    elf(tmp_path / "base/usr/lib/libbase.so.1")
    alone = run("--check", str(tmp_path / "top"))
    assert (alone.returncode, alone.stderr) == (1, "deb-rootfs: /usr/bin/tool needs libbase.so.1, which is not there\n")
    assert run("--check", str(tmp_path / "top"), str(tmp_path / "base")).returncode == 0


def test_check_refuses_setuid(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/su").write_text("")
    (tmp_path / "bin/su").chmod(0o4755)
    done = run("--check", str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "deb-rootfs: /bin/su is setuid or setgid\n")


def test_check_of_nothing_is_a_mistake(tmp_path: Path) -> None:
    done = run("--check", str(tmp_path / "nothing"))
    assert (done.returncode, done.stderr) == (2, f"deb-rootfs: {tmp_path}/nothing: no such directory\n")
