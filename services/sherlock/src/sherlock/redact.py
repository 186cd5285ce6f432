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
                in_json = json.dumps(secret)[1:-1]
                spellings |= {
                    secret,
                    quote(secret, safe=""),
                    in_json,
                    json.dumps(in_json)[1:-1],
                    repr(secret)[1:-1],
                }
        # Longest first: one secret may be part of another.
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text with each secret replaced by three asterisks."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text
