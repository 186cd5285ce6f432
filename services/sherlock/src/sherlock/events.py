"""The event that tells of an answer, on `arc.reasoner.answered`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from sherlock.reasoner import Answer

_log = structlog.stdlib.get_logger(__name__)

ANSWERED = "arc.reasoner.answered"

_ACK_S = 2.0
_LOOK_EVERY_S = 30.0


class EventStream:
    """Publishes events, with an acknowledgement when there is a stream that stores them.

    The stream is raymond's to make, perhaps later than this service starts. Without one, an event is a plain
    message: waiting for an acknowledgement would be in vain whenever anybody else listens on the subject.
    """

    def __init__(self, client: Client) -> None:
        """Look at nothing yet.

        Args:
            client: connected.
        """
        self._client = client
        self._jetstream = client.jetstream(timeout=_ACK_S)
        self._stored = False
        self._looked = float("-inf")

    async def publish(self, answer: Answer) -> str:
        """Publish one answer; never raises.

        Args:
            answer: what was answered.

        Returns:
            The outcome for the metric: `stored`, `sent` (there is no stream) or `failed`.
        """
        event = answer.body() | {"turn_id": answer.turn_id, "at": datetime.now(UTC).isoformat()}
        data = json.dumps(event, ensure_ascii=False).encode()
        try:
            if not await self._is_stored():
                await self._client.publish(ANSWERED, data)
                return "sent"
            # JetStream drops a second event with the same id.
            headers = {"Nats-Msg-Id": f"{answer.session_id}:{answer.turn_id}"}
            await self._jetstream.publish(ANSWERED, data, headers=headers)
        except (NatsError, TimeoutError, OSError) as error:
            # The stream may have been deleted: look again at the next event.
            self._stored, self._looked = False, float("-inf")
            _log.warning("event was not stored", error=f"{type(error).__name__}: {error}")
            return "failed"
        return "stored"

    async def _is_stored(self) -> bool:
        now = asyncio.get_running_loop().time()
        if not self._stored and now - self._looked > _LOOK_EVERY_S:
            self._looked = now
            try:
                await self._jetstream.find_stream_name_by_subject(ANSWERED)
                self._stored = True
            except (NatsError, TimeoutError):
                pass
        return self._stored
