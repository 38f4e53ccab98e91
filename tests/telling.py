"""What a source tells, in a line of a test."""

from collections.abc import Sequence
from typing import NamedTuple

from headcount.records import Flaw, Kind, UserRecord, Users
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
    flaws: tuple[Flaw, ...] = (),
    is_unread: bool = False,
) -> Users:
    """What a source says of one user."""
    is_known = known or bool(activities or logins)
    key = KEYS.of_host(host)(user)
    return Users(host, [UserRecord(key, user, activities, logins, flaws, is_known, is_unread)])


def together(*said: Users) -> Users:
    """The same of several users of one host at once."""
    return Users(said[0].host, [user for one in said for user in one.users])
