"""Turns what pydantic says about the environment into one line for the person who set it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_LONGEST_VALUE = 60


class MissingVariableError(ValueError):
    """A variable that another one makes necessary is not set; its text is the variable's name."""


class Reporter:
    """Knows the variables of a settings class."""

    def __init__(self, fields: Mapping[str, FieldInfo], prefix: str, secret: AbstractSet[str]) -> None:
        """Find the variables.

        Args:
            fields: the fields by name; a field's description says what to set its variable to.
            prefix: what the variables of fields without an alias begin with.
            secret: variables whose value must not be shown.
        """
        self._wanted = {
            _variables(name, field, prefix)[0]: field.description for name, field in fields.items()
        }
        # pydantic names the field, its alias, or the first of its aliases whichever was set.
        self._spellings = {
            spelling: _variables(name, field, prefix)
            for name, field in fields.items()
            for spelling in (name, *_variables(name, field, prefix))
        }
        self._secret = secret

    def one_line(self, error: ValidationError) -> str:
        """Say the first mistake, and name the variables of the others.

        Args:
            error: what pydantic found.

        Returns:
            One line without a line break.
        """
        found = [self._describe(item) for item in error.errors()]
        others = ", ".join(sorted({variable for variable, _ in found[1:]}))
        line = " ".join(found[0][1].split())
        return f"{line} (wrong too: {others})" if others else line

    def _describe(self, item: ErrorDetails) -> tuple[str, str]:
        """Return the variable and what is wrong with it."""
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, MissingVariableError):
            return self._missing(str(cause))
        if not item["loc"]:
            return "", str(cause)
        variables = self._spellings[str(item["loc"][0])]
        if item["type"] == "missing":
            return self._missing(variables[0])
        variable = next((name for name in variables if os.environ.get(name)), variables[0])
        value = str(item["input"])
        # A URL with user and password is an easy mistake: such a value is a secret.
        shown = "" if variable in self._secret or "@" in value else f" {value[:_LONGEST_VALUE]!r}"
        reason = str(cause) if cause is not None else item["msg"][:1].lower() + item["msg"][1:]
        return variable, f"{variable}{shown} is not usable ({reason}): set it to {self._wanted[variables[0]]}"

    def _missing(self, variable: str) -> tuple[str, str]:
        return variable, f"{variable} is not set: set it to {self._wanted[variable]}"


def _variables(name: str, field: FieldInfo, prefix: str) -> tuple[str, ...]:
    """Return the variables of a field; the first that is set counts."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    return (alias if isinstance(alias, str) else prefix + name.upper(),)
