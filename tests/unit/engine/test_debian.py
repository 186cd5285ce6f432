from __future__ import annotations

from pathlib import Path

import pytest
from launcher import debian


@pytest.mark.parametrize(
    ("name", "text", "mirror"),
    [
        ("sources.list", "# x\ndeb http://mirror.example/debian bookworm main\n", "http://mirror.example"),
        (
            "sources.list",
            "deb [signed-by=/k.gpg arch=amd64] https://m.example/debian/ trixie main\n",
            "https://m.example",
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb\n# a comment\nURIs: http://m.example/debian\nSuites: trixie\n",
            "http://m.example",
        ),
        ("sources.list.d/other.list", "deb https://apt.example/thing stable main\n", debian.DEFAULT_MIRROR),
        ("sources.list.d/security.sources", "URIs: http://m.example/debian-security\n", debian.DEFAULT_MIRROR),
        ("sources.list.d/old.list.save", "deb http://m.example/debian x main\n", debian.DEFAULT_MIRROR),
        ("sources.list", "deb-src http://m.example/debian x main\n", debian.DEFAULT_MIRROR),
    ],
)
def test_the_mirror_is_the_one_apt_uses(tmp_path: Path, name: str, text: str, mirror: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert debian.mirror(tmp_path) == mirror


def test_without_sources_it_is_debians_own(tmp_path: Path) -> None:
    assert debian.mirror(tmp_path) == debian.DEFAULT_MIRROR


def test_only_options_about_reaching_a_mirror_are_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = tmp_path / "apt-config"
    dump.write_text(
        "#!/bin/sh\ncat <<X\n"
        'Acquire "";\nAcquire::http::Proxy "http://proxy.example:3128";\nAcquire::Retries "3";\n'
        'Acquire::Check-Valid-Until "false";\nAcquire::IndexTargets "";\nAPT::Update::Post-Invoke:: "rm -rf /tmp/x";\n'
        'DPkg::Post-Invoke:: "true";\nX\n'
    )
    dump.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert debian.host_options().splitlines() == [
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::Retries "3";',
        'Acquire::Check-Valid-Until "false";',
    ]
