"""Services of a plan as Dagger services, each bound to what it needs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import dagger
import structlog
from dagger import dag

from pipeline.build import notes
from pipeline.build.builder import Builder
from pipeline.catalogue.load import Entry
from pipeline.catalogue.model import Healthcheck, Service
from pipeline.catalogue.plan import Plan
from pipeline.concurrent import gather
from pipeline.errors import FindingsError
from pipeline.stack.secrets import collect
from pipeline.workspace import Workspace

LOG = structlog.get_logger()
OWNER = "1000:1000"
"""arcuser, who owns every data directory."""
POLL = "1s"
"""Pause between two probes while a service starts."""


@dataclass(frozen=True)
class Selection:
    """Which services somebody wants."""

    profile: str
    only: Sequence[str] = ()
    without: Sequence[str] = ()


@dataclass(frozen=True)
class Stack:
    """A stack before it runs."""

    builder: Builder
    plan: Plan
    secrets: Mapping[str, dagger.Secret]
    volumes: str = ""
    """Prefix of the volumes that keep data from call to call; empty keeps nothing."""

    @classmethod
    async def open(
        cls, workspace: Workspace, selection: Selection, given: dagger.Secret | None, volumes: str = ""
    ) -> Stack:
        """Describe the stack of a selection, with everything that the chosen services need.

        Args:
            workspace: The repository.
            selection: The services.
            given: File of secrets; what it lacks is generated for this stack.
            volumes: Prefix of the volumes that keep data; empty keeps nothing.

        Returns:
            The stack; nothing runs yet.

        Raises:
            UsageError: The selection or the secrets are wrong.
        """
        plan = workspace.platform.plan(selection.profile, selection.only, selection.without, dependencies=True)
        secrets = await collect([entry.service for entry in plan.entries], given)
        return cls(await workspace.builder(), plan, secrets, volumes)

    def services(self) -> dict[str, dagger.Service]:
        """Describe every service; none is started by this.

        Returns:
            Dagger services by codename. Starting one starts what it needs first, and waits until that is healthy.
        """
        running: dict[str, dagger.Service] = {}
        entries = {entry.service.codename: entry for entry in self.plan.entries}
        for layer in self.plan.start_order:
            for name in layer:
                running[name] = self.container(entries[name], running).as_service(use_entrypoint=True)
        return running

    async def start(self, running: Mapping[str, dagger.Service]) -> None:
        """Start every service, layer by layer, so that one that does not become healthy is known by its name.

        Args:
            running: The services, from `services`.

        Raises:
            FindingsError: Services did not become healthy; each is named, with the reason.
        """
        for layer in self.plan.start_order:
            problems = await gather({name: partial(_start, name, running[name]) for name in layer if name in running})
            if found := [problem for problem in problems.values() if problem]:
                raise FindingsError("\n".join(found))

    def container(self, entry: Entry, running: Mapping[str, dagger.Service]) -> dagger.Container:
        """Describe one service's container.

        Args:
            entry: The service.
            running: The services that it needs, by codename; others are ignored.

        Returns:
            Its image with environment, secrets, volumes, ports, health check and bindings.
        """
        service = entry.service
        container = self.configured(entry)
        for volume in service.volumes if self.volumes else ():
            cache = dag.cache_volume(f"{self.volumes}-{service.codename}-{volume.name}")
            container = container.with_mounted_cache(
                volume.path, cache, owner=OWNER, sharing=dagger.CacheSharingMode.LOCKED
            )
        for port in service.open_ports:
            protocol = dagger.NetworkProtocol[port.transport.upper()]
            # With a health check the ports need no dialling, and a UDP port cannot be dialled at all.
            container = container.with_exposed_port(
                port.port, protocol=protocol, experimental_skip_healthcheck=service.healthcheck is not None
            )
        if service.healthcheck:
            container = _health(container, service, service.healthcheck)
        needed = {name: running[name] for name in self.plan.graph.needs[service.codename] if name in running}
        return self.bound(container, needed)

    def configured(self, entry: Entry) -> dagger.Container:
        """Describe an image with the environment and the secrets of its service.

        Args:
            entry: The service.

        Returns:
            The container.
        """
        container = self.builder.service(entry)
        for key, value in entry.service.env.items():
            container = container.with_env_variable(key, value)
        for ref in entry.service.secrets:
            container = container.with_secret_variable(ref.env, self.secrets[ref.name])
        return container

    def bound(self, container: dagger.Container, needed: Mapping[str, dagger.Service]) -> dagger.Container:
        """Let a container reach services by all of their names.

        Args:
            container: The container.
            needed: Services by codename.

        Returns:
            The container, which starts after they are healthy.
        """
        entries = {entry.service.codename: entry.service for entry in self.plan.entries}
        for name, running in needed.items():
            for alias in entries[name].aliases:
                container = container.with_service_binding(alias, running)
        return container


async def _start(name: str, service: dagger.Service) -> str:
    """Start one service; empty, or why it is not healthy."""
    begun = time.monotonic()
    try:
        await service.start()
    except dagger.QueryError as error:
        LOG.warning("not healthy", service=name, seconds=round(time.monotonic() - begun, 1))
        return f"{name}: did not become healthy: {notes.failure('start', error, '').text}"
    LOG.info("healthy", service=name, seconds=round(time.monotonic() - begun, 1))
    return ""


def _health(container: dagger.Container, service: Service, check: Healthcheck) -> dagger.Container:
    """Give the service its time: after `start_period` it is probed every second, `timeout` times before it fails."""
    return container.with_docker_healthcheck(
        check.test[1:],
        shell=check.test[0] == "CMD-SHELL",
        interval=POLL,
        timeout=f"{check.timeout:g}s",
        start_period=f"{check.start_period:g}s",
        start_interval=POLL,
        retries=service.timeout,
    )
