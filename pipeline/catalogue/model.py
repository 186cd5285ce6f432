"""`service.yaml`, typed: the format that platforms of this family share, and the fields of this pipeline."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

REPOSITORY = re.compile(r"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$")
TAG = re.compile(r"^\w[\w.-]{0,127}$")
NAME = re.compile(r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$")
DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h)$")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _name(value: str) -> str:
    if not NAME.match(value):
        raise ValueError("must be lower-case letters and digits, joined by `-`, `.` or `_`")
    return value


def _duration(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    match = DURATION.match(str(value))
    if not match:
        raise ValueError("must be a duration such as 500ms, 5s or 2m")
    return float(match[1]) * SECONDS[match[2]]


def _repository(image: str) -> str:
    return image.rsplit("/", 1)[-1].split("@", maxsplit=1)[0].split(":", maxsplit=1)[0]


Name = Annotated[str, AfterValidator(_name)]
Duration = Annotated[float, BeforeValidator(_duration)]
"""Seconds."""
PortNumber = Annotated[int, Field(ge=1, le=65535)]


class Part(BaseModel):
    """A mapping of the file: unknown keys are kept and reported, since other platforms have more."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Port(Part):
    """A port on which the service listens, opened on the host under the same number."""

    port: PortNumber
    protocol: Literal["tcp", "udp", "http", "https", "grpc", "ws"] = "tcp"
    description: str = ""

    @property
    def transport(self) -> Literal["tcp", "udp"]:
        """What carries the protocol."""
        return "udp" if self.protocol == "udp" else "tcp"


class Healthcheck(Part):
    """The health check, as in a compose file; equal to the HEALTHCHECK of the Dockerfile."""

    test: list[str]
    interval: Duration = 30.0
    timeout: Duration = 30.0
    retries: int = Field(3, ge=1)
    start_period: Duration = 0.0

    @field_validator("test", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return ["CMD-SHELL", value] if isinstance(value, str) else value

    @field_validator("test")
    @classmethod
    def _form(cls, value: list[str]) -> list[str]:
        if not value[1:] or value[0] not in {"CMD", "CMD-SHELL"}:
            raise ValueError("must begin with CMD or CMD-SHELL, followed by the command")
        return value


class Build(Part):
    """Where the image comes from."""

    base: Literal["go-infra", "python-ai"] = "go-infra"
    dockerfile: str = "Dockerfile"
    context: str = "."


class Budget(Part):
    """What the image may cost."""

    size_mb: int = Field(gt=0, description="Unpacked size in MB (10^6 bytes).")


class Resources(Part):
    """What the service may use; declared, since Dagger has no call that enforces it."""

    tier: Literal["small", "medium", "large"] = "medium"


class Volume(Part):
    """A folder that outlives the container."""

    name: Name
    path: str

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith("/") or ".." in value.split("/"):
            raise ValueError("must be an absolute path")
        return value


class SecretRef(Part):
    """A secret of the stack and the variable in which the service expects it."""

    name: Name
    env: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class Service(Part):
    """One service of the platform."""

    codename: Name
    role: Name = ""
    name: Name = ""
    image: str
    health: str
    depends_on: list[str]
    upstream: str = ""
    tech: str = ""
    description: str = ""
    version: str = "0.0.0"
    language: Literal["infra", "go", "python", "node", "java"] = "infra"
    tier: Literal["core", "plugin", "application"] = "application"
    type: str = ""
    license: str = ""
    port: PortNumber | None = None
    ports: list[Port] = []
    healthcheck: Healthcheck | None = None
    timeout: int = Field(120, gt=0, description="Seconds within which it must be healthy.")
    build: Build = Build()
    budget: Budget = Budget(size_mb=500)
    resources: Resources = Resources()
    volumes: list[Volume] = []
    env: dict[str, str] = {}
    secrets: list[SecretRef] = []
    networks: list[str] = []
    sidecars: list[dict[str, object]] = []
    compose_services: list[object] = []
    notes: list[object] = []

    @field_validator("image")
    @classmethod
    def _image(cls, value: str) -> str:
        if not REPOSITORY.match(_repository(value)):
            raise ValueError("must be an image reference such as ghcr.io/acme/arc-cache:8")
        return value

    @field_validator("version")
    @classmethod
    def _tag(cls, value: str) -> str:
        if not TAG.match(value):
            raise ValueError("must be usable as a tag: letters, digits, `_`, `.`, `-`")
        return value

    @field_validator("ports", mode="before")
    @classmethod
    def _plain_ports(cls, value: object) -> object:
        return (
            [{"port": item} if isinstance(item, int) else item for item in value] if isinstance(value, list) else value
        )

    @property
    def key(self) -> str:
        """The name by which the catalogue knows it: its role, or its codename where it has no role."""
        return self.role or self.codename

    @property
    def aliases(self) -> tuple[str, ...]:
        """Host names under which other services reach it, without repetition."""
        return tuple(dict.fromkeys(alias for alias in (self.codename, self.role, self.name) if alias))

    @property
    def repository(self) -> str:
        """Name of the image without registry, namespace and tag."""
        return _repository(self.image)

    @property
    def open_ports(self) -> tuple[Port, ...]:
        """Every port, the main one first."""
        listed = {(port.port, port.transport): port for port in self.ports}
        first = [listed.pop((self.port, "tcp"), Port(port=self.port))] if self.port else []
        return (*first, *listed.values())
