"""The service as it runs in its container: `python -m sherlock`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Process:
    process: asyncio.subprocess.Process
    http: httpx.AsyncClient
    output: list[str] = field(default_factory=list)

    async def until(self, path: str, status: int, seconds: float = 30) -> httpx.Response:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    response = await self.http.get(path)
                except httpx.TransportError:
                    response = None
                assert self.process.returncode is None, "the process has ended: " + "".join(self.output)
                if response is not None and response.status_code == status:
                    return response
                await asyncio.sleep(0.02)

    async def stop(self) -> float:
        """Send SIGTERM and return the seconds until the process has ended."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        self.process.send_signal(signal.SIGTERM)
        await self.process.wait()
        return loop.time() - started

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output]


@asynccontextmanager
async def process(**variables: str) -> AsyncIterator[Process]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = {"SHERLOCK_HOST": "127.0.0.1", "SHERLOCK_PORT": str(port), "SHERLOCK_RETRY_FIRST_S": "0.2"}
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sherlock",
        env={"PATH": os.environ["PATH"]} | ours | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        made = Process(started, http)
        reading = asyncio.create_task(_read(made))
        try:
            yield made
        finally:
            if started.returncode is None:
                started.kill()
                await started.wait()
            await reading


async def _read(made: Process) -> None:
    assert made.process.stdout is not None
    async for line in made.process.stdout:
        made.output.append(line.decode())
