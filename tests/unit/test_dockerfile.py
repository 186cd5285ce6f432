from __future__ import annotations

import pytest

from pipeline.build.dockerfile import ComposeError, compose, parse

BASE = """# the base
ARG DEBIAN=debian@sha256:00
FROM ${DEBIAN} AS go-infra-builder
RUN true
FROM scratch AS go-infra
"""
SERVICE = """ARG DEBIAN=other
ARG GO_INFRA=ghcr.io/acme/base
from --platform=linux/amd64 ${GO_INFRA} as sonic
COPY <<EOF /x
FROM here
EOF
"""


def test_global_arguments_come_first_and_once() -> None:
    text = compose([("base/Dockerfile", BASE), ("sonic/Dockerfile", SERVICE)])
    head, _, body = text.partition("\n\n")
    assert head.splitlines() == ["ARG DEBIAN=debian@sha256:00", "ARG GO_INFRA=ghcr.io/acme/base"]
    assert body.index("go-infra-builder") < body.index("as sonic")


def test_the_stages_keep_their_order_and_text() -> None:
    text = compose([("base/Dockerfile", BASE), ("sonic/Dockerfile", SERVICE)])
    assert text.endswith(SERVICE.partition("base\n")[2])
    assert text.count("RUN true") == 1


def test_a_lower_case_from_begins_the_stages() -> None:
    assert parse("f", SERVICE).stages == ("sonic",)
    assert parse("f", SERVICE).arguments == ("DEBIAN", "GO_INFRA")


def test_two_files_with_the_same_stage() -> None:
    with pytest.raises(ComposeError, match="b: stage `go-infra` is also in a; rename it"):
        compose([("a", BASE), ("b", "FROM x AS Go-Infra\n")])


def test_a_file_without_a_stage() -> None:
    with pytest.raises(ComposeError, match="a: has no FROM"):
        compose([("a", "ARG X=1\n")])
