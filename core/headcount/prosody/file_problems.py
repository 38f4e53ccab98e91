"""What can be wrong with a stored value, in short clean words that hold nothing of the user's."""

from collections.abc import Iterable
from dataclasses import dataclass

UNREADABLE = "unreadable record"
EMPTY = "empty record"
UNEXPECTED = "unexpected value"
NO_TIME = "timestamp is not a time"
NO_MONTH = "record of no month"
OUTSIDE_MONTH = "login record outside its month"
NO_COUNT = "count is not a number of users"
DISAGREE = "places and clients disagree"

_REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing wrong with one file: `what` is a kind that many files share, `why` tells this one."""

    what: str
    why: str


def merged(problems: Iterable[FileProblem]) -> tuple[FileProblem, ...]:
    """The problems of one file, one a kind, so that a file is one problem however often it is wrong."""
    reasons: dict[str, dict[str, None]] = {}
    for problem in problems:
        reasons.setdefault(problem.what, {})[problem.why] = None
    return tuple(FileProblem(what, _joined(list(whys))) for what, whys in reasons.items())


def _joined(reasons: list[str]) -> str:
    more = len(reasons) - _REASONS_SHOWN
    return "; ".join(reasons[:_REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def kind_of(value: object) -> str:
    """What a Lua value is, in words: `a table`, `text` …"""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, bytes):
        return "text"
    return "a table" if isinstance(value, dict) else "a number"
