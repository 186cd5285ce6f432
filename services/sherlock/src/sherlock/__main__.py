"""`python -m sherlock`: the service's entry point."""

from __future__ import annotations

import os
import sys

from sherlock.settings import PREFIX, Settings, SettingsError, load

_USAGE = 2


def main() -> int:
    """Run the service.

    Returns:
        0 after a graceful stop, 2 when the environment is not usable.
    """
    try:
        settings = load()
    except SettingsError as error:
        sys.stderr.write(f"sherlock: {error}\n")
        return _USAGE
    # Only now: these imports take more than a second, which a mistake in the environment need not wait for.
    from sherlock import logs  # noqa: PLC0415 - see above
    from sherlock.server import serve  # noqa: PLC0415 - see above

    logs.configure(settings.log_level, settings.redactor())
    _warn_of_unknown()
    return serve(settings)


def _warn_of_unknown() -> None:
    """Tell of variables that look like ours but are not: most likely a slip of the pen.

    Only a warning: Kubernetes adds SHERLOCK_SERVICE_HOST and the like for a service of that name.
    """
    import structlog  # noqa: PLC0415 - see main

    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            structlog.stdlib.get_logger("sherlock").warning("unknown variable", variable=name)


if __name__ == "__main__":
    sys.exit(main())
