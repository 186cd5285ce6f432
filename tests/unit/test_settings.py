from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import settings
from pipeline.errors import UsageError, UsageGroupError


def test_defaults(tmp_path: Path) -> None:
    chosen = settings.load(tmp_path)
    assert (chosen.registry, chosen.namespace, chosen.severity) == ("ghcr.io", "arc-framework", ["HIGH", "CRITICAL"])
    assert chosen.reference("arc-cache", "8.0.2") == "ghcr.io/arc-framework/arc-cache:8.0.2"


def test_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "arc.toml").write_text('[arc]\nregistry = "file"\nnamespace = "file"\ntag = "file"\n')
    monkeypatch.setenv("ARC_NAMESPACE", "variable")
    monkeypatch.setenv("ARC_TAG", "variable")
    chosen = settings.load(tmp_path, tag="call", registry="", concurrency=None)
    assert (chosen.registry, chosen.namespace, chosen.tag) == ("file", "variable", "call")


def test_a_file_without_the_table(tmp_path: Path) -> None:
    (tmp_path / "arc.toml").write_text("concurrency = 2\n")
    assert settings.load(tmp_path).concurrency == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("concurrency = 0\n", "arc.toml or ARC_CONCURRENCY: key `concurrency`: Input should be greater than"),
        ("colour = 1\n", "arc.toml: key `colour` is unknown; known keys: concurrency,"),
        ("a = [\n", "arc.toml: is not TOML"),
        ('registry = "https://ghcr.io"\n', "key `registry`: must be a host such as ghcr.io"),
        ('severity = ["BAD"]\n', "key `severity`"),
        ('tag = "a b"\n', "key `tag`: must be letters, digits"),
        ('platform = "banana"\n', "key `platform`: Input should be 'linux/amd64' or 'linux/arm64'"),
        ("arc = 5\n", "arc.toml: arc: is not a table"),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "arc.toml").write_text(text)
    with pytest.raises((UsageError, UsageGroupError)) as caught:
        settings.load(tmp_path)
    assert expected in str(caught.value)


def test_a_wrong_argument_is_named_as_the_option(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--log-level: key `log_level`"):
        settings.load(tmp_path, log_level="loud")


def test_a_variable_that_is_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARC_SEVERITY", "HIGH")
    with pytest.raises(UsageError, match=r"ARC_\* variables: .*severity.*write a list as JSON"):
        settings.load(tmp_path)


def test_the_tag_is_for_services_only(tmp_path: Path) -> None:
    chosen = settings.load(tmp_path, tag="v1")
    assert chosen.reference("arc-cache", "8") == "ghcr.io/arc-framework/arc-cache:v1"
    assert chosen.base_reference("go-infra", "1.27-trixie") == "ghcr.io/arc-framework/base-go-infra:1.27-trixie"
