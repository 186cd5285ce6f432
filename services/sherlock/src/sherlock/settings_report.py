"""Turns what pydantic says about the environment into one line for the person who set it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_LONGEST_VALUE = 60


class MissingVariableError(ValueError):
    """A variable that another one makes necessary is not set; its text is the variable's name."""


def one_line(
    error: ValidationError, fields: Mapping[str, FieldInfo], *, prefix: str, secret: AbstractSet[str]
) -> str:
    """Say the first mistake, and name the variables of the others.

    Args:
        error: what pydantic found.
        fields: the model's fields by name; a field's description says what to set its variable to.
        prefix: what the variables of fields without an alias begin with.
        secret: variables whose value must not be shown.

    Returns:
        One line without a line break.
    """
    found = [
        _describe(item, {_variable(n, f, prefix): f for n, f in fields.items()}, secret)
        for item in error.errors()
    ]
    others = ", ".join(sorted({variable for variable, _ in found[1:] if variable}))
    line = " ".join(found[0][1].split())
    return f"{line} (wrong too: {others})" if others else line


def _variable(name: str, field: FieldInfo, prefix: str) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return alias if isinstance(alias, str) else prefix + name.upper()


def _describe(
    item: ErrorDetails, fields: Mapping[str, FieldInfo], secret: AbstractSet[str]
) -> tuple[str, str]:
    """Return the variable and what is wrong with it."""
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, MissingVariableError):
        return _missing(str(cause), fields)
    if not item["loc"]:
        return "", str(cause)
    spelled = str(item["loc"][0])
    variable, field = _find(spelled, fields)
    if item["type"] == "missing":
        return _missing(variable, fields)
    value = item["input"]
    # A URL with user and password is an easy mistake: such a value is a secret.
    shown = "" if variable in secret or "@" in str(value) else f" {str(value)[:_LONGEST_VALUE]!r}"
    reason = str(cause) if cause is not None else item["msg"][:1].lower() + item["msg"][1:]
    wanted = field.description if field is not None else ""
    return variable, f"{variable}{shown} is not usable ({reason}): set it to {wanted}"


def _missing(variable: str, fields: Mapping[str, FieldInfo]) -> tuple[str, str]:
    return variable, f"{variable} is not set: set it to {fields[variable].description}"


def _find(spelled: str, fields: Mapping[str, FieldInfo]) -> tuple[str, FieldInfo | None]:
    """Find the field of a variable (pydantic names either the variable or the field)."""
    for variable, field in fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else []
        if variable == spelled or spelled in choices or variable.lower().endswith("_" + spelled):
            return (spelled if spelled in choices else variable), field
    return spelled, None
