"""Forms of a report: `--format`, since the CLI has a `--json` of its own and refuses a second (ADR 0007)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from dagger import Doc, Name

from pipeline.errors import UsageError

TABLE, JSON = "table", "json"
Form = Annotated[str, Name("format"), Doc("table, or json for machines.")]
"""The argument of every function that has these two forms."""


def choose(form: str, forms: Iterable[str]) -> str:
    """Check the form that somebody asked for.

    Args:
        form: What they wrote.
        forms: The forms there are.

    Returns:
        The form.

    Raises:
        UsageError: There is no such form.
    """
    if form not in forms:
        raise UsageError("--format", f"there is no format `{form}`", f"choose one of: {', '.join(forms)}")
    return form


def wants_json(form: str) -> bool:
    """Decide between the two forms that most reports have.

    Args:
        form: What somebody wrote.

    Returns:
        Whether it is JSON.

    Raises:
        UsageError: It is neither table nor JSON.
    """
    return choose(form, (TABLE, JSON)) == JSON
