"""What is wrong now, by what it was found in: fixed things drop out, and each kind is logged once."""

import logging
import math
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from headcount.records import Flaw
from headcount.snapshot import Problem

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
    """The flaws of now."""

    def __init__(self) -> None:
        self._by_subject: dict[Subject, tuple[Flaw, ...]] = {}
        self._users: dict[str, Counter[int]] = {}
        self._until: dict[Subject, float] = {}
        self._logged: set[tuple[str, str]] = set()
        self._to_log: list[Flaw] = []
        self._summary: tuple[Problem, ...] | None = ()

    def users(self, host: str) -> Collection[int]:
        """The keys of the host's users with whom something is wrong. It is asked of each user record."""
        return self._users.get(host, ())

    def replace(self, subject: Subject, flaws: Iterable[Flaw]) -> None:
        """Takes what was found wrong with a subject in place of what was wrong with it before."""
        flaws = tuple(flaws)
        self._until.pop(subject, None)
        before = self._by_subject.get(subject, ())
        if flaws == before:
            return
        self._summary = None
        if not flaws:
            del self._by_subject[subject]
            self._note_user(subject, -1)
            return
        self._by_subject[subject] = flaws
        if not before:
            self._note_user(subject, +1)
        for flaw in flaws:
            if (flaw.what, flaw.place) not in self._logged:
                self._logged.add((flaw.what, flaw.place))
                self._to_log.append(flaw)

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

    def log_new(self) -> None:
        """Logs each kind of problem when it first appears, by host and store; never by user."""
        for flaw in self._to_log:
            log.warning("problem: %s%s: %s", flaw.what, f" in {flaw.place}" if flaw.place else "", flaw.why)
        self._to_log = []

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

    def _note_user(self, subject: Subject, by: int) -> None:
        """Notes that one thing more, or less, is wrong with the user whom it is about."""
        if subject.host is None or subject.user is None:
            return
        users = self._users.setdefault(subject.host, Counter())
        users[subject.user] += by
        if not users[subject.user]:
            del users[subject.user]


def _problem(what: str, flaws: list[Flaw]) -> Problem:
    example = next((flaw for flaw in flaws if flaw.is_urgent), flaws[0])
    return Problem(what, len(flaws), example.where, example.why, example.is_urgent)
