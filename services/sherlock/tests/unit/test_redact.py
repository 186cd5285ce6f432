from __future__ import annotations

import json

import pytest

from sherlock.redact import Redactor

SECRET = 'p"a\\ss/wörd'


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        json.dumps({"password": SECRET}),
        json.dumps({"password": SECRET}, ensure_ascii=False),
        json.dumps({"inner": json.dumps({"password": SECRET})}),
        repr({"password": SECRET}),
        "postgresql://arc:p%22a%5Css%2Fw%C3%B6rd@host/db",
    ],
)
def test_every_spelling_is_masked(text: str) -> None:
    masked = Redactor([SECRET])(text)
    assert "***" in masked
    assert "rd" not in masked.replace("password", "")


def test_a_secret_that_holds_another_is_masked_as_a_whole() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh abcd") == "*** ***"


def test_other_text_stays() -> None:
    assert Redactor(["", "abc", "secret"])("abc is too short to be one") == "abc is too short to be one"
