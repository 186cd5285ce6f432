from __future__ import annotations

from samples import describe

from pipeline.catalogue.model import Service
from pipeline.stack import front


def service(name: str, **changes: object) -> Service:
    return Service.model_validate(describe(name, **changes))


def test_a_listener_for_each_tcp_port() -> None:
    udp = {"port": 7882, "protocol": "udp"}
    text = front.config([service("sonic", port=6379), service("livekit", ports=[7880, udp])])
    assert [line for line in text.splitlines() if line.startswith("listen")] == [
        "listen livekit-7880",
        "listen sonic-6379",
    ]
    assert "    server sonic sonic:6379" in text
    assert "7882" not in text


def test_the_order_of_services_does_not_matter() -> None:
    one, other = service("a", port=1), service("b", port=2)
    assert front.config([one, other]) == front.config([other, one])
