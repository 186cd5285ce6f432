from __future__ import annotations

import pytest

from pipeline.errors import UsageError, UsageGroupError
from pipeline.stack import secrets


def test_lines() -> None:
    text = '# comment\n\nPOSTGRES_PASSWORD="0123456789abcdef"\nexport REDIS_PASSWORD=a=b"\n'
    assert secrets.parse(text) == {"POSTGRES_PASSWORD": "0123456789abcdef", "REDIS_PASSWORD": 'a=b"'}


def test_a_wrong_line_is_named_by_its_number_alone() -> None:
    with pytest.raises(UsageError, match="--secrets: line 2: is not NAME=value") as caught:
        secrets.parse("A=1\nhunter2hunter2\n")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["short", "CHANGE_ME_please_now", "change-this-secret-now", "password123password123"])
def test_what_is_no_secret_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(UsageError, match="--secrets: X:") as caught:
        secrets.check({"X": value}, ["X"])
    assert value not in str(caught.value)


def test_every_bad_secret_is_named() -> None:
    with pytest.raises(UsageGroupError, match="A") as caught:
        secrets.check({"A": "x", "B": "y", "C": "0123456789abcdef"}, ["A", "B", "C"])
    assert [error.where for error in caught.value.all] == ["--secrets: A", "--secrets: B"]


def test_a_secret_that_nobody_asks_for_is_a_misspelled_one() -> None:
    with pytest.raises(
        UsageError, match="--secrets: POSTGRES_PASWORD: is asked for by no service; known: POSTGRES_PASS"
    ):
        secrets.check({"POSTGRES_PASWORD": "0123456789abcdef"}, ["POSTGRES_PASSWORD", "REDIS_PASSWORD"])
