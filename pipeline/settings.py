"""Settings: arguments of the call over `ARC_*` variables over `arc.toml` over defaults."""

from __future__ import annotations

import re
import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from pipeline.errors import UsageError, raise_usage

Severity = Literal["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
FILE = "arc.toml"
FORMS = {
    "registry": (re.compile(r"^[a-z0-9.-]+(:\d+)?$"), "a host such as ghcr.io or localhost:5000, without scheme"),
    "namespace": (re.compile(r"^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$"), "lower-case words, joined by `/`, `-`, `.` or `_`"),
    "tag": (re.compile(r"^(?:\w[\w.-]{0,127})?$"), "letters, digits, `_`, `.` and `-`, at most 128"),
}


class Settings(BaseSettings):
    """What a platform may choose. Every key is an `ARC_*` variable, a key of `arc.toml` and has a default."""

    model_config = SettingsConfigDict(env_prefix="ARC_", extra="forbid", frozen=True)

    registry: str = Field("ghcr.io", description="Registry host, with a port if it has one.")
    namespace: str = Field("arc-framework", description="Namespace below the registry; may have several parts.")
    tag: str = Field("", description="Tag to publish; empty takes each service's own version.")
    platform: Literal["linux/amd64", "linux/arm64"] = Field("linux/amd64", description="Platform to build for.")
    severity: list[Severity] = Field(
        ["HIGH", "CRITICAL"],
        description="Severities of fixable vulnerabilities, secrets and misconfigurations that fail.",
    )
    concurrency: int = Field(4, ge=1, le=64, description="Services that are built or scanned at the same time.")
    require_vulnerabilities: bool = Field(
        default=False, description="Whether an image fails when there is no vulnerability database to check it against."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["console", "json"] = Field("console", description="Form of the log lines.")

    @field_validator("registry", "namespace", "tag")
    @classmethod
    def _plain(cls, value: str, info: ValidationInfo) -> str:
        """Refuse what would make a reference that no registry takes, before anything is built."""
        pattern, form = FORMS[str(info.field_name)]
        if not pattern.match(value):
            raise ValueError(f"must be {form}")
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

    def base_reference(self, stage: str, tag: str) -> str:
        """Name of a base image, or of another published stage of it.

        Args:
            stage: The stage.
            tag: Its tag; the setting `tag` is for services, since their Dockerfiles name the bases by this one.

        Returns:
            `registry/namespace/base-stage:tag`.
        """
        return f"{self.registry}/{self.namespace}/base-{stage}:{tag}"

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
        own = table.get("arc", table)
        if not isinstance(own, dict):
            raise UsageError(f"{FILE}: arc", "is not a table", "write `[arc]` and keys below it")
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
    given = {key: value for key, value in arguments.items() if value not in (None, "", [], [""])}

    class Located(Settings):
        model_config = SettingsConfigDict(env_prefix="ARC_", extra="forbid", frozen=True, toml_file=path)

    try:
        return Located(**given)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(FILE, f"is not TOML ({error})", "mend that line") from None
    except SettingsError as error:
        raise UsageError("ARC_* variables", str(error), 'write a list as JSON, such as ["HIGH"]') from None
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
