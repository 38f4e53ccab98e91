"""How much is measured: the small set for every day, the full one for the document."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from kit.machine import load
from kit.report import Section, to_text


@dataclass(frozen=True, slots=True)
class Size:
    """`users` of the tree, `rounds` of each comparison; `seconds` that each rate of logins lasts, and `idle` ones that
    nothing happens; `scales` are the trees that are compared with one another."""

    name: str
    users: int
    rounds: int
    seconds: int
    idle: int
    scales: tuple[int, ...]


SMALL = Size("small", 100_000, 2, 3, 10, (10_000, 100_000))
FULL = Size("full", 1_000_000, 3, 5, 330, (1_000_000, 3_000_000, 10_000_000))

Measure = Callable[[Size], Section]


def alone(measure: Measure) -> None:
    """Runs one benchmark by itself: `[USERS] [ROUNDS]`, by default those of the small set."""
    users = int(sys.argv[1]) if len(sys.argv) > 1 else SMALL.users
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else SMALL.rounds
    before = load()
    section = measure(Size("alone", users, rounds, 5, 330 if users >= 1_000_000 else 30, (users // 10, users)))
    print(f"\n{to_text(section)}\nload when it began: {before:.1f}")
