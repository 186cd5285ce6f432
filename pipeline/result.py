"""The Dagger object for the result of a build."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

from dagger import Doc, Name, dag, function

from pipeline.api import cached, object_type
from pipeline.errors import FindingsError, UsageError
from pipeline.image import Image
from pipeline.report.contract import build_json
from pipeline.report.form import choose
from pipeline.report.model import BuildResult
from pipeline.report.sarif import build_sarif
from pipeline.report.table import build_table

FORMS = {"table": build_table, "json": build_json, "sarif": build_sarif}


@object_type
class Build:
    """The images of one build, and how each of them went."""

    state: str = "{}"
    built: list[Image] = dataclasses.field(default_factory=list)

    @function
    def report(self, form: Annotated[str, Name("format"), Doc("table, json or sarif.")] = "table") -> str:
        """What happened to each image; says so also of those that failed, with exit code 0."""
        return FORMS[choose(form, FORMS)](self._result())

    @function
    def images(self) -> list[Image]:
        """The images that could be built, also those that did not pass."""
        return self.built

    @function
    def image(self, name: Annotated[str, Doc("Codename of the service, or name of the base.")]) -> Image:
        """One image."""
        for image in self.built:
            if image.name == name:
                return image
        known = ", ".join(image.name for image in self.built) or "none was built"
        raise UsageError("--name", f"no image `{name}` was built", f"there are: {known}")

    @function
    def digests(self) -> str:
        """Digest of each image, as JSON."""
        return json.dumps({image.name: image.digest for image in self.built}, indent=2)

    @function
    def check(self) -> str:
        """The table; fails with exit code 1 when an image did not pass."""
        result = self._result()
        if result.failures:
            names = ", ".join(image.name for image in result.failures)
            raise FindingsError(f"{build_table(result)}\nnot passed: {names}")
        return build_table(result)

    @cached("never")
    async def sync(self) -> str:
        """End of a call that asks for nothing else: fails with exit code 1 when an image did not pass."""
        self.check()
        return str(await dag.directory().id())  # the CLI prints an ID after `sync`; any will do

    def _result(self) -> BuildResult:
        return BuildResult.from_dict(json.loads(self.state))
