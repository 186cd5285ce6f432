from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sherlock.settings import Settings, SettingsError, load

GOOD = {"POSTGRES_PASSWORD": "pg-password", "NATS_PASSWORD": "nats-password"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith(("SHERLOCK_", "OTEL_", "POSTGRES_", "NATS_")) or name.endswith("LOG_LEVEL"):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def line(environment: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        environment.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_secrets_alone_are_enough(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHERLOCK_LLM_MODEL", "")  # as compose passes a variable that is not set
    settings = load()
    assert settings.postgres_host == "arc-persistence"
    assert settings.nats_url == "nats://arc-messaging:4222"
    assert settings.nats_user == "arc"
    assert (settings.port, settings.llm_provider, settings.llm_model, settings.dimensions) == (
        8000,
        "builtin",
        None,
        384,
    )


def test_the_debug_switch_of_all_services_wins(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LOG_LEVEL", "WARN")
    assert load().log_level == "warning"
    environment.setenv("SERVICE_LOG_LEVEL", "debug")
    assert load().log_level == "debug"


def test_without_nats_no_password_is_needed(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("NATS_PASSWORD")
    environment.setenv("SHERLOCK_NATS_ENABLED", "false")
    assert not load().nats_enabled


@pytest.mark.parametrize("variable", ["POSTGRES_PASSWORD", "NATS_PASSWORD"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_secret_is_named(environment: pytest.MonkeyPatch, variable: str, value: str | None) -> None:
    if value is None:
        environment.delenv(variable)
    else:
        environment.setenv(variable, value)
    assert line(environment).startswith(f"{variable} is not set: set it to the password of the ")


@pytest.mark.parametrize(
    ("variable", "value", "fix"),
    [
        ("SHERLOCK_PORT", "80x", "set it to the TCP port to listen on, 1 to 65535"),
        ("SHERLOCK_PORT", "65536", "1 to 65535"),
        ("SHERLOCK_POSTGRES_PORT", "0", "1 to 65535"),
        ("SHERLOCK_POSTGRES_HOST", "postgresql://db/arc", "a host name without scheme"),
        ("SHERLOCK_NATS_ENABLED", "maybe", "true, or false"),
        ("SHERLOCK_NATS_URL", "http://arc-messaging:4222", "nats://HOST:PORT"),
        ("SHERLOCK_NATS_URL", "nats://arc-messaging:99999", "nats://HOST:PORT"),
        ("SHERLOCK_LLM_PROVIDER", "ollama", "builtin or openai"),
        ("SHERLOCK_LLM_BASE_URL", "model:11434", "such as http://model:11434/v1"),
        ("SHERLOCK_LLM_RETRIES", "11", "0 to 10"),
        ("SHERLOCK_EMBEDDING_DIMENSIONS", "2001", "1 to 2000"),
        ("SHERLOCK_MAX_CONCURRENCY", "0", "1 to 1000"),
        ("SHERLOCK_RECALL_MIN_SIMILARITY", "nan", "-1 to 1"),
        ("LOG_LEVEL", "loud", "debug, info, warning, error or critical"),
        ("SERVICE_LOG_LEVEL", "loud", "debug, info, warning, error or critical"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "arc-otel:4318", "such as http://arc-otel:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
    ],
)
def test_a_bad_value_is_named_with_its_fix(
    environment: pytest.MonkeyPatch, variable: str, value: str, fix: str
) -> None:
    text = line(environment, **{variable: value})
    assert text.startswith(f"{variable} {value!r} is not usable (")
    assert fix in text


@pytest.mark.parametrize(
    ("set_to", "missing"),
    [
        ({"SHERLOCK_LLM_PROVIDER": "openai", "SHERLOCK_LLM_MODEL": "m"}, "SHERLOCK_LLM_BASE_URL"),
        ({"SHERLOCK_LLM_PROVIDER": "openai", "SHERLOCK_LLM_BASE_URL": "http://m/v1"}, "SHERLOCK_LLM_MODEL"),
        ({"SHERLOCK_EMBEDDING_MODEL": "e"}, "SHERLOCK_EMBEDDING_DIMENSIONS"),
    ],
)
def test_what_another_variable_makes_necessary(
    environment: pytest.MonkeyPatch, set_to: dict[str, str], missing: str
) -> None:
    assert line(environment, **set_to).startswith(f"{missing} is not set: set it to ")


def test_an_embedding_model_needs_an_endpoint(environment: pytest.MonkeyPatch) -> None:
    text = line(environment, SHERLOCK_EMBEDDING_MODEL="e", SHERLOCK_EMBEDDING_DIMENSIONS="8")
    assert text == "SHERLOCK_EMBEDDING_MODEL needs SHERLOCK_LLM_PROVIDER=openai: set that, or unset it"


def test_several_mistakes_are_all_named(environment: pytest.MonkeyPatch) -> None:
    text = line(environment, SHERLOCK_PORT="x", SHERLOCK_LLM_RETRIES="y")
    assert text.startswith("SHERLOCK_PORT 'x'")
    assert text.endswith("(wrong too: SHERLOCK_LLM_RETRIES)")


@pytest.mark.parametrize("variable", ["SHERLOCK_NATS_URL", "SHERLOCK_LLM_BASE_URL"])
def test_a_password_in_a_url_is_refused_and_not_shown(environment: pytest.MonkeyPatch, variable: str) -> None:
    scheme = "nats" if "NATS" in variable else "https"
    text = line(environment, **{variable: f"{scheme}://user:hunter22@host:4222"})
    assert text.startswith(f"{variable} is not usable (a URL must not hold a user or password)")
    assert "hunter22" not in text


def test_secrets_do_not_show_in_the_settings(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHERLOCK_LLM_API_KEY", "sk-very-secret")
    settings = load()
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert not any(secret in text for secret in ("pg-password", "nats-password", "sk-very-secret"))


def test_the_redactor_knows_all_secrets(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHERLOCK_LLM_API_KEY", "sk-very-secret")
    assert load().redactor()("pg-password nats-password sk-very-secret ok") == "*** *** *** ok"


def test_every_setting_says_what_to_set_it_to() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_process_ends_with_two_and_one_line() -> None:
    environment = {"PATH": os.environ["PATH"], "POSTGRES_PASSWORD": "pg-password", "SHERLOCK_PORT": "x"}
    done = subprocess.run(
        [sys.executable, "-m", "sherlock"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("sherlock: SHERLOCK_PORT 'x' is not usable (")
    assert done.stderr.count("\n") == 1
