"""Entry point of `daggerw` and `enginectl`: main.py NAME ARGUMENTS."""

from __future__ import annotations

import errno
import signal
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))  # isolated mode (-I) puts no folder of ours there

from launcher import control, errors, report, wrapper  # noqa: E402  # needs the line above

_PROGRAMS = {"daggerw": wrapper.main, "enginectl": control.main}


def main() -> int:
    """Runs the program named by the first argument.

    Returns:
        Its exit code.
    """
    for name in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what it becomes would, too
        signal.signal(name, signal.SIG_DFL)
    try:
        return _PROGRAMS[sys.argv[1]](_HERE.parent, sys.argv[2:])
    except errors.LauncherError as error:
        report.say(str(error))
        return error.code
    except OSError as error:
        full = (
            "free some space (docs/engine.md has the sizes)"
            if error.errno == errno.ENOSPC
            else "mend that and try again"
        )
        report.say(f"{error.strerror or error}: {error.filename or 'no file'}; {full}")
        return 1
    except KeyboardInterrupt:
        report.say("interrupted: what is half built is finished by the next start")
        return 130


sys.exit(main())
