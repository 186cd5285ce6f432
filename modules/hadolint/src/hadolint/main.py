"""The Dagger object."""

from __future__ import annotations

import json
from typing import Annotated

import dagger
from dagger import Doc, dag, field, function, object_type
from dagger.mod._exceptions import FunctionError  # ends a function without a traceback

from hadolint import lint as runner
from hadolint.finding import LEVELS, Finding, Level, at_least, sarif


@object_type
class LintRun:
    """The result of one run."""

    findings: Annotated[list[str], Doc("One line a finding: file, line, rule, level, message.")] = field(default=list)
    found: str = "[]"

    @function
    def report(self) -> dagger.File:
        """The findings as JSON, as hadolint writes them."""
        return dag.file("hadolint.json", self.found)

    @function
    def sarif(self) -> dagger.File:
        """The findings as SARIF 2.1.0, for code-scanning views."""
        found = [Finding(**item) for item in json.loads(self.found)]
        return dag.file("hadolint.sarif", json.dumps(sarif(found, runner.VERSION), indent=2))

    @function
    def summary(self) -> str:
        """The findings for a person, and their number."""
        return "\n".join([*self.findings, f"{len(self.findings)} findings"])

    @function
    def check(self) -> str:
        """The summary; fails when there is a finding."""
        if self.findings:
            raise FunctionError(self.summary())
        return self.summary()


@object_type
class Hadolint:
    """Lints Dockerfiles with a pinned hadolint."""

    debian: Annotated[str, Doc("Debian image to build hadolint on where its own image cannot be pulled.")] = ""

    @function
    async def lint(
        self,
        source: Annotated[dagger.Directory, Doc("Directory that holds the Dockerfiles.")],
        paths: Annotated[list[str] | None, Doc("Dockerfiles in it; default: every file of that name.")] = None,
        config: Annotated[dagger.File | None, Doc("hadolint's configuration.")] = None,
        threshold: Annotated[str, Doc("Lightest level that counts: error, warning, info or style.")] = "info",
    ) -> LintRun:
        """Lint Dockerfiles."""
        if threshold not in LEVELS:
            raise FunctionError(f"--threshold: `{threshold}` is no level; use one of {', '.join(LEVELS)}")
        level: Level = threshold
        chosen = paths or await source.glob("**/Dockerfile")
        found = at_least(await runner.lint(await runner.tool(self.debian), source, chosen, config), level)
        return LintRun(
            findings=[str(finding) for finding in found], found=json.dumps([vars(finding) for finding in found])
        )
