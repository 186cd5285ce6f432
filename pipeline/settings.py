"""Settings: arguments of the call over `ARC_*` variables over `arc.toml` over defaults."""

from __future__ import annotations

import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from pipeline.errors import UsageError, raise_usage

Severity = Literal["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
FILE = "arc.toml"


class Settings(BaseSettings):
    """What a platform may choose. Every key is an `ARC_*` variable, a key of `arc.toml` and has a default."""

    model_config = SettingsConfigDict(env_prefix="ARC_", extra="forbid", frozen=True)

    registry: str = Field("ghcr.io", description="Registry host, with a port if it has one.")
    namespace: str = Field("arc-framework", description="Namespace below the registry; may have several parts.")
    tag: str = Field("", description="Tag to publish; empty takes each service's own version.")
    platform: str = Field("linux/amd64", description="Platform to build for.")
    severity: list[Severity] = Field(
        ["HIGH", "CRITICAL"],
        description="Severities of fixable vulnerabilities, secrets and misconfigurations that fail.",
    )
    concurrency: int = Field(4, ge=1, le=64, description="Services that are built or scanned at the same time.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["console", "json"] = Field("console", description="Form of the log lines.")

    @field_validator("registry", "namespace")
    @classmethod
    def _plain(cls, value: str) -> str:
        """Refuse what would make a reference that no registry takes."""
        if not value or value != value.strip("/ ") or "://" in value or value != value.lower():
            raise ValueError("must be lower case, without scheme and without a slash at either end")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # Dagger reads .env itself (ADR 0005)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # secrets are dagger.Secret, never settings
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence, highest first."""
        return (init_settings, env_settings, _Toml(settings_cls, toml_file=settings_cls.model_config.get("toml_file")))

    def reference(self, image: str, tag: str) -> str:
        """Name of an image in the chosen registry.

        Args:
            image: Name of the image below the namespace.
            tag: Tag, used unless the settings name one.

        Returns:
            `registry/namespace/image:tag`.
        """
        return f"{self.registry}/{self.namespace}/{image}:{self.tag or tag}"


class _Toml(TomlConfigSettingsSource):
    """`arc.toml`, with the file's own table `[arc]` so that other tools may share it."""

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        table: dict[str, Any] = super()._read_file(file_path)
        own: dict[str, Any] = table.get("arc", table)
        return own


def load(root: Path, **arguments: Any) -> Settings:  # noqa: ANN401  # each key has a type of its own, checked below
    """Read the settings of a repository.

    Args:
        root: Folder that may hold `arc.toml`.
        arguments: Values given with the call; None and empty strings count as not given.

    Returns:
        The validated settings.

    Raises:
        UsageError: A value is wrong; names its source and key.
        UsageGroupError: Several are.
    """
    path = root / FILE
    given = {key: value for key, value in arguments.items() if value not in (None, "", [])}

    class Located(Settings):
        model_config = SettingsConfigDict(env_prefix="ARC_", extra="forbid", frozen=True, toml_file=path)

    try:
        return Located(**given)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(FILE, f"is not TOML ({error})", "mend that line") from None
    except ValidationError as error:
        raise_usage([_problem(item, given) for item in error.errors()])
        raise AssertionError from error  # unreachable: a ValidationError holds at least one error


def _problem(item: Any, given: dict[str, Any]) -> UsageError:  # noqa: ANN401  # pydantic's error dictionary
    key = str(item["loc"][0]) if item["loc"] else FILE
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        return UsageError(FILE, f"key `{key}` is unknown", f"known keys: {', '.join(sorted(Settings.model_fields))}")
    where = f"--{key.replace('_', '-')}" if key in given else f"{FILE} or ARC_{key.upper()}"
    return UsageError(
        where, f"key `{key}`: {message}, got {item['input']!r}", f"{Settings.model_fields[key].description}"
    )
