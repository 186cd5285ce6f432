from __future__ import annotations

import dagger
import pytest
from dagger.mod._exceptions import FunctionError, _exception_attributes

from pipeline.errors import CallError, FindingsError, UsageError, UsageGroupError, raise_usage


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("file: key", "is wrong", "mend it"), 2, "file: key: is wrong; mend it"),
        (UsageGroupError([UsageError("a", "b", "c"), UsageError("d", "e", "f")]), 2, "a: b; c\nd: e; f"),
        (FindingsError("two images failed"), 1, "two images failed"),
    ],
)
def test_the_shape_that_carries_an_exit_code(error: CallError, code: int, text: str) -> None:
    """Dagger's CLI passes the exit code of a failed command on: the error must look like one to the SDK."""
    assert isinstance(error, FunctionError)
    assert isinstance(error, dagger.QueryError)
    assert str(error) == text
    assert error.error.message == text
    assert error.error.extensions["_type"] == "EXEC_ERROR"
    assert error.error.extensions["exitCode"] == code
    assert _exception_attributes(error)["exception.message"] == text


def test_nothing_wrong_raises_nothing() -> None:
    raise_usage([])
