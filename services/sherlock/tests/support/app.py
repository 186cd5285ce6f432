"""The whole application on a real socket, with the memory in the process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from sherlock.app import create_app
from sherlock.service import Service
from support.http import serving
from support.memory import ListMemory
from support.settings import make_settings


@dataclass
class Running:
    http: httpx.AsyncClient
    service: Service

    def value(self, name: str, **labels: str) -> float | None:
        return self.service.metrics.registry.get_sample_value(name, labels)


@asynccontextmanager
async def running(**settings: object) -> AsyncIterator[Running]:
    made = make_settings(**settings)
    service = Service(made, ListMemory(made))
    async with serving(create_app(service)) as url, httpx.AsyncClient(base_url=url, timeout=20) as http:
        yield Running(http, service)
