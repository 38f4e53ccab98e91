"""What a source tells, in a line of a test."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from headcount.activities import Kind, flat
from headcount.records import Problem, UserRecord, Users
from headcount.user_keys import Keys

KEYS = Keys(b"k" * 32)


class Activity(NamedTuple):
    when: float
    kind: Kind
    address: str | None = None


class Login(NamedTuple):
    when: float
    address: str | None = None
    resource: str | None = None


def tells(
    host: str,
    user: str,
    known: bool = False,
    activities: Sequence[Activity] = (),
    logins: Sequence[Login] = (),
    problems: tuple[Problem, ...] = (),
    is_unread: bool = False,
) -> Users:
    """What a source says of one user."""
    is_known = known or bool(activities or logins)
    key = KEYS.of_host(host)(user)
    return Users(host, [record(key, user, activities, logins, problems, is_known, is_unread)])


def record(
    key: int, user: str, activities: Sequence[Activity] = (), logins: Sequence[Login] = (), *rest: Any
) -> UserRecord:
    """A record of activities and login records."""
    return UserRecord(key, user, *flat(activities, logins), *rest)


def together(*said: Users) -> Users:
    """The same of several users of one host at once."""
    return Users(said[0].host, [user for one in said for user in one.users])
