"""A real HTTP server that speaks OpenAI's interface and can be told to fail in every way endpoints fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from support.http import serving

DONE = "[DONE]"


def delta(text: str | None = None, finish: str | None = None) -> dict[str, Any]:
    return {
        "choices": [{"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}]
    }


USAGE = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}


@dataclass
class LLMServer:
    """Each request takes the next of `plan`; after the last one, requests are answered well."""

    url: str = ""
    plan: list[Response | list[Any] | float] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    at_work: int = 0
    abandoned: int = 0
    events: list[Any] = field(
        default_factory=lambda: [delta("Hel"), delta("lo"), delta(finish="stop"), USAGE, DONE]
    )

    async def handle(self, request: Request) -> Response:
        asked = await request.json()
        self.requests.append(asked)
        self.keys.append(request.headers.get("authorization"))
        step = self.plan.pop(0) if self.plan else None
        if isinstance(step, float):
            await asyncio.sleep(step)
        if isinstance(step, Response):
            return step
        if request.url.path.endswith("/embeddings"):
            return JSONResponse({"data": [{"embedding": [3.0, 4.0, 0.0]}]})
        if asked.get("stream"):
            events = step if isinstance(step, list) else self.events
            return StreamingResponse(self.stream(events), media_type="text/event-stream")
        message = {"role": "assistant", "content": "Hello"}
        return JSONResponse({"choices": [{"message": message}], "usage": USAGE["usage"]})

    async def stream(self, events: list[Any]) -> AsyncIterator[str]:
        self.at_work += 1
        try:
            yield ": a comment\r\n\r\n"
            for event in events:
                if isinstance(event, float):
                    await asyncio.sleep(event)
                elif isinstance(event, Exception):
                    raise event
                else:
                    data = event if isinstance(event, str) else json.dumps(event)
                    yield f"event: ignored\r\ndata: {data}\r\n\r\n"
        except asyncio.CancelledError:
            self.abandoned += 1
            raise
        finally:
            self.at_work -= 1


@asynccontextmanager
async def llm_server() -> AsyncIterator[LLMServer]:
    llm = LLMServer()
    app = FastAPI()
    app.add_api_route("/v1/chat/completions", llm.handle, methods=["POST"])
    app.add_api_route("/v1/embeddings", llm.handle, methods=["POST"])
    async with serving(app) as url:
        llm.url = url + "/v1"
        yield llm
