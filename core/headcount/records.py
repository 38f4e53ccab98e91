"""What happened: plain frozen values, the same whatever kind of source they were read from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["login", "logout", "seen"]


Activity = tuple[float, Kind, str | None]
"""One login or logout of one user at one second; `seen` where the server does not tell which: the moment (Unix seconds,
above zero, may be infinite), the kind, and the address that was logged, unchecked."""

Login = tuple[float, str | None, str | None]
"""A login record, the first login of one user in one month: the moment (as in `Activity`), the address, which may be a
network prefix such as 203.0.113.0/24, and the resource."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with what was read. `what` is a short kind that many flaws share; `why` tells this one.

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
"""What a flaw says of a source in which none of the hosts is left that were there; that its server seems to have left
for a database; of whose records not one may be read."""


class UserRecord(NamedTuple):
    """Everything that a source says now of one user, from all of the user's stores. It replaces what the source said of
    that user before. Most of it is plain tuples, for there may be millions, and another process may send them.

    `key` is the user's (see `user_keys`). `activities` are in any order, `logins` in that of their time, then address
    and resource. A user who is not `is_known` is gone, though something may be wrong with what is left. `is_unread`
    says that not all that there is of the user could be read: what was known before still stands.
    """

    key: int
    user: str
    activities: Sequence[Activity] = ()
    logins: Sequence[Login] = ()
    flaws: tuple[Flaw, ...] = ()
    is_known: bool = True
    is_unread: bool = False

    @property
    def newest(self) -> float:
        """When the user was last active (Unix seconds); minus infinity where nothing tells."""
        whens = [activity[0] for activity in self.activities]
        whens += [login[0] for login in self.logins]
        return max(whens, default=-math.inf)


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
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True)
class VisitorMarkers:
    """The users of one host whom mod_monthly_visitors says it has counted in one month."""

    host: str
    users: frozenset[str]
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFlaws:
    """The flaws of the source itself now (directories, names, the watcher); replaces those said before."""

    flaws: tuple[Flaw, ...] = ()


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


Record = Users | UsersGone | HostVisitors | HostRead | HostGone | SourceFlaws | ServerStarted
