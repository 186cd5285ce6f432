"""Keeps secrets out of everything that leaves the process as text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"
# A shorter value would turn ordinary words into asterisks, and is no secret anyway.
_SHORTEST = 4


class Redactor:
    """Replaces known secret values in text, in every spelling in which they may turn up."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Learn the secrets.

        Args:
            secrets: the values; those shorter than four characters are ignored.
        """
        spellings: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                spellings |= {secret, quote(secret, safe=""), repr(secret)[1:-1]}
                # Within JSON, and within JSON that is a string of other JSON (an endpoint's error in a log).
                once = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
                twice = {json.dumps(text, ensure_ascii=False)[1:-1] for text in once}
                spellings |= once | twice
        # Longest first: one secret may be part of another.
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text with each secret replaced by three asterisks."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text
