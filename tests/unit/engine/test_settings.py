from __future__ import annotations

from pathlib import Path

import pytest
from launcher.errors import LauncherError
from launcher.settings import DEFAULT_CIDR, load


def test_defaults_lie_in_the_users_cache(root: Path) -> None:
    settings = load({"HOME": "/home/someone"}, root)
    assert settings.home == Path("/home/someone/.cache/arc/engine")
    assert settings.store == settings.home / "store"
    assert (settings.network, settings.cidr, settings.port) == ("arc", DEFAULT_CIDR, None)
    assert settings.images_lock == root / ".arc/images.lock.json"
    assert settings.runner_host == f"unix://{settings.home}/run/sock/engine.sock"


def test_the_cache_folder_follows_xdg(root: Path) -> None:
    assert load({"HOME": "/home/someone", "XDG_CACHE_HOME": "/big"}, root).home == Path("/big/arc/engine")


def test_each_home_has_a_network_of_its_own(root: Path) -> None:
    one, two = (load({"HOME": "/home/someone", "ARC_ENGINE_HOME": home}, root) for home in ("/srv/one", "/srv/two"))
    assert len({one.network, two.network, "arc"}) == 3
    assert len({one.cidr, two.cidr, DEFAULT_CIDR}) == 3
    assert one == load({"HOME": "/home/someone", "ARC_ENGINE_HOME": "/srv/one"}, root)


def test_the_environment_wins(root: Path) -> None:
    environ = {
        "HOME": "/home/someone",
        "ARC_ENGINE_HOME": "/srv/one",
        "ARC_ENGINE_STORE": "/srv/store",
        "ARC_ENGINE_NETWORK": "net",
        "ARC_ENGINE_CIDR": "10.1.0.0/16",
        "ARC_ENGINE_REGISTRY_PORT": "5005",
        "ARC_ENGINE_WAIT": "7.5",
    }
    settings = load(environ, root)
    assert (settings.store, settings.network, settings.prefix) == (Path("/srv/store"), "net", "10.1.")
    assert (settings.port, settings.wait) == (5005, 7.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARC_ENGINE_HOME", "relative/path"),
        ("ARC_ENGINE_HOME", "/" + "x" * 100),
        ("ARC_ENGINE_NETWORK", "With-Capitals"),
        ("ARC_ENGINE_NETWORK", "averyverylongname"),
        ("ARC_ENGINE_CIDR", "10.1.0.0/24"),
        ("ARC_ENGINE_CIDR", "8.8.0.0/16"),
        ("ARC_ENGINE_CIDR", "nonsense"),
        ("ARC_ENGINE_REGISTRY_PORT", "0"),
        ("ARC_ENGINE_REGISTRY_PORT", "70000"),
        ("ARC_ENGINE_REGISTRY_PORT", "http"),
        ("ARC_ENGINE_WAIT", "soon"),
        ("ARC_ENGINE_WAIT", "-1"),
    ],
)
def test_a_bad_value_is_named_in_one_line(root: Path, name: str, value: str) -> None:
    with pytest.raises(LauncherError) as caught:
        load({"HOME": "/home/someone", name: value}, root)
    assert caught.value.code == 2
    assert str(caught.value).startswith(f"{name}={value}")
    assert "\n" not in str(caught.value)
