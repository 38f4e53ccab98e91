"""What happened: plain frozen values, the same whatever kind of source they were read from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headcount.activities import Activity, Login


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with what was read. `what` is a short kind that many problems share; `why` tells this one.

    `where` names the file or directory for the operator (it may hold a user name: never for logs);
    `place` is its host and store, or as much as is known, which logs may name. Both are clean text. `is_urgent` says
    that nothing new is read, or kept, or no clock believed, as long as it is so.
    """

    what: str
    where: str
    place: str
    why: str
    is_urgent: bool = False


NO_HOST = "no hosts left"
MOVED = "moved to a database"
NOT_READABLE = "no readable record"
"""What a problem says of a source in which none of the hosts is left that were there; that its server seems to have
left for a database; of whose records not one may be read."""


class UserRecord(NamedTuple):
    """Everything that a source says now of one user, from all of the user's stores. It replaces what the source said of
    that user before. It is flat, for there may be millions of them, and another process may send them.

    `key` is the user's (see `user_keys`). `login`, `logout` and `seen` are the last of each kind (Unix seconds, 0 where
    there was none; may be infinite), with the address that was logged, unchecked. `logins` are the login records, in
    the order of their time, then address and resource. `more` are activities that have no place there: older ones,
    which another store still tells of. A user who is not `is_known` is gone, though something may be wrong with what is
    left. `is_unread` says that not all that there is of the user could be read: what was known before still stands.
    """

    key: int
    user: str
    login: float = 0
    login_address: str | None = None
    logout: float = 0
    logout_address: str | None = None
    seen: float = 0
    logins: Sequence[Login] = ()
    more: Sequence[Activity] = ()
    problems: tuple[Problem, ...] = ()
    is_known: bool = True
    is_unread: bool = False

    @property
    def activities(self) -> list[Activity]:
        """All logins and logouts, without the login records."""
        found: list[Activity] = [
            (self.login, "login", self.login_address),
            (self.logout, "logout", self.logout_address),
            (self.seen, "seen", None),
        ]
        return [*(one for one in found if one[0]), *self.more]

    @property
    def newest(self) -> float:
        """When the user was last active (Unix seconds); minus infinity where nothing tells."""
        newest = max(self.login, self.logout, self.seen, *(one[0] for one in (*self.logins, *self.more)))
        return newest or -math.inf


@dataclass(frozen=True, slots=True)
class Users:
    """What a source says now of some users of one host, each of them once."""

    host: str
    users: Sequence[UserRecord]


@dataclass(frozen=True, slots=True)
class UsersGone:
    """Users of one host who are not in the source any more, by their keys: their names are not known any more."""

    host: str
    keys: Sequence[int]


@dataclass(frozen=True, slots=True)
class VisitedMonth:
    """One month as mod_monthly_visitors counted it: unique users by place and by client.

    Keys of `places` are (country, subdivision, city geoname id), None where unknown; clients are `?` where
    unknown. `cells` is the joint count, and None for the flat shape, which holds the two margins alone.
    """

    month: str
    places: Mapping[tuple[str | None, str | None, int | None], int]
    clients: Mapping[str, int]
    cells: Mapping[tuple[tuple[str | None, str | None, int | None], str], int] | None = None


@dataclass(frozen=True, slots=True)
class HostVisitors:
    """What mod_monthly_visitors holds of one host now, month by month; replaces what was said before."""

    host: str
    months: tuple[VisitedMonth, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class VisitorMarkers:
    """The users of one host whom mod_monthly_visitors says it has counted in one month."""

    host: str
    users: frozenset[str]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceProblems:
    """The problems of the source itself now (directories, names, the watcher); replaces those said before."""

    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class HostRead:
    """Everything that the source holds of a host has been said once; from here on come changes."""

    host: str


@dataclass(frozen=True, slots=True)
class HostGone:
    """A host is not in the source any more; neither are its users."""

    host: str


@dataclass(frozen=True, slots=True)
class ServerStarted:
    """When the server that writes the source was started last (Unix seconds), where that can be seen: sessions that
    were opened before it are over, whether their end was written or not."""

    when: float


Record = Users | UsersGone | HostVisitors | HostRead | HostGone | SourceProblems | ServerStarted
