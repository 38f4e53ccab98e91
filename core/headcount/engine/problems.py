"""What is wrong now, by what it was found in: mended things drop out, and each kind is logged once."""

import math
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from headcount.records import Flaw
from headcount.snapshot import Problem


class Subject(NamedTuple):
    """What a problem is about: `what` of the server, of one `host` of it, or of one user there, by key (`user_keys`).

    Whether anything is wrong with a user is asked of each who is read: `Problems.users_of` tells it without one.
    """

    what: str
    host: str = ""
    user: int | None = None


class Problems:
    """The flaws of now. A later look at a subject replaces its flaws."""

    def __init__(self) -> None:
        self._by_subject: dict[Subject, tuple[Flaw, ...]] = {}
        self._users: dict[str, Counter[int]] = {}
        self._until: dict[Subject, float] = {}
        self._logged: set[tuple[str, str]] = set()
        self._unlogged: list[Flaw] = []
        self._summary: tuple[Problem, ...] | None = ()

    def users_of(self, host: str) -> Collection[int]:
        """The users of a host with whom something is wrong, by key: of now, whenever it is looked at."""
        return self._of_host(host).keys()

    def replace(self, subject: Subject, flaws: Iterable[Flaw]) -> None:
        """Takes what was found wrong with a subject in place of what was wrong with it before."""
        flaws = tuple(flaws)
        self._until.pop(subject, None)
        if flaws == self._by_subject.get(subject, ()):
            return
        self._summary = None
        self._count(subject, bool(flaws) - (subject in self._by_subject))
        if not flaws:
            del self._by_subject[subject]
            return
        self._by_subject[subject] = flaws
        for flaw in flaws:
            if (flaw.what, flaw.place) not in self._logged:
                self._logged.add((flaw.what, flaw.place))
                self._unlogged.append(flaw)

    def _count(self, subject: Subject, by: int) -> None:
        """Counts of a user's subjects those that something is wrong with."""
        if subject.user is None or not by:
            return
        users = self._of_host(subject.host)
        users[subject.user] += by
        if not users[subject.user]:
            del users[subject.user]

    def _of_host(self, host: str) -> Counter[int]:
        return self._users.setdefault(host, Counter())

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

    def unlogged(self) -> list[Flaw]:
        """The first flaw of each kind and place since the last call, for the log."""
        unlogged, self._unlogged = self._unlogged, []
        return unlogged

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
