from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from samples import Write, describe

from pipeline.catalogue.plan import Platform
from pipeline.errors import UsageError, UsageGroupError

SERVICES = [
    describe("oracle"),
    describe("flash"),
    describe("sonic"),
    describe("raymond", depends_on=["oracle-role", "sonic-role"]),
    describe("sherlock", depends_on=["raymond-role", "flash-role"], build={"base": "python-ai"}),
]


def platform(write: Write, profiles: object = None) -> Platform:
    return Platform.read(write(*SERVICES, profiles=profiles))


def test_layers_hold_what_earlier_layers_need(write: Write) -> None:
    plan = platform(write).plan("full")
    assert plan.start_order == [["flash", "oracle", "sonic"], ["raymond"], ["sherlock"]]


def test_only_one_service_and_the_base_it_stands_on(write: Write) -> None:
    plan = platform(write).plan("full", only=["arc-sonic"])
    assert [(step.name, step.kind, step.why) for step in plan.steps] == [
        ("go-infra", "base", "base of sonic"),
        ("sonic", "service", "--only"),
    ]


def test_a_base_brings_the_base_below_it(write: Write) -> None:
    plan = platform(write).plan("full", only=["sherlock"])
    assert [(step.name, step.layer, step.needs) for step in plan.steps] == [
        ("go-infra", 1, ()),
        ("python-ai", 2, ("go-infra",)),
        ("sherlock", 3, ("python-ai",)),
    ]
    assert plan.steps[0].why == "base of python-ai"


def test_dependencies_are_added_with_the_reason(write: Write) -> None:
    plan = platform(write).plan("full", only=["sherlock"], dependencies=True)
    reasons = {step.name: step.why for step in plan.steps if step.kind == "service"}
    assert reasons == {
        "sherlock": "--only",
        "raymond": "needed by sherlock",
        "flash": "needed by sherlock",
        "oracle": "needed by raymond",
        "sonic": "needed by raymond",
    }


def test_what_is_needed_cannot_be_left_out(write: Write) -> None:
    with pytest.raises(UsageError, match=r"--without: `oracle` is needed by raymond; leave out raymond too"):
        platform(write).plan("full", without=["oracle"], dependencies=True)
    assert "oracle" not in [
        s.name for s in platform(write).plan("full", without=["oracle", "raymond", "sherlock"]).steps
    ]


def test_nothing_left(write: Write) -> None:
    with pytest.raises(UsageError, match="--without: leaves no service"):
        platform(write).plan("full", only=["sonic"], without=["sonic"])


def test_a_cycle_is_printed_as_its_path(write: Write) -> None:
    services = [
        describe("a", depends_on=["b-role"]),
        describe("b", depends_on=["c-role"]),
        describe("c", depends_on=["a-role"]),
    ]
    with pytest.raises(UsageError, match=r"services/[abc]/service.yaml: depends_on: cycle ") as caught:
        Platform.read(write(*services))
    path = caught.value.problem.removeprefix("cycle ").split(" -> ")
    needs = {"a": "b", "b": "c", "c": "a"}
    assert len(path) == 4
    assert all(needs[one] == other for one, other in pairwise(path))


def test_unknown_dependencies_name_both_ends(write: Write) -> None:
    services = [describe("sonic", depends_on=["orakle"]), describe("oracle", depends_on=["nothing-like-it"])]
    with pytest.raises(UsageGroupError) as caught:
        Platform.read(write(*services))
    lines = str(caught.value).splitlines()
    assert "services/sonic/service.yaml: depends_on: no service is called `orakle`; nearest: oracle" in lines[1]
    assert "services/oracle/service.yaml: depends_on: no service is called `nothing-like-it`" in lines[0]


def test_a_codename_in_place_of_a_role_is_a_warning(write: Write) -> None:
    read = Platform.read(write(describe("a"), describe("b", depends_on=["a"])))
    assert read.graph.warnings == ("services/b/service.yaml: depends_on: `a` is a codename; write its role `a-role`",)


TIERS: dict[str, Any] = {
    "core": {"description": "base", "services": ["sonic"]},
    "capabilities": {
        "data": {"services": ["oracle"]},
        "agent": {"services": ["sherlock"], "requires": ["data"]},
    },
    "think": {"capabilities": ["agent"]},
    "reason": {"capabilities": "*"},
    "observe": {"services": ["flash"]},
}


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("core", ("sonic",)),
        ("data", ("oracle",)),
        ("agent", ("sherlock", "oracle")),
        ("think", ("sonic", "sherlock", "oracle")),
        ("reason", ("sonic", "oracle", "sherlock")),
        ("observe", ("flash",)),
        ("full", ("flash", "oracle", "raymond", "sherlock", "sonic")),
    ],
)
def test_profiles(write: Write, profile: str, expected: tuple[str, ...]) -> None:
    assert platform(write, TIERS).profiles.select(profile) == expected


def test_the_flat_form_of_profiles(write: Write) -> None:
    read = platform(write, {"all": {"services": "*"}, "small": {"services": ["sonic-role"]}})
    assert read.profiles.select("small") == ("sonic",)
    assert len(read.profiles.select("all")) == 5


@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        (
            {"core": {"services": ["sonik"]}},
            "services/profiles.yaml: core.services: no service is called `sonik`; nearest: sonic",
        ),
        ({"core": {}}, "services/profiles.yaml: core: has no list of services"),
        ({"capabilities": {}, "think": {"capabilities": ["voice"]}}, "think.capabilities: no capability `voice`"),
        (
            {"capabilities": {"a": {"services": [], "requires": ["b"]}, "b": {"services": [], "requires": ["a"]}}},
            "cycle of requires a -> b -> a",
        ),
        (["core"], "services/profiles.yaml: is not a mapping"),
        ({"capabilities": ["a"]}, "services/profiles.yaml: capabilities: is not a mapping"),
        ({"capabilities": {"x": 5}}, "services/profiles.yaml: capabilities.x: is not a mapping"),
        ({"think": {"capabilities": 5}}, "services/profiles.yaml: think.capabilities: is not a list of names"),
        ({"think": {"capabilities": [{"a": 1}]}}, "services/profiles.yaml: think.capabilities: is not a list of names"),
    ],
)
def test_wrong_profiles(write: Write, profiles: object, expected: str) -> None:
    with pytest.raises((UsageError, UsageGroupError)) as caught:
        platform(write, profiles)
    assert expected in str(caught.value)


def test_an_unknown_profile(write: Write) -> None:
    with pytest.raises(UsageError, match="there is no profile `cor`; choose one of: core"):
        platform(write, TIERS).plan("cor")


def test_an_empty_profile_is_named(write: Write) -> None:
    with pytest.raises(UsageError, match=r"services/profiles.yaml: 7: has no service; name a service"):
        platform(write, {7: {"services": []}}).plan("7")


def test_full_is_always_every_service(write: Write) -> None:
    assert len(platform(write, {"full": {"services": ["sonic"]}}).profiles.select("full")) == 5
