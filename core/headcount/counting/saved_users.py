"""What is remembered of the users of a host who were active of late, so that a later start begins with them."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rest = Callable[[], object]
"""Lets whoever waits for a turn of Python have it."""


@dataclass(slots=True)
class UserFigures:
    """The active users of one host in figures: how many are `known`, and the counts of each cell at a moment, given the
    server's last start (Unix seconds, 0 where it was not seen)."""

    now: float
    known: int
    cells: list[list[Any]]
    counts: list[list[int]]
    started: float = 0.0


@dataclass(slots=True)
class UsersIndex:
    """The active users of one host (`ActiveUsers.export`): their figures, and each of them."""

    figures: UserFigures
    keys: "array[int]"
    packed: "array[int]"
