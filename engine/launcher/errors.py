"""The one kind of failure that is shown to the user, as one line."""

from __future__ import annotations


class LauncherError(Exception):
    """Something the user can mend: its text is one line that says what is wrong and what to do.

    Args:
        message: the line.
        code: exit code of the program; 1 for the machine's state, 2 for wrong usage.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
