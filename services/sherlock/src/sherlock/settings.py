"""Configuration from the environment; a mistake is one line that names the variable and the fix."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sherlock.redact import Redactor
from sherlock.settings_report import MissingVariableError, Reporter

PREFIX = "SHERLOCK_"
# Of these the value is never shown, not even when it is wrong.
_SECRET_VARIABLES = frozenset({"POSTGRES_PASSWORD", "NATS_PASSWORD", "SHERLOCK_LLM_API_KEY"})
_BUILTIN_DIMENSIONS = 384
# pgvector's HNSW index takes vectors of up to 2000 numbers.
_MAX_DIMENSIONS = 2000

LogLevel = Literal["debug", "info", "warning", "error", "critical"]


class SettingsError(Exception):
    """The environment is not usable; the message is the one line for the user."""


class Settings(BaseSettings):
    """All settings; each field's description says what to set its variable to."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # All interfaces: a container's address is not known beforehand.
    host: str = Field("0.0.0.0", description="the address to listen on")  # noqa: S104 - see the line above
    port: int = Field(8000, ge=1, le=65535, description="the TCP port to listen on, 1 to 65535")
    log_level: LogLevel = Field(
        "info",
        validation_alias=AliasChoices("SERVICE_LOG_LEVEL", "LOG_LEVEL"),
        description="debug, info, warning, error or critical",
    )

    postgres_host: str = Field(
        "arc-persistence", pattern=r"^[^\s/@]+$", description="a host name without scheme"
    )
    postgres_port: int = Field(5432, ge=1, le=65535, description="PostgreSQL's TCP port, 1 to 65535")
    postgres_user: str = Field("arc", description="the PostgreSQL user")
    postgres_db: str = Field("arc", description="the PostgreSQL database")
    postgres_password: SecretStr = Field(
        validation_alias="POSTGRES_PASSWORD", description="the password of the PostgreSQL user"
    )
    postgres_pool_size: int = Field(
        10, ge=1, le=200, description="the most connections to PostgreSQL, 1 to 200"
    )

    nats_enabled: bool = Field(default=True, description="true, or false to serve HTTP alone")
    nats_url: str = Field(
        "nats://arc-messaging:4222",
        description="nats://HOST:PORT or tls://HOST:PORT, without user and password",
    )
    nats_user: str = Field("arc", validation_alias="NATS_USER", description="the NATS user")
    nats_password: SecretStr | None = Field(
        None, validation_alias="NATS_PASSWORD", description="the password of the NATS user"
    )

    llm_provider: Literal["builtin", "openai"] = Field("builtin", description="builtin or openai")
    llm_base_url: str | None = Field(
        None, description="the endpoint up to /v1, such as http://model:11434/v1, without user and password"
    )
    llm_model: str | None = Field(None, description="the name under which the endpoint knows the model")
    llm_api_key: SecretStr | None = Field(None, description="the endpoint's key")
    llm_timeout_s: float = Field(
        60.0, gt=0, le=3600, description="seconds to wait for the model's next bytes, up to 3600"
    )
    llm_retries: int = Field(
        2, ge=0, le=10, description="further attempts after a transient failure, 0 to 10"
    )
    llm_max_tokens: int | None = Field(None, ge=1, description="the most tokens of an answer, 1 or more")
    llm_temperature: float | None = Field(None, ge=0, le=2, description="the sampling temperature, 0 to 2")
    embedding_model: str | None = Field(None, description="the endpoint's embedding model")
    embedding_dimensions: int | None = Field(
        None, ge=1, le=_MAX_DIMENSIONS, description=f"the length of its vectors, 1 to {_MAX_DIMENSIONS}"
    )

    recall_limit: int = Field(4, ge=0, le=50, description="the most memories to recall, 0 to 50")
    recall_min_similarity: float = Field(
        0.15, ge=-1, le=1, description="the least cosine similarity, -1 to 1"
    )
    history_turns: int = Field(6, ge=0, le=50, description="the latest turns that the model sees, 0 to 50")
    session_max_turns: int = Field(1000, ge=1, le=100_000, description="turns kept per session, 1 to 100000")

    max_message_chars: int = Field(8000, ge=1, le=1_000_000, description="the longest message in characters")
    max_body_bytes: int = Field(
        131_072, ge=64, le=16_777_216, description="the largest request body in bytes"
    )
    max_concurrency: int = Field(32, ge=1, le=1000, description="requests reasoned about at once, 1 to 1000")
    request_timeout_s: float = Field(
        120.0, gt=0, le=3600, description="seconds for a whole answer, up to 3600"
    )

    retry_first_s: float = Field(
        2.0, gt=0, le=60, description="seconds before the second attempt to connect, up to 60"
    )
    retry_max_s: float = Field(
        60.0, gt=0, le=600, description="the longest pause between attempts in seconds, up to 600"
    )
    watch_interval_s: float = Field(
        2.0, gt=0, le=60, description="seconds between looks at PostgreSQL, up to 60"
    )

    otel_endpoint: str | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="the collector, such as http://arc-otel:4318",
    )
    otel_protocol: Literal["http/protobuf"] = Field(
        "http/protobuf",
        validation_alias="OTEL_EXPORTER_OTLP_PROTOCOL",
        description="http/protobuf (gRPC is not built in)",
    )
    otel_service_name: str = Field(
        "arc-reasoner", validation_alias="OTEL_SERVICE_NAME", description="the service's name"
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        if isinstance(value, str):
            return {"warn": "warning"}.get(value.lower(), value.lower())
        return value

    @field_validator("nats_url")
    @classmethod
    def _nats_url(cls, value: str) -> str:
        return _url(value, {"nats", "tls"})

    @field_validator("llm_base_url", "otel_endpoint")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        return None if value is None else _url(value, {"http", "https"}).rstrip("/")

    @model_validator(mode="after")
    def _together(self) -> Self:
        openai = self.llm_provider == "openai"
        wrong = {
            "NATS_PASSWORD": self.nats_enabled and self.nats_password is None,
            "SHERLOCK_LLM_BASE_URL": openai and self.llm_base_url is None,
            "SHERLOCK_LLM_MODEL": openai and self.llm_model is None,
            "SHERLOCK_EMBEDDING_DIMENSIONS": self.embedding_model is not None
            and self.embedding_dimensions is None,
        }
        for variable, missing in wrong.items():
            if missing:
                raise MissingVariableError(variable)
        if self.embedding_model is not None and not openai:
            message = "SHERLOCK_EMBEDDING_MODEL needs SHERLOCK_LLM_PROVIDER=openai: set that, or unset it"
            raise ValueError(message)
        return self

    @property
    def dimensions(self) -> int:
        """Length of the embedding vectors."""
        return (
            self.embedding_dimensions
            if self.embedding_model and self.embedding_dimensions
            else _BUILTIN_DIMENSIONS
        )

    def redactor(self) -> Redactor:
        """Return the redactor that knows this configuration's secrets."""
        secrets = (self.postgres_password, self.nats_password, self.llm_api_key)
        return Redactor(secret.get_secret_value() for secret in secrets if secret is not None)


def load() -> Settings:
    """Read the environment.

    Returns:
        The settings.

    Raises:
        SettingsError: with one line that names the variable and what to set it to.
    """
    try:
        return Settings()
    except ValidationError as error:
        reporter = Reporter(Settings.model_fields, PREFIX, _SECRET_VARIABLES)
        raise SettingsError(reporter.one_line(error)) from None


def _url(value: str, schemes: set[str]) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname:
        message = "not such a URL"
        raise ValueError(message)
    if parts.username or parts.password:
        message = "a URL must not hold a user or password"
        raise ValueError(message)
    _ = parts.port  # raises ValueError when out of range
    return value
