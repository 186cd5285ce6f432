"""Hashed bag-of-words embeddings: similar texts share words and parts of words, so their vectors are near.

Feature hashing (Weinberger et al. 2009): each word and each three letters of a word add plus or minus a
weight at a place that its hash names. No vocabulary, no training, a fixed length, the same on every machine.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from hashlib import blake2b

_WORD = re.compile(r"\w+")
# Endings with the length of the shortest word that loses them ("ring" and "bus" stay).
_ENDINGS = (("ing", 6), ("ed", 5), ("s", 4))
_GRAM = 3
_WORD_WEIGHT = 1.0
# Three letters in common are a weaker sign than a word in common; together they find "dogs" near "dog".
_GRAM_WEIGHT = 0.35
# Words that say little about the subject count little.
_COMMON_WEIGHT = 0.15
_COMMON_WORDS = (
    "a about after all am an and any are as at be been but by can could did do does for from had has have he "
    "her his how i if in into is it its me my no not of on or our she so some that the their them there they "
    "this to too up was we were what when where which who why will with would you your"
)
_COMMON = frozenset(_COMMON_WORDS.split())


class HashingEmbedder:
    """Embeds texts without a model file.

    It runs on the event loop: a message of 100 words takes about a millisecond, less than handing it to a
    thread is worth, and the length of messages is limited.
    """

    def __init__(self, dimensions: int) -> None:
        """Fix the length of the vectors.

        Args:
            dimensions: length of the vectors.
        """
        self.dimensions = dimensions
        self.name = f"builtin-{dimensions}"

    async def embed(self, text: str) -> list[float]:
        """Return the text's unit vector; see `Embedder.embed`."""
        return embed(text, self.dimensions)

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


def embed(text: str, dimensions: int) -> list[float]:
    """Hash a text into a vector of length 1.

    Args:
        text: any text; case, width and composition of characters do not matter.
        dimensions: length of the vector.

    Returns:
        The vector, never all zero.
    """
    vector = [0.0] * dimensions
    for feature, weight in _features(text).items():
        digest = int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        vector[(digest >> 1) % dimensions] += weight if digest & 1 else -weight
    length = math.sqrt(math.fsum(value * value for value in vector))
    if length == 0.0:  # two features that cancel each other out
        vector[0] = length = 1.0
    return [value / length for value in vector]


def _features(text: str) -> dict[str, float]:
    normal = unicodedata.normalize("NFKC", text).casefold()
    # A text without a single word (such as an emoji) is its characters.
    words = Counter(_WORD.findall(normal)) or Counter(normal.split()) or Counter(["∅"])
    features: Counter[str] = Counter()
    for word, count in words.items():
        # A word said ten times does not make the text ten times as much about it.
        scale = (1.0 + math.log(count)) * (_COMMON_WEIGHT if word in _COMMON else 1.0)
        features["w:" + _stem(word)] += _WORD_WEIGHT * scale  # type: ignore[assignment] # a Counter of floats
        edged = f"^{word}$"
        for start in range(len(edged) - _GRAM + 1):
            features["g:" + edged[start : start + _GRAM]] += _GRAM_WEIGHT * scale  # type: ignore[assignment] # same
    return dict(features)


def _stem(word: str) -> str:
    """Drop the commonest English endings, so that "dogs" and "dog" are one word."""
    for ending, shortest in _ENDINGS:
        if len(word) >= shortest and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)]
    return word
