"""Errors that users of the pipeline see: one line, and an exit code that says whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import dagger
from dagger._exceptions import QueryErrorValue  # not exported, but the only way to give an error its shape
from dagger.mod._exceptions import FunctionError  # the SDK's way to end a function without a traceback in the log

FINDINGS = 1
"""Exit code: the work was done and something was found, or failed, that must be mended."""
USAGE = 2
"""Exit code: the input is wrong; nothing was started."""


class CallError(FunctionError, dagger.QueryError):
    """An error that ends `dagger call` with an exit code of our choice.

    Dagger's CLI has one way to a code other than 1: an error with the shape of a failed container command.
    Being a `FunctionError` keeps the SDK from logging a traceback, being a `QueryError` carries the shape.
    """

    def __new__(cls, *_: Any) -> Self:  # noqa: ANN401  # whatever a subclass takes
        """Skip `QueryError.__new__`, which picks a class by the answer of a server."""
        return Exception.__new__(cls)

    def __init__(self, message: str, exit_code: int) -> None:
        Exception.__init__(self, message)
        self.extra = None
        self.exit_code = exit_code
        shape = {"_type": "EXEC_ERROR", "cmd": [], "exitCode": exit_code, "stdout": "", "stderr": ""}
        self.errors = [QueryErrorValue(message, extensions=shape)]

    def __str__(self) -> str:
        """The message alone."""
        return str(self.args[0])


class UsageError(CallError):
    """Wrong input: the message names the place (file and key, or argument) and the fix. Exit code 2."""

    def __init__(self, where: str, problem: str, fix: str) -> None:
        self.where, self.problem, self.fix = where, problem, fix
        super().__init__(f"{where}: {problem}; {fix}", USAGE)


class UsageGroupError(CallError):
    """Several wrong inputs at once, a line for each. Exit code 2."""

    def __init__(self, errors: Sequence[UsageError]) -> None:
        self.all = tuple(errors)
        super().__init__("\n".join(str(error) for error in errors), USAGE)


class FindingsError(CallError):
    """The work was done and did not pass. Exit code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(message, FINDINGS)


def leaves(error: BaseException) -> list[BaseException]:
    """Flatten the exception groups that task groups raise.

    Args:
        error: Any exception, a group or not.

    Returns:
        The exceptions at the bottom, in order.
    """
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


def collapse(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Make one error of a group where that loses nothing.

    Args:
        group: What a task group raised.

    Returns:
        The only error; or wrong inputs together; or the group itself.
    """
    found = leaves(group)
    if len(found) == 1:
        return found[0]
    usage = [error for error in found if isinstance(error, UsageError)]
    return UsageGroupError(usage) if len(usage) == len(found) else group


def raise_usage(errors: Sequence[UsageError]) -> None:
    """Raise what was collected, if anything was.

    Args:
        errors: The problems found so far.

    Raises:
        UsageError: When there is one.
        UsageGroupError: When there are several.
    """
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise UsageGroupError(errors)
