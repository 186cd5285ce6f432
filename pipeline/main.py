"""The module's main object: what `dagger call` offers."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, function, up

from pipeline import settings
from pipeline.api import cached, object_type
from pipeline.build import images
from pipeline.build import run as runs
from pipeline.image import Image
from pipeline.ops import Ops
from pipeline.publish.push import Push
from pipeline.report import listing
from pipeline.report.form import TABLE, Form, wants_json
from pipeline.report.table import build_table
from pipeline.result import Build
from pipeline.stack.front import front
from pipeline.stack.graph import Selection, Stack
from pipeline.workspace import Workspace, checkout

Profile = Annotated[str, Doc("Profile of services/profiles.yaml; `full` is every service.")]
Only = Annotated[list[str] | None, Doc("Services to take instead of a profile, by any of their names.")]
Without = Annotated[list[str] | None, Doc("Services to leave out.")]
Secrets = Annotated[dagger.Secret | None, Doc("File of NAME=value lines (file:PATH); what it lacks is generated.")]


@object_type
class Arc:
    """The pipeline over one repository."""

    source: Annotated[
        dagger.Directory,
        DefaultPath("/"),
        Ignore(
            [
                "*",
                "!arc.toml",
                "!.hadolint.yaml",
                "!.arc/images.lock.json",
                "!base-images",
                "!services",
                "**/.venv",
                "**/__pycache__",
                "**/.pytest_cache",
                "**/.mypy_cache",
                "**/.ruff_cache",
                "**/node_modules",
            ]
        ),
        Doc("Root of the repository."),
    ]
    registry: Annotated[str, Doc("Registry host; ARC_REGISTRY in .env, `registry` in arc.toml.")] = ""
    namespace: Annotated[str, Doc("Namespace in the registry.")] = ""
    tag: Annotated[str, Doc("Tag to publish; default: each service's version.")] = ""
    platform: Annotated[str, Doc("Platform to build for.")] = ""
    severity: Annotated[list[str] | None, Doc("Severities that fail.")] = None
    require_vulnerabilities: Annotated[bool, Doc("Fail images when there is no vulnerability database.")] = False
    concurrency: Annotated[int | None, Doc("Images built or scanned at the same time.")] = None
    log_level: Annotated[str, Doc("Least level that is logged.")] = ""
    log_format: Annotated[str, Doc("Log lines for people (console) or machines (json).")] = ""
    revision: Annotated[str, Doc("Commit that the images are labelled with.")] = ""

    @function(name="list")
    async def catalogue(self, form: Form = TABLE) -> str:
        """Every service of the catalogue, and the profiles."""
        platform = (await self._workspace()).platform
        return listing.services_json(platform) if wants_json(form) else listing.services_table(platform)

    @function
    async def plan(
        self, profile: Profile = "full", only: Only = None, without: Without = None, form: Form = TABLE
    ) -> str:
        """What `build-all` would build, in which order, and why; and the start order with dependencies."""
        plan = (await self._workspace()).platform.plan(profile, only or (), without or ())
        return listing.plan_json(plan) if wants_json(form) else listing.plan_table(plan)

    @function
    async def config(self) -> str:
        """The settings in force, as JSON."""
        return settings.load(await checkout(self.source), **self._settings()).model_dump_json(indent=2)

    @cached("session")
    async def build_all(self, profile: Profile = "full", only: Only = None, without: Without = None) -> Build:
        """Lint, build, weigh and scan the base images and services; exit code 1 when one did not pass."""
        workspace = await self._workspace()
        plan = workspace.platform.plan(profile, only or (), without or ())
        builder = await workspace.builder()
        result, made = await runs.run(builder, plan, workspace.settings)
        if not result.failures:  # with failures, the same table is the error that ends the call
            print(build_table(result), file=sys.stderr, flush=True)  # noqa: T201  # seen as the call's own output
        built = [Image.of(image) for image in made.values() if image.result.digest]
        return Build(state=json.dumps(result.to_dict()), built=built)

    @function
    async def base(
        self, name: Annotated[str, Doc("go-infra or python-ai, or another stage of them.")]
    ) -> dagger.Container:
        """A base image."""
        return (await (await self._workspace()).builder()).named(name)

    @function
    async def service(self, name: Annotated[str, Doc("Any name of the service.")]) -> dagger.Container:
        """A service's image, without scan or lint."""
        workspace = await self._workspace()
        return (await workspace.builder()).service(workspace.platform.catalogue.find(name, "--name"))

    @cached("never")
    async def refresh_images(
        self,
        repository: Annotated[
            dagger.Directory,
            DefaultPath("/"),
            Ignore(["*", f"!{images.LOCK}", "!**/*Dockerfile", "**/.venv", "**/node_modules"]),
            Doc("Every file that names an external image."),
        ],
    ) -> dagger.Changeset:
        """Look up today's digests of the external base images; the change can be applied or thrown away."""
        workspace = await self._workspace()
        text, remarks = await images.refreshed(workspace.platform.root)
        print(*remarks, sep="\n", file=sys.stderr, flush=True)  # noqa: T201  # seen as the call's own output
        return (await images.replaced(workspace.platform.root, repository, text)).changes(repository)

    @cached("never")
    async def publish(
        self,
        profile: Profile = "full",
        only: Only = None,
        without: Without = None,
        username: Annotated[str, Doc("User of the registry.")] = "",
        password: Annotated[dagger.Secret | None, Doc("Its password or token (env:NAME, file:PATH).")] = None,
    ) -> str:
        """Build, and push what passed; returns digests.json: name, reference, tag, digest, size, platform."""
        workspace = await self._workspace()
        plan = workspace.platform.plan(profile, only or (), without or ())
        builder = await workspace.builder()
        push = Push(builder, workspace.settings, username, password)
        await push.check()
        result, made = await runs.run(builder, plan, workspace.settings)
        return await push.publish(result, made)

    @cached("never")
    @up
    async def stack(
        self,
        profile: Profile = "core",
        only: Only = None,
        without: Without = None,
        secrets: Secrets = None,
        volumes: Annotated[str, Doc("Prefix of the volumes that keep data; empty keeps nothing.")] = "arc",
    ) -> dagger.Service:
        """The services of a profile with their dependencies, behind one front that has all of their ports.

        `dagger call stack up` starts it, opens the ports on this machine, shows the logs and ends it at Ctrl-C.
        """
        stack = await Stack.open(
            await self._workspace(), Selection(profile, only or (), without or ()), secrets, volumes
        )
        behind = [entry.service for entry in stack.plan.entries]
        return front(behind, stack.services(), stack.builder.debian)

    @function
    def ops(
        self, profile: Profile = "core", only: Only = None, without: Without = None, secrets: Secrets = None
    ) -> Ops:
        """What is done with a stack: smoke, health, ps. Each starts its own stack, with fresh data, and ends it."""
        return Ops(
            source=self.source,
            settings=json.dumps(self._settings()),
            profile=profile,
            only=only or [],
            without=without or [],
            secrets=secrets,
        )

    def _settings(self) -> dict[str, object]:
        """What was given with the call."""
        names = ("registry", "namespace", "tag", "platform", "severity", "concurrency", "log_level", "log_format")
        given = {name: getattr(self, name) for name in names}
        return given | ({"require_vulnerabilities": True} if self.require_vulnerabilities else {})

    async def _workspace(self) -> Workspace:
        return await Workspace.open(self.source, self.revision, **self._settings())
