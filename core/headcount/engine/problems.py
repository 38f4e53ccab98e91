"""What is wrong now, by what it was found in: mended things drop out, and each kind is told once."""

import math
from collections.abc import Collection, Iterable
from typing import NamedTuple

from headcount.records import Flaw
from headcount.snapshot import Problem


class Subject(NamedTuple):
    """What a problem is about: `what` of the server, of one `host` of it, or of one user there, by key (`user_keys`).

    One is asked for of each user who is read, so it is no more than a tuple with names.
    """

    what: str
    host: str = ""
    user: int | None = None


class Problems:
    """The flaws of now. A later look at a subject replaces its flaws."""

    def __init__(self) -> None:
        self._by_subject: dict[Subject, tuple[Flaw, ...]] = {}
        self._until: dict[Subject, float] = {}
        self._told: set[tuple[str, str]] = set()
        self._untold: list[Flaw] = []
        self._summary: tuple[Problem, ...] | None = ()

    @property
    def subjects(self) -> Collection[Subject]:
        """All that something is wrong with."""
        return self._by_subject.keys()

    def replace(self, subject: Subject, flaws: Iterable[Flaw]) -> None:
        """Takes what was found wrong with a subject in place of what was wrong with it before."""
        flaws = tuple(flaws)
        self._until.pop(subject, None)
        if flaws == self._by_subject.get(subject, ()):
            return
        self._summary = None
        if not flaws:
            del self._by_subject[subject]
            return
        self._by_subject[subject] = flaws
        for flaw in flaws:
            if (flaw.what, flaw.place) not in self._told:
                self._told.add((flaw.what, flaw.place))
                self._untold.append(flaw)

    def replace_until(self, when: float, subject: Subject, flaws: Iterable[Flaw]) -> None:
        """As `replace`, for what time mends by itself at `when`."""
        self.replace(subject, flaws)
        if not math.isinf(when):
            self._until[subject] = when

    def pass_time(self, now: float) -> None:
        """Drops what time has mended."""
        for subject in [subject for subject, when in self._until.items() if when <= now]:
            self.replace(subject, ())

    def drop_host(self, host: str) -> None:
        """Forgets what was wrong with a host and its users."""
        for subject in [subject for subject in self._by_subject if subject.host == host]:
            self.replace(subject, ())

    def untold(self) -> list[Flaw]:
        """The first flaw of each kind and place since the last call, for the log."""
        untold, self._untold = self._untold, []
        return untold

    def summary(self) -> tuple[Problem, ...]:
        """The problems by kind, the urgent and then the most frequent ones first, each with one example."""
        if self._summary is None:
            kinds: dict[str, list[Flaw]] = {}
            for flaws in self._by_subject.values():
                for flaw in flaws:
                    kinds.setdefault(flaw.what, []).append(flaw)
            problems = [_problem(what, flaws) for what, flaws in kinds.items()]
            self._summary = tuple(sorted(problems, key=lambda p: (not p.is_urgent, -p.count, p.what)))
        return self._summary


def _problem(what: str, flaws: list[Flaw]) -> Problem:
    example = next((flaw for flaw in flaws if flaw.is_urgent), flaws[0])
    return Problem(what, len(flaws), example.where, example.why, example.is_urgent)
