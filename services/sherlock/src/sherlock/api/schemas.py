"""Bodies of the interface; HTTP and NATS use the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sherlock.errors import InvalidRequestError

SESSION_PATTERN = r"^[A-Za-z0-9._:@-]{1,128}$"


def _meaningful(message: str) -> str:
    if not message.strip():
        text = "must not be blank"
        raise ValueError(text)
    if "\x00" in message:
        text = "must not hold a NUL character"
        raise ValueError(text)
    try:
        message.encode()
    except UnicodeEncodeError:
        text = "must not hold half of a surrogate pair"
        raise ValueError(text) from None
    return message


SessionId = Annotated[
    str,
    Field(pattern=SESSION_PATTERN, description="1 to 128 letters, digits and . _ : @ -", examples=["demo"]),
]


class ChatRequest(BaseModel):
    """A message in a session."""

    model_config = ConfigDict(extra="forbid", strict=True)

    session_id: SessionId
    message: Annotated[
        str, AfterValidator(_meaningful), Field(description="what the user says", examples=["ping 42"])
    ]
    stream: Annotated[bool, Field(description="answer as server-sent events")] = False


class StepTime(BaseModel):
    """A step of the graph and its time in milliseconds."""

    name: str
    ms: float


class ChatResponse(BaseModel):
    """A whole answer."""

    session_id: str
    answer: str
    model: str
    steps: list[StepTime]


class TurnBody(BaseModel):
    """A remembered turn."""

    id: int
    message: str
    answer: str
    model: str
    created_at: datetime


class MemoryResponse(BaseModel):
    """Turns of a session, newest first; `next` is the `before` of the next page, or null."""

    session_id: str
    total: int
    turns: list[TurnBody]
    next: int | None


class ForgottenResponse(BaseModel):
    """How many turns were deleted."""

    session_id: str
    deleted: int


class ErrorResponse(BaseModel):
    """What every error looks like."""

    error: Annotated[str, Field(description="a stable word", examples=["invalid_request"])]
    message: Annotated[str, Field(description="what is wrong", examples=["message: must not be blank"])]


def parse_chat(data: bytes) -> ChatRequest:
    """Parse a request that did not come over HTTP.

    Args:
        data: JSON.

    Returns:
        The request.

    Raises:
        InvalidRequestError: with the field and what is wrong.
    """
    try:
        return ChatRequest.model_validate(json.loads(data))
    except ValidationError as error:
        raise InvalidRequestError(describe(error.errors())) from None
    except (ValueError, RecursionError):
        text = "the request is not JSON"
        raise InvalidRequestError(text) from None


def describe(errors: Sequence[Any]) -> str:
    """Say in one line what pydantic found, without repeating the input.

    Args:
        errors: pydantic's list of errors.

    Returns:
        `field: what is wrong`, joined by semicolons.
    """
    lines = []
    for error in errors:
        place = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path"))
        if error["type"] == "string_pattern_mismatch":
            what = "1 to 128 letters, digits and . _ : @ - are allowed"
        else:
            what = error["msg"].removeprefix("Value error, ")
        lines.append(f"{place}: {what}" if place else what)
    return "; ".join(lines)
