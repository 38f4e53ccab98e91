"""Every error that reaches the user: a small tree, each with its exit code and the line that fixes it."""

import os
import traceback


class HeadcountError(Exception):
    """Something the user can act upon: a sentence, the line that fixes it, and the process's exit code."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(HeadcountError):
    """The command line or the configuration asks for what cannot be."""

    exit_code = 2


class TakenError(UsageError):
    """There is a file of that name already, and it shall not be lost."""


class NoDataError(HeadcountError):
    """There is nothing to count where Headcount was told to look."""

    exit_code = 3


class NoPermissionError(HeadcountError):
    """The data or the state may not be read, or the state not be written."""

    exit_code = 4


class StateError(HeadcountError):
    """The state cannot be used: it is corrupt, was made by a newer Headcount, or can't be written."""


class StateLockedError(StateError):
    """Another engine keeps this state."""


PERMISSION_DENIED = "permission denied"
"""What a problem says of a file or directory that this user may not read."""


MAY_READ = "Run as a member of the group that owns it: sudo usermod -aG prosody $USER, then log in again."
"""What usually fixes that."""


def no_permission(what: str) -> NoPermissionError:
    """The error where data may not be read, with what usually fixes it."""
    return NoPermissionError(
        f"No permission to read {what}.",
        MAY_READ,
    )


def unforeseen(error: BaseException) -> HeadcountError:
    """The error for a problem of our own: what kind it is and where in the code, for a report.

    Nothing of its text, which may quote what was read: a user's name, an address.
    """
    trace = traceback.extract_tb(error.__traceback__)
    where = f" at {os.path.basename(trace[-1].filename)}:{trace[-1].lineno}" if trace else ""
    return HeadcountError(
        f"Headcount failed: {type(error).__name__}{where}.", "This is a problem of ours: please report it."
    )
