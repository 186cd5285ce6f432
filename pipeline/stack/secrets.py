"""Secrets of a stack: given in a file, or made for this one stack. The only place that sees a plain text."""

from __future__ import annotations

import difflib
import re
import secrets
from collections.abc import Collection, Iterable, Mapping

import dagger
from dagger import dag

from pipeline.catalogue.model import Service
from pipeline.errors import UsageError, raise_usage

LINE = re.compile(r"^(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)$")
PLACEHOLDERS = re.compile(r"change[-_]?(me|this)|password123|^admin$|unleash-insecure|not-secure", re.IGNORECASE)
LEAST = 16
"""Characters of the shortest secret that is taken (`formats.md`: 16 for PostgreSQL)."""
BYTES = 32
"""Random bytes of a generated secret, written as hex."""


def parse(text: str) -> dict[str, str]:
    """Read `NAME=value` lines.

    Args:
        text: Contents of the file; `#` begins a comment line, quotes around a value are taken off.

    Returns:
        Values by name.

    Raises:
        UsageError: A line has another form; named by its number, never by its contents.
        UsageGroupError: Several have.
    """
    values: dict[str, str] = {}
    errors: list[UsageError] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = LINE.match(stripped)
        if match:
            values[match[1]] = _unquoted(match[2].strip())
        else:
            errors.append(UsageError(f"--secrets: line {number}", "is not NAME=value", "write one secret a line"))
    raise_usage(errors)
    return values


def _unquoted(value: str) -> str:
    paired = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if paired else value


def check(values: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse secrets that are none.

    Args:
        values: Secrets by name.
        known: Names that some service asks for; a secret that nobody asks for is a misspelled one.

    Raises:
        UsageError: One is too short or a placeholder; the value is not shown.
        UsageGroupError: Several are.
    """
    errors = []
    for name, value in values.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3) or sorted(known)
            errors.append(UsageError(f"--secrets: {name}", "is asked for by no service", f"known: {', '.join(near)}"))
        elif PLACEHOLDERS.search(value):
            errors.append(UsageError(f"--secrets: {name}", "is a placeholder", "put a random value in its place"))
        elif len(value) < LEAST:
            errors.append(UsageError(f"--secrets: {name}", f"has fewer than {LEAST} characters", "make it longer"))
    raise_usage(errors)


async def collect(services: Iterable[Service], given: dagger.Secret | None) -> dict[str, dagger.Secret]:
    """Get every secret that the services ask for.

    Args:
        services: The services of the stack.
        given: A file of `NAME=value` lines, NAME being the variable; what it lacks is generated for this call.

    Returns:
        Secrets by the name that service.yaml gives them.

    Raises:
        UsageError: The file is wrong.
        UsageGroupError: In several places.
    """
    wanted: dict[str, str] = {}
    for service in services:
        for ref in service.secrets:
            if wanted.setdefault(ref.name, ref.env) != ref.env:
                fix = f"call it {wanted[ref.name]} everywhere"
                raise UsageError(f"{service.codename}: secrets", f"`{ref.name}` is {ref.env} here only", fix)
    try:
        text = await given.plaintext() if given else ""
    except dagger.QueryError:
        raise UsageError("--secrets", "cannot be read", "name a file that is there: file:PATH") from None
    values = parse(text)
    check(values, set(wanted.values()))
    return {
        name: dag.set_secret(f"arc-{name}-{secrets.token_hex(4)}", values.get(env) or secrets.token_hex(BYTES))
        for name, env in sorted(wanted.items())
    }
