"""Every error is JSON: `{"error": word, "message": text}`."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sherlock.api.schemas import describe
from sherlock.errors import ServiceError

_log = structlog.stdlib.get_logger(__name__)

_WORDS = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


def install(app: FastAPI) -> None:
    """Add the handlers to an application."""

    @app.exception_handler(ServiceError)
    async def on_service_error(_request: Request, error: ServiceError) -> JSONResponse:
        headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        return JSONResponse(error.body(), error.status, headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()
        if any(item["type"] == "json_invalid" for item in found):
            return _json("bad_request", "the body is not JSON", 400)
        if any(tuple(item["loc"]) == ("body",) for item in found):
            return _json("invalid_request", "send a JSON object with Content-Type: application/json", 422)
        return _json("invalid_request", describe(found), 422)

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> JSONResponse:
        status = error.status_code
        text = {404: f"there is no {request.url.path}", 405: f"{request.method} is not possible here"}
        word = _WORDS.get(status, "error")
        return _json(word, text.get(status, str(error.detail)), status, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def on_bug(_request: Request, error: Exception) -> JSONResponse:
        _log.error("unexpected error", exc_info=error)
        return _json("internal", "internal error: see the service's log", 500)


def _json(word: str, text: str, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": word, "message": text}, status, headers)
