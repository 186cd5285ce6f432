from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from launcher import processes

_CLIENT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    print("connected", flush=True)
    sys.stdin.read()
"""


def test_a_process_is_known_by_its_start() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        since = processes.started(child.pid)
        assert since
        assert since == processes.started(child.pid)
        assert child.pid in processes.children(os.getpid())
        shown = processes.wait(lambda: processes.name(child.pid) == "sleep 60", 5)  # a moment after its start
        assert processes.memory(child.pid) > 0
        child.kill()
        child.wait()
        assert shown
        assert processes.started(child.pid) is None
        assert processes.name(child.pid) == "ended"
        assert processes.memory(child.pid) == 0
        assert processes.children(child.pid) == []


def test_an_ended_process_that_nobody_waited_for_does_not_run() -> None:
    with subprocess.Popen(["/bin/true"]) as child:
        assert processes.wait(lambda: processes.started(child.pid) is None, 5)


def test_clients_of_a_socket_are_found(tmp_path: Path) -> None:
    path, other = str(tmp_path / "a.sock"), str(tmp_path / "b.sock")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as second:
        for listener, name in ((server, path), (second, other)):
            listener.bind(name)
            listener.listen()
        assert processes.connected_to(os.getpid(), path) == (0, [])
        words = [sys.executable, "-c", _CLIENT]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen([*words, path], **pipes) as one, subprocess.Popen([*words, other], **pipes) as two:  # type: ignore[call-overload]  # pipes
            accepted = [server.accept()[0], second.accept()[0]]
            assert processes.connected_to(os.getpid(), path) == (1, [one.pid])
            assert processes.connected_to(os.getpid(), other) == (1, [two.pid])
            assert processes.connected_to(one.pid, path) == (0, [])  # it listens to nothing
            for client in (one, two):
                client.communicate()
            for end in accepted:
                end.close()
        assert processes.connected_to(os.getpid(), path) == (0, [])


def test_waiting_ends_when_it_is_true_or_time_is_up() -> None:
    event = threading.Event()
    threading.Timer(0.1, event.set).start()
    assert processes.wait(event.is_set, 5)
    assert not processes.wait(lambda: False, 0.1)
