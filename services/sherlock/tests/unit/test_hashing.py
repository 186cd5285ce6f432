from __future__ import annotations

import math

import pytest

from sherlock.models.hashing import HashingEmbedder, embed

SIZE = 384
MEMORIES = (
    "My dog is called Rex and he likes long walks in the park.",
    "The server room's air conditioning failed on Tuesday.",
    "I am allergic to peanuts and shellfish.",
    "Our database backup runs every night at two o'clock.",
    "The flight to Lisbon leaves at nine in the morning.",
    "She plays the violin in the city orchestra.",
    "Kubernetes pods restart when the memory limit is reached.",
    "Die Rechnung für den Monat März ist noch offen.",
    "The recipe needs two eggs, flour and a pinch of salt.",
    "The quarterly revenue grew by twelve percent.",
)
QUESTIONS = {
    "What are the names of my dogs?": 0,
    "why did the air condition fail in the server rooms": 1,
    "Which food am I ALLERGIC to? Is it the peanut?": 2,
    "when are the databases backed up, what about the backups": 3,
    "What time is my flight to Lisbon?": 4,
    "who plays violins in an orchestra": 5,
    "a pod of kubernetes was restarted because of its memory limits": 6,
    "Welche Rechnungen sind offen?": 7,
    "how many eggs does this recipe need": 8,
    "How much did quarterly revenues grow?": 9,
}


def cosine(left: list[float], right: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize(("question", "expected"), QUESTIONS.items())
def test_the_nearest_memory_is_the_one_that_is_meant(question: str, expected: int) -> None:
    scores = [cosine(embed(question, SIZE), embed(memory, SIZE)) for memory in MEMORIES]
    assert scores.index(max(scores)) == expected
    # It clears the default of SHERLOCK_RECALL_MIN_SIMILARITY.
    assert max(scores) > 0.15


def test_texts_without_a_word_in_common_are_far_apart() -> None:
    scores = [
        cosine(embed(left, SIZE), embed(right, SIZE))
        for left in MEMORIES
        for right in MEMORIES
        if left != right
    ]
    assert sum(scores) / len(scores) < 0.08


@pytest.mark.parametrize(
    "text", ["", " ", "!!!", "🙂", "a", "the the the", "ß", "日本語のテキスト", "x" * 8000, "\ud800"]
)
async def test_every_text_has_a_finite_unit_vector(text: str) -> None:
    vector = await HashingEmbedder(SIZE).embed(text)
    assert len(vector) == SIZE
    assert math.isclose(cosine(vector, vector), 1.0, rel_tol=1e-9)


def test_the_vector_is_the_same_in_every_process_and_version() -> None:
    # Two words (weight 1) and six times three letters (0.35): stored vectors rely on these places and signs.
    places = [(place, round(value, 4)) for place, value in enumerate(embed("ping 42", SIZE)) if value]
    word, gram = 0.6047, 0.2116
    assert places == [
        (4, -gram),
        (52, -gram),
        (128, gram),
        (191, word),
        (201, -word),
        (234, -gram),
        (265, gram),
        (296, gram),
    ]


def test_case_width_and_composition_do_not_matter() -> None:
    assert embed(
        "CAF\N{LATIN SMALL LETTER E WITH ACUTE} \N{FULLWIDTH LATIN CAPITAL LETTER A}", SIZE
    ) == embed("cafe\u0301 a", SIZE)


def test_vectors_of_every_length() -> None:
    for size in (1, 2, 7, 2000):
        assert len(embed("one two three", size)) == size
