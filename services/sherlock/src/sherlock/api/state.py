"""How a route gets at the service."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from sherlock.service import Service


# Async although it awaits nothing: FastAPI would run a plain function in a thread.
async def _service(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)  # noqa: S101 - for the type checker; create_app put it there
    return service


ServiceOf = Annotated[Service, Depends(_service)]
