from __future__ import annotations

import asyncio
import socket

import pytest

from sherlock.server import listen


async def test_connections_do_not_wait_to_fill_packets() -> None:
    delays: asyncio.Queue[int] = asyncio.Queue()

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted = transport.get_extra_info("socket")
            delays.put_nowait(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    with listen("127.0.0.1", 0) as listener:
        server = await asyncio.get_running_loop().create_server(Connection, sock=listener)
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await asyncio.wait_for(delays.get(), 5) == 1
        writer.close()
        server.close()


def test_a_port_that_is_taken() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="Address already in use"):
        listen("127.0.0.1", first.getsockname()[1])
