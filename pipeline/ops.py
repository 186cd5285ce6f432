"""The Dagger object for what is done with a stack."""

from __future__ import annotations

import json
import uuid
from typing import Any

import dagger

from pipeline.api import cached, object_type
from pipeline.build import notes
from pipeline.catalogue.load import Entry
from pipeline.errors import FindingsError, UsageError
from pipeline.report import operations
from pipeline.report.form import TABLE, Form, wants_json
from pipeline.stack.graph import Selection, Stack
from pipeline.workspace import Workspace

TESTER = "utility"
"""Role of the service whose image exercises the others."""


@object_type
class Ops:
    """Verbs for a stack. Each call starts the services with fresh data, does its work, reports, and ends them."""

    source: dagger.Directory
    settings: str
    profile: str
    only: list[str]
    without: list[str]
    secrets: dagger.Secret | None = None

    @cached("never")
    async def smoke(self, form: Form = TABLE) -> str:
        """Use each service by its own protocol for what it is for; exit code 1 when a check fails."""
        answer = await self._ask("smoke")
        text = json.dumps(answer, indent=2) if wants_json(form) else operations.smoke_table(answer)
        if not answer["ok"]:
            raise FindingsError(text)
        return text

    @cached("never")
    async def health(self, form: Form = TABLE) -> str:
        """Probe each service by its own protocol; exit code 1 when one is not healthy."""
        answer = await self._ask("health")
        text = json.dumps(answer, indent=2) if wants_json(form) else operations.health_table(answer)
        if not answer["overall_healthy"]:
            raise FindingsError(text)
        return text

    @cached("never")
    async def ps(self, form: Form = TABLE) -> str:
        """Services with their state, ports, dependencies and declared resources."""
        stack = await self._stack()
        answer = await self._ask("health", stack)
        rows = operations.ps_rows(stack.plan, answer)
        return json.dumps(rows, indent=2) if wants_json(form) else operations.ps_table(rows)

    async def _stack(self) -> Stack:
        workspace = await Workspace.open(self.source, "", **json.loads(self.settings))
        return await Stack.open(workspace, Selection(self.profile, self.only, self.without), self.secrets)

    async def _ask(self, verb: str, stack: Stack | None = None) -> dict[str, Any]:
        """Run the utility service's command beside the stack; its JSON, whatever its exit code."""
        stack = stack or await self._stack()
        running = stack.services()
        await stack.start(running)
        tester = _tester(stack)
        container = stack.bound(stack.configured(tester), running)
        command = [verb, "--json", "--only", ",".join(running)]
        # The variable makes each call a run of its own: an answer about a live stack is never taken from a cache.
        run = container.with_env_variable("ARC_RUN", uuid.uuid4().hex).with_exec(
            command, use_entrypoint=True, expect=dagger.ReturnType.ANY
        )
        try:
            output = await run.stdout()
        except dagger.QueryError as error:
            raise FindingsError(f"{verb}: the stack did not start: {notes.failure('start', error, '').text}") from None
        try:
            answer: dict[str, Any] = json.loads(output)
        except ValueError:
            raise FindingsError(
                f"{verb}: {tester.service.codename} said: {(await run.stderr()).strip()[-2000:]}"
            ) from None
        return answer


def _tester(stack: Stack) -> Entry:
    """The utility service, which speaks every protocol; it must be part of the stack."""
    for entry in stack.plan.entries:
        if entry.service.role == TESTER:
            return entry
    fix = "choose a profile that holds it, or add it with --only"
    raise UsageError("--profile", f"has no service of the role `{TESTER}`, which exercises the others", fix)
