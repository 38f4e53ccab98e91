"""Why a screen gets no newer figures, in words."""

from typing import NamedTuple

from headcount.errors import HeadcountError
from headcount.text import clean


class Failure(NamedTuple):
    """Why no newer figures come, the line that fixes it, and the exit code that tells it."""

    message: str
    hint: str
    exit_code: int = 1


def failure_of(error: HeadcountError) -> Failure:
    """The failure that an error is to a screen; its text may come from outside."""
    return Failure(clean(error.message), clean(error.hint), error.exit_code)
