"""What is wrong now, by what it was found in: fixed things drop out, and each kind is logged once."""

import logging
import math
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from headcount.records import Problem
from headcount.snapshot import ProblemGroup

log = logging.getLogger("headcount")


class Subject(NamedTuple):
    """What a problem is about: a `part` of the run or, of one host, what its files say; there of one user, by the
    user's key. Each look at a subject replaces what the look before found."""

    part: str
    host: str | None = None
    user: int | None = None

    @classmethod
    def records(cls, host: str, user: int) -> "Subject":
        """What a host's files say of one user."""
        return cls("records", host, user)

    @classmethod
    def ahead(cls, host: str, user: int) -> "Subject":
        """What they say of one user that lies in the future."""
        return cls("ahead", host, user)

    @classmethod
    def visitors(cls, host: str) -> "Subject":
        """What mod_monthly_visitors wrote of a host."""
        return cls("visitors", host)


SOURCE = Subject("source")
STATE = Subject("state")
STATE_NOTICES = Subject("state notices")
STATE_DAMAGE = Subject("state damage")
CLOCK = Subject("clock")
ZONE = Subject("zone")
PLACES = Subject("places")
CLIENTS = Subject("clients")


class Problems:
    """The problems of now."""

    def __init__(self) -> None:
        self._by_subject: dict[Subject, tuple[Problem, ...]] = {}
        self._users: dict[str, Counter[int]] = {}
        self._until: dict[Subject, float] = {}
        self._logged: set[tuple[str, str]] = set()
        self._to_log: list[Problem] = []
        self._summary: tuple[ProblemGroup, ...] | None = ()

    def users(self, host: str) -> Collection[int]:
        """The keys of the host's users with whom something is wrong. It is asked of each user record."""
        return self._users.get(host, ())

    def replace(self, subject: Subject, problems: Iterable[Problem]) -> None:
        """Takes what was found wrong with a subject in place of what was wrong with it before."""
        problems = tuple(problems)
        self._until.pop(subject, None)
        before = self._by_subject.get(subject, ())
        if problems == before:
            return
        self._summary = None
        if not problems:
            del self._by_subject[subject]
            self._note_user(subject, -1)
            return
        self._by_subject[subject] = problems
        if not before:
            self._note_user(subject, +1)
        for problem in problems:
            if (problem.what, problem.place) not in self._logged:
                self._logged.add((problem.what, problem.place))
                self._to_log.append(problem)

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

    def log_new(self) -> None:
        """Logs each kind of problem when it first appears, by host and store; never by user."""
        for problem in self._to_log:
            log.warning("problem: %s%s: %s", problem.what, f" in {problem.place}" if problem.place else "", problem.why)
        self._to_log = []

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

    def _note_user(self, subject: Subject, by: int) -> None:
        """Notes that one thing more, or less, is wrong with the user whom it is about."""
        if subject.host is None or subject.user is None:
            return
        users = self._users.setdefault(subject.host, Counter())
        users[subject.user] += by
        if not users[subject.user]:
            del users[subject.user]


def _group(what: str, problems: list[Problem]) -> ProblemGroup:
    example = next((problem for problem in problems if problem.is_urgent), problems[0])
    return ProblemGroup(what, len(problems), example.where, example.why, example.is_urgent)
