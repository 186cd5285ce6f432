"""Errors that a caller gets to see, as JSON with a status of their own."""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """A failure with an HTTP status, a stable code and a message that is safe to show."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retry_after_s: ClassVar[int | None] = None

    def __init__(self, message: str) -> None:
        """Keep the message.

        Args:
            message: one line for the caller; it must hold no secret.
        """
        super().__init__(message)
        self.message = message

    def body(self) -> dict[str, str]:
        """Return the JSON body of the answer."""
        return {"error": self.code, "message": self.message}


class InvalidRequestError(ServiceError):
    """The request does not follow the interface."""

    status = 422
    code = "invalid_request"


class TooBusyError(ServiceError):
    """All places for concurrent requests are taken."""

    status = 429
    code = "too_busy"
    retry_after_s = 1


class ModelError(ServiceError):
    """The model's endpoint failed; the message says how."""

    status = 502
    code = "model_failed"

    def __init__(self, message: str, *, reason: str) -> None:
        """Keep the message and the reason.

        Args:
            message: one line for the caller.
            reason: a word for the metric: `connect`, `timeout`, `status`, `protocol`.
        """
        super().__init__(message)
        self.reason = reason


class MemoryUnavailableError(ServiceError):
    """PostgreSQL cannot be used at the moment."""

    status = 503
    code = "memory_unavailable"
    retry_after_s = 2


class DeadlineError(ServiceError):
    """The answer took longer than SHERLOCK_REQUEST_TIMEOUT_S."""

    status = 504
    code = "deadline"
