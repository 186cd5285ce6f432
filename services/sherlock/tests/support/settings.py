"""Settings that do not depend on the environment of whoever runs the tests."""

from __future__ import annotations

from sherlock.settings import Settings

PASSWORD = "pw-of-the-tests-42"


def make_settings(**values: object) -> Settings:
    defaults: dict[str, object] = {
        "POSTGRES_PASSWORD": PASSWORD,
        "nats_enabled": False,
        "retry_first_s": 0.05,
        "retry_max_s": 0.2,
        "watch_interval_s": 0.1,
    }
    return Settings.model_validate(defaults | values)
