"""The front of a stack: HAProxy, one listener for each published port.

`up` opens the ports of one service; this is that service. It is bound to all others, so it starts after they are
healthy, and what it forwards are bytes: every protocol over TCP works through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import dagger
from dagger import dag

from pipeline.catalogue.model import Service

CONFIG = "/haproxy.cfg"
IDLE = "1h"
"""How long a connection may be silent: database and messaging clients keep theirs open."""
TOOL = Path(__file__).with_name("front.Dockerfile")


def config(services: Iterable[Service]) -> str:
    """Write the proxy's configuration.

    Args:
        services: The services behind it.

    Returns:
        The text, the same for the same services in any order.
    """
    lines = [
        "global",
        "    maxconn 4096",
        "    log stdout format raw local0 notice",
        "defaults",
        "    mode tcp",
        "    log global",
        "    timeout connect 5s",
        f"    timeout client {IDLE}",
        f"    timeout server {IDLE}",
    ]
    for service in sorted(services, key=lambda item: item.codename):
        for port in tcp_ports(service):
            lines += [
                f"listen {service.codename}-{port}",
                f"    bind :{port}",
                f"    server {service.codename} {service.codename}:{port}",
            ]
    return "\n".join(lines) + "\n"


def tcp_ports(service: Service) -> list[int]:
    """Ports of a service that the front can forward; UDP is not among them."""
    return [port.port for port in service.open_ports if port.transport == "tcp"]


def front(services: Iterable[Service], running: Mapping[str, dagger.Service], debian: str) -> dagger.Service:
    """Put the front before a stack.

    Args:
        services: The services behind it.
        running: Each of them as a Dagger service, by codename.
        debian: Image to build the proxy on.

    Returns:
        A service whose ports are all of theirs.
    """
    behind = list(services)
    container = (
        dag.directory()
        .with_new_file("Dockerfile", TOOL.read_text("utf-8"))
        .docker_build(build_args=[dagger.BuildArg("DEBIAN", debian)])
        .with_new_file(CONFIG, config(behind))
    )
    for service in behind:
        container = container.with_service_binding(service.codename, running[service.codename])
        for port in tcp_ports(service):
            container = container.with_exposed_port(port, description=f"{service.codename}: {service.tech}")
    return container.as_service(use_entrypoint=True)
