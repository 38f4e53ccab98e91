"""What is wrong now, by what it was found in: fixed things drop out, and each kind is logged once."""

import math
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from headcount.records import Problem
from headcount.snapshot import ProblemGroup


class Subject(NamedTuple):
    """What a problem is about: `what` of the server, of one `host` of it, or of one user there, by key (`user_keys`).

    Whether anything is wrong with a user is asked of each who is read: `Problems.users_of` tells it without one.
    """

    what: str
    host: str = ""
    user: int | None = None


class Problems:
    """The problems of now. A later look at a subject replaces its problems."""

    def __init__(self) -> None:
        self._by_subject: dict[Subject, tuple[Problem, ...]] = {}
        self._users: dict[str, Counter[int]] = {}
        self._until: dict[Subject, float] = {}
        self._logged: set[tuple[str, str]] = set()
        self._unlogged: list[Problem] = []
        self._summary: tuple[ProblemGroup, ...] | None = ()

    def users_of(self, host: str) -> Collection[int]:
        """The users of a host with whom something is wrong, by key: of now, whenever it is looked at."""
        return self._of_host(host).keys()

    def replace(self, subject: Subject, problems: Iterable[Problem]) -> None:
        """Takes what was found wrong with a subject in place of what was wrong with it before."""
        problems = tuple(problems)
        self._until.pop(subject, None)
        if problems == self._by_subject.get(subject, ()):
            return
        self._summary = None
        self._count(subject, bool(problems) - (subject in self._by_subject))
        if not problems:
            del self._by_subject[subject]
            return
        self._by_subject[subject] = problems
        for problem in problems:
            if (problem.what, problem.place) not in self._logged:
                self._logged.add((problem.what, problem.place))
                self._unlogged.append(problem)

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

    def replace_until(self, when: float, subject: Subject, problems: Iterable[Problem]) -> None:
        """As `replace`, for what time fixes by itself at `when`."""
        self.replace(subject, problems)
        if not math.isinf(when):
            self._until[subject] = when

    def pass_time(self, now: float) -> None:
        """Drops what time has fixed."""
        for subject in [subject for subject, when in self._until.items() if when <= now]:
            self.replace(subject, ())

    def drop_host(self, host: str) -> None:
        """Forgets what was wrong with a host and its users."""
        for subject in [subject for subject in self._by_subject if subject.host == host]:
            self.replace(subject, ())

    def unlogged(self) -> list[Problem]:
        """The first problem of each kind and place since the last call, for the log."""
        unlogged, self._unlogged = self._unlogged, []
        return unlogged

    def summary(self) -> tuple[ProblemGroup, ...]:
        """The problems by kind, the urgent and then the most frequent ones first, each with one example."""
        if self._summary is None:
            kinds: dict[str, list[Problem]] = {}
            for problems in self._by_subject.values():
                for problem in problems:
                    kinds.setdefault(problem.what, []).append(problem)
            groups = [_group(what, problems) for what, problems in kinds.items()]
            self._summary = tuple(sorted(groups, key=lambda group: (not group.is_urgent, -group.count, group.what)))
        return self._summary


def _group(what: str, problems: list[Problem]) -> ProblemGroup:
    example = next((problem for problem in problems if problem.is_urgent), problems[0])
    return ProblemGroup(what, len(problems), example.where, example.why, example.is_urgent)
