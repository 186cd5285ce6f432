"""Where the real PostgreSQL and NATS are. A missing variable is an error, not a skipped test."""

from __future__ import annotations

import os
from dataclasses import dataclass

HOW = "see README.md, or deselect with: pytest -m 'not integration'"


def variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        message = f"{name} is not set: integration tests need PostgreSQL and NATS; {HOW}"
        raise RuntimeError(message)
    return value


@dataclass(frozen=True)
class Address:
    host: str
    port: int
    password: str

    @property
    def pair(self) -> tuple[str, int]:
        return self.host, self.port


def _address(name: str) -> Address:
    host, _, port = variable(name).rpartition(":")
    return Address(host, int(port), variable(f"{name}_PASSWORD"))


def postgres_address() -> Address:
    return _address("SHERLOCK_TEST_POSTGRES")


def nats_address() -> Address:
    return _address("SHERLOCK_TEST_NATS")
