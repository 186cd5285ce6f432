"""A unix socket made reachable over TCP, as an engine on another machine is."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def over_tcp(path: str) -> Iterator[int]:
    """Make a unix socket reachable over TCP on loopback; gives the port."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                client, upstream = server.accept()[0], socket.socket(socket.AF_UNIX)
                opened.extend((client, upstream))
                upstream.connect(path)
                for ends in ((client, upstream), (upstream, client)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    opened: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for end in opened:
                end.close()
