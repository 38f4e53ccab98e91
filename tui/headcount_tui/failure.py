"""Why a screen gets no newer figures, in words."""

from typing import NamedTuple

from headcount.errors import HeadcountError
from headcount.text import clean


class Failure(NamedTuple):
    """Why no newer figures come, a line that says how to fix it, and the exit code."""

    message: str
    hint: str
    exit_code: int = 1


def failure_of(error: HeadcountError) -> Failure:
    """The failure that an error is to a screen; its text may come from outside."""
    return Failure(clean(error.message), clean(error.hint), error.exit_code)
