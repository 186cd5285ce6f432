from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli import Repository, call, daggerw

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


def test_every_function_and_argument_is_described() -> None:
    listed = daggerw("functions")
    assert listed.code == 0, listed.err
    names = re.findall(r"^([a-z-]+)\s{2,}(\S.*)$", listed.out, re.MULTILINE)
    assert {"list", "plan", "build-all", "publish", "stack", "ops"} <= {name for name, _ in names}
    assert [name for name, text in names if text == "-"] == []
    for name in ("build-all", "publish", "stack", "ops"):
        flags = re.findall(r"^\s+--([a-z-]+) \S+\s*(.*)$", call(name, "--help").out, re.MULTILINE)
        assert [flag for flag, text in flags if not text.strip()] == []


def test_the_catalogue_as_table_and_json() -> None:
    table, document = call("list"), call("list", "--format", "json").json
    assert table.code == 0, table.err
    codenames = {service["codename"] for service in document["services"]}
    assert {"oracle", "sonic", "flash", "raymond", "sherlock"} <= codenames
    assert codenames <= set(re.findall(r"^\S+", table.out, re.MULTILINE))
    assert document["warnings"] == []


def test_the_plan_says_why() -> None:
    document = call("plan", "--only", "reasoner", "--format", "json").json
    reasons = {step["name"]: step["why"] for step in document["steps"]}
    assert reasons["go-infra"].startswith("base of")
    assert reasons["sherlock"] == "--only"
    assert "oracle" not in reasons
    order = document["start_order"]
    assert next(i for i, layer in enumerate(order) if "oracle" in layer) < next(
        i for i, layer in enumerate(order) if "sherlock" in layer
    )


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (("image: ", "imagine: "), "services/sonic/service.yaml: image: field required; add the key"),
        (
            ("depends_on: []", "depends_on: [orakle]"),
            "services/sonic/service.yaml: depends_on: no service is called `orakle`; nearest: ",
        ),
        (("depends_on: []", "depends_on: [cache]"), "services/sonic/service.yaml: depends_on: cycle sonic -> sonic;"),
    ],
)
def test_a_bad_catalogue_is_one_line_and_exit_code_2(
    repository: Repository, spoil: tuple[str, str], expected: str
) -> None:
    root = repository(["sonic", "oracle"])
    file = root / "services" / "sonic" / "service.yaml"
    text = file.read_text()
    assert spoil[0] in text
    file.write_text(text.replace(*spoil, 1))
    answer = call("--source", str(root), "list")
    assert answer.code == 2, answer.err
    assert answer.out == ""
    assert len(answer.error) == 1
    assert answer.error[0].startswith(expected)
    assert "Traceback" not in answer.err


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ARC_NAMESPACE=from-file\nARC_REGISTRY=${ARC_REGISTRY:-ghcr.io}\n")
    module = str(Path(__file__).parents[2])
    answer = call("-m", module, "config", cwd=tmp_path, ARC_REGISTRY="registry.example.com")
    assert answer.code == 0, answer.err
    assert (answer.json["registry"], answer.json["namespace"]) == ("registry.example.com", "from-file")


def test_a_wrong_setting_is_one_line_and_exit_code_2() -> None:
    answer = call("--log-level", "loud", "list")
    assert answer.code == 2
    (line,) = answer.error
    assert line.startswith(
        "--log-level: key `log_level`: Input should be 'debug', 'info', 'warning' or 'error', got 'loud'"
    )
