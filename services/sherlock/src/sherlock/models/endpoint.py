"""HTTP to an OpenAI-compatible endpoint: timeouts, retries, and errors that say what happened."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import httpx

from sherlock.errors import ModelError
from sherlock.redact import Redactor

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONNECT_S = 5.0
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0
_LONGEST_REASON = 300
_OK = 200


class Endpoint:
    """One endpoint with its key."""

    def __init__(
        self, base_url: str, key: str | None, *, timeout_s: float, retries: int, redact: Redactor
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            base_url: up to `/v1`, without a slash at the end.
            key: sent as bearer token, or None.
            timeout_s: seconds to wait for the next bytes.
            retries: further attempts after a transient failure.
            redact: masks secrets in what the endpoint says (some repeat the key in their error).
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s))
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout, follow_redirects=False)
        self._base_url = base_url
        self._retries = retries
        self._redact = redact

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post JSON and return the answer's JSON object.

        Args:
            path: behind the base URL, such as `/embeddings`.
            body: the request.

        Returns:
            The answer.

        Raises:
            ModelError: when no attempt succeeds or the answer is no JSON object.
        """
        async with self.open(path, body) as response:
            try:
                await response.aread()
                answer = response.json()
            except httpx.HTTPError as error:
                raise self._failed(error) from error
            except ValueError:
                self.fail("answered what is not JSON")
        if not isinstance(answer, dict):
            self.fail("answered JSON that is not an object")
        return answer

    @asynccontextmanager
    async def open(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[httpx.Response]:
        """Post JSON and give the answer's beginning; the caller reads its body.

        Only what comes before the body is retried: afterwards tokens were already paid, or even shown.

        Args:
            path: behind the base URL.
            body: the request.

        Yields:
            The response with status 200.

        Raises:
            ModelError: when no attempt succeeds.
        """
        response = await self._send(path, body)
        try:
            yield response
        finally:
            await response.aclose()

    async def _send(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        for attempt in range(self._retries + 1):
            try:
                request = self._client.build_request("POST", self._base_url + path, json=body)
                response = await self._client.send(request, stream=True)
            except httpx.TransportError as error:
                # A read timeout is not repeated: the endpoint is at work, and would do it twice.
                if attempt == self._retries or isinstance(error, httpx.ReadTimeout):
                    raise self._failed(error) from error
                await asyncio.sleep(_pause(attempt, None))
                continue
            if response.status_code == _OK:
                return response
            refusal = await self._refusal(response)
            if attempt == self._retries or response.status_code not in _TRANSIENT:
                raise refusal
            await asyncio.sleep(_pause(attempt, response.headers.get("retry-after")))
        message = "unreachable: the last attempt returns or raises"
        raise AssertionError(message)

    async def _refusal(self, response: httpx.Response) -> ModelError:
        try:
            text = (await response.aread()).decode(errors="replace")
        except httpx.HTTPError:
            text = ""
        finally:
            await response.aclose()
        reason = " ".join(self._redact(text).split())[:_LONGEST_REASON]
        message = f"the model endpoint answered {response.status_code}" + (f": {reason}" if reason else "")
        return ModelError(message, reason="status")

    def fail(self, what: str) -> NoReturn:
        """Raise the error for an answer that does not follow the interface.

        Args:
            what: the endpoint did, such as "gave an empty answer".

        Raises:
            ModelError: always.
        """
        text = " ".join(self._redact(what).split())[:_LONGEST_REASON]
        message = f"the model endpoint {text}"
        raise ModelError(message, reason="protocol")

    def _failed(self, error: httpx.HTTPError) -> ModelError:
        if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
            detail = self._redact(str(error)) or "no answer"
            return ModelError(f"the model endpoint cannot be reached ({detail})", reason="connect")
        if isinstance(error, httpx.TimeoutException):
            return ModelError("the model endpoint did not answer in time", reason="timeout")
        detail = self._redact(str(error)) or type(error).__name__
        return ModelError(f"the connection to the model endpoint broke ({detail})", reason="protocol")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Turn what goes wrong while a body is read into a ModelError."""
        try:
            yield
        except httpx.HTTPError as error:
            raise self._failed(error) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _pause(attempt: int, retry_after: str | None) -> float:
    """Return seconds before the next attempt: what the endpoint asks for, else doubling with jitter."""
    if retry_after is not None and retry_after.isdecimal():
        return min(float(retry_after), _LONGEST_PAUSE_S)
    spread = random.uniform(0.75, 1.25)  # noqa: S311 - keeps replicas apart, no cryptography
    return float(min(_FIRST_PAUSE_S * 2**attempt * spread, _LONGEST_PAUSE_S))
