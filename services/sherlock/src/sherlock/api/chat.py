"""POST /v1/chat, and the memory of a session."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse

from sherlock.api.schemas import (
    SESSION_PATTERN,
    ChatRequest,
    ChatResponse,
    ErrorResponse,
    ForgottenResponse,
    MemoryResponse,
    TurnBody,
)
from sherlock.api.state import ServiceOf
from sherlock.errors import ServiceError
from sherlock.reasoner import Answer

_log = structlog.stdlib.get_logger(__name__)

_ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorResponse} for status in (400, 413, 422, 429, 500, 502, 503, 504)
}
_PAGE = 50
_LARGEST_PAGE = 500
# A proxy in between must neither keep nor hold back a stream.
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

router = APIRouter(prefix="/v1", responses=_ERRORS)
SessionPath = Annotated[str, Path(pattern=SESSION_PATTERN, description="the session")]


@router.post(
    "/chat",
    response_model=ChatResponse,
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "The answer; with stream=true events `token`, then `answer` or `error`.",
        }
    },
)
async def chat(body: ChatRequest, service: ServiceOf) -> Response:
    """Answer a message, using and extending the session's memory."""
    reasoner = service.reasoner
    if not body.stream:
        return JSONResponse((await reasoner.ask(body.session_id, body.message)).body())
    pieces = reasoner.stream(body.session_id, body.message)
    try:
        # What fails before the first word still gets a status of its own.
        first = await anext(pieces)
    except BaseException:
        await pieces.aclose()
        raise
    return StreamingResponse(_events(first, pieces), media_type="text/event-stream", headers=_STREAM_HEADERS)


@router.get("/sessions/{session_id}/memory")
async def memory(
    session_id: SessionPath,
    service: ServiceOf,
    limit: Annotated[int, Query(ge=1, le=_LARGEST_PAGE, description="the most turns")] = _PAGE,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="only turns with a lower id")] = None,
) -> MemoryResponse:
    """Return what is remembered of a session, newest first."""
    page = await service.memory.turns(session_id, limit=limit, before=before)
    turns = [
        TurnBody(
            id=turn.id, message=turn.message, answer=turn.answer, model=turn.model, created_at=turn.created_at
        )
        for turn in page.turns
    ]
    more = turns[-1].id if len(turns) == limit else None
    return MemoryResponse(session_id=session_id, total=page.total, turns=turns, next=more)


@router.delete("/sessions/{session_id}/memory")
async def forget(session_id: SessionPath, service: ServiceOf) -> ForgottenResponse:
    """Forget a session."""
    deleted = await service.memory.forget(session_id)
    return ForgottenResponse(session_id=session_id, deleted=deleted)


async def _events(first: str | Answer, pieces: AsyncGenerator[str | Answer, None]) -> AsyncIterator[bytes]:
    """Write the events; an error after the first word is the last event."""
    async with aclosing(pieces):
        yield _event(first)
        try:
            async for piece in pieces:
                yield _event(piece)
        except ServiceError as error:
            yield _data("error", error.body() | {"status": error.status})
        except Exception:  # noqa: BLE001 - the status is sent, only an event can tell
            _log.exception("stream failed")
            yield _data("error", {"error": "internal", "message": "internal error", "status": 500})


def _event(piece: str | Answer) -> bytes:
    return _data("answer", piece.body()) if isinstance(piece, Answer) else _data("token", {"text": piece})


def _data(event: str, data: dict[str, object]) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
