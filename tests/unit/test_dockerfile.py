from __future__ import annotations

import pytest

from pipeline.build.dockerfile import ComposeError, compose, parse

BASE = """# the base
ARG DEBIAN=debian@sha256:00
FROM ${DEBIAN} AS go-infra-builder
RUN true
FROM scratch AS go-infra
"""
SERVICE = """ARG DEBIAN=debian@sha256:00
ARG GO_INFRA=ghcr.io/acme/base
from --platform=linux/amd64 ${GO_INFRA} as sonic
COPY <<EOF /x
FROM here
EOF
"""


def test_global_arguments_come_first_and_once() -> None:
    text = compose([("base/Dockerfile", BASE), ("sonic/Dockerfile", SERVICE)]).text
    head, _, body = text.partition("\n\n")
    assert head.splitlines() == ["ARG DEBIAN=debian@sha256:00", "ARG GO_INFRA=ghcr.io/acme/base"]
    assert body.index("go-infra-builder") < body.index("as sonic")


def test_the_stages_keep_their_order_and_text() -> None:
    text = compose([("base/Dockerfile", BASE), ("sonic/Dockerfile", SERVICE)]).text
    assert text.endswith(SERVICE.partition("base\n")[2])
    assert text.count("RUN true") == 1


def test_a_lower_case_from_begins_the_stages() -> None:
    assert parse("f", SERVICE).stages == ("sonic",)
    assert parse("f", SERVICE).arguments == {"DEBIAN": "debian@sha256:00", "GO_INFRA": "ghcr.io/acme/base"}


def test_two_files_with_the_same_stage() -> None:
    with pytest.raises(ComposeError, match="b: stage `go-infra` is also in a; rename it"):
        compose([("a", BASE), ("b", "FROM x AS Go-Infra\n")])


def test_a_file_without_a_stage() -> None:
    with pytest.raises(ComposeError, match="a: has no FROM"):
        compose([("a", "ARG X=1\n")])


def test_what_is_declared_is_known() -> None:
    composed = compose([("a", BASE), ("b", SERVICE)])
    assert composed.stages == {"go-infra-builder", "go-infra", "sonic"}
    assert composed.arguments == {"DEBIAN", "GO_INFRA"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ARG DEBIAN=other\nFROM x\n", "b: ARG `DEBIAN` has another default in a; rename it"),
        ("ARG A=1 B=2\nFROM x\n", "b: `ARG A=1 B=2` is no plain ARG"),
        ("FROM x\nCOPY --from=0 /a /a\n", "b: `COPY --from=0 /a /a` names a stage by its number"),
        ("FROM x\nRUN --mount=type=bind,from=1,target=/x true\n", "names a stage by its number"),
    ],
)
def test_what_would_change_its_meaning_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ComposeError) as caught:
        compose([("a", BASE), ("b", text)])
    assert expected in str(caught.value)


def test_a_default_that_the_build_replaces_may_differ() -> None:
    assert "ARG DEBIAN=debian@sha256:00" in compose([("a", BASE), ("b", "ARG DEBIAN=x\nFROM x\n")], ["DEBIAN"]).text
