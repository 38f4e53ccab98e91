"""What is shown: frozen figures of one moment. Nothing else crosses to a screen, a file or a metric."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

UNKNOWN = "?"
OTHER = "other"
"""The country or the client that stands for several of too few users each, where figures are k-anonymous."""


class Place(NamedTuple):
    """Country (ISO 3166-1 alpha-2), subdivision (the suffix of its ISO 3166-2 code), city (geonames id)."""

    country: str | None = None
    subdivision: str | None = None
    city: int | None = None


class PlaceName(NamedTuple):
    """The names of a place's three parts; empty where the part is unknown."""

    country: str = ""
    subdivision: str = ""
    city: str = ""


class Cell(NamedTuple):
    """What users are counted by, jointly: where they are, and with which client (`?` where unknown)."""

    place: Place
    client: str


class Active(NamedTuple):
    """Users of a cell last active within 24 hours, 7 days, 30 days; its open sessions (an estimate)."""

    day: int = 0
    week: int = 0
    month: int = 0
    open_sessions: int = 0


class Quality(StrEnum):
    """How true a month's count is (spec: `=`, `≥`, imported)."""

    EXACT = "exact"
    LOWER_BOUND = "lower bound"
    IMPORTED = "imported"

    @property
    def mark(self) -> str:
        """The sign that stands beside a count of this quality."""
        return {"exact": "=", "lower bound": "≥", "imported": "imported"}[self.value]

    def marked(self, users: str) -> str:
        """A count of this quality with its sign, as it is read: `= 14`, `≥ 14`, `14 imported`."""
        return f"{users} {self.mark}" if self is Quality.IMPORTED else f"{self.mark} {users}"


class Phase(StrEnum):
    """What the engine is doing."""

    WAITING = "waiting"
    SCANNING = "scanning"
    LIVE = "live"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """The unique users of one host in one month.

    `cells` is the joint count. Where only its margins are known (a flat mod_monthly_visitors month), `cells`
    is None and `places` and `clients` each hold all users, or one of them is None where a filter on the
    other leaves it unknown.
    """

    quality: Quality
    users: int
    cells: Mapping[Cell, int] | None
    places: Mapping[Place, int] | None
    clients: Mapping[str, int] | None

    @classmethod
    def of(cls, quality: Quality, cells: Mapping[Cell, int]) -> "MonthCounts":
        """A month from its joint counts."""
        places: dict[Place, int] = {}
        clients: dict[str, int] = {}
        for (place, client), users in cells.items():
            places[place] = places.get(place, 0) + users
            clients[client] = clients.get(client, 0) + users
        return cls(quality, sum(cells.values()), cells, places, clients)


class Arrivals(NamedTuple):
    """Of the users counted in one month: how many were seen in the month before too, and of how many that can't be
    told. The rest were not seen in it."""

    returning: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class HostCounts:
    """One host: users known, active users by cell, months by `YYYY-MM`.

    `arrivals` tells of the whole host's months alone, so a filter by place or client leaves none. `hidden` names the
    figures that are 0 because they are not told: `users_known`, `open_sessions`, `1d`, `7d`, `30d`. `floors` names
    those, and the months, that are at least so many, because some users are not told. `at_least` says that active users
    may be lacking: the figures are as of a moment that has passed, and of users who came again after it nothing tells
    any more whether they were there before it.
    """

    users_known: int = 0
    active: Mapping[Cell, Active] = field(default_factory=dict)
    months: Mapping[str, MonthCounts] = field(default_factory=dict)
    arrivals: Mapping[str, Arrivals] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    floors: frozenset[str] = frozenset()
    at_least: bool = False


class HistoryKey(NamedTuple):
    """What the history of active users is kept by; coarser than a cell, so that years of it stay small."""

    country: str | None
    client: str


class Past(NamedTuple):
    """Users active in 1, 7, 30 days at a past moment, and users of its month so far (None: not noted then)."""

    day: int
    week: int
    month: int
    to_date: int | None = None


HistoryCounts = Mapping[HistoryKey, Past]


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """The users at one past moment (Unix seconds), by host, country and client."""

    when: int
    hosts: Mapping[str, HistoryCounts]


@dataclass(frozen=True, slots=True)
class History:
    """Past active users, oldest point first, seen through `keep` (host, key)."""

    points: tuple[HistoryPoint, ...] = ()
    keep: Callable[[str, HistoryKey], bool] | None = None

    def at(self, when: float, within: float = 5400) -> Past | None:
        """The users at the point nearest to `when`, at most `within` seconds off."""
        near = self.nearest(when, within)
        return None if near is None else self.sum_of(near)

    def nearest(self, when: float, within: float = 5400) -> HistoryPoint | None:
        """The point nearest to `when`, at most `within` seconds off."""
        index = bisect_left(self.points, when, key=lambda point: point.when)
        near = min(self.points[max(0, index - 1) : index + 1], key=lambda p: abs(p.when - when), default=None)
        return None if near is None or abs(near.when - when) > within else near

    def sum_of(self, point: HistoryPoint) -> Past:
        """The users of one point that are seen; those of its month so far only where all of them were noted.

        A point that notes no user's month at all is an older one: that nobody is seen in it tells nothing.
        """
        day = week = month = to_date = 0
        is_noted, is_lacking = False, False
        for host, counts in point.hosts.items():
            for key, past in counts.items():
                is_noted = is_noted or past.to_date is not None
                if self.keep is None or self.keep(host, key):
                    day, week, month = day + past.day, week + past.week, month + past.month
                    to_date += past.to_date or 0
                    is_lacking = is_lacking or past.to_date is None
        return Past(day, week, month, to_date if is_noted and not is_lacking else None)

    def until(self, when: float) -> "History":
        """The same history without the points from after `when`, which a clock that was ahead made; itself where there
        are none."""
        end = bisect_right(self.points, when, key=lambda point: point.when)
        return self if end == len(self.points) else History(self.points[:end], self.keep)

    def through(self, keep: Callable[[str, HistoryKey], bool], host: str | None = None) -> "History":
        """The same history, of the users alone that `keep` keeps too; where only that `host` is asked about, of the
        points alone that know it."""
        points, earlier = self.points, self.keep
        if host is not None:
            points = tuple(point for point in points if host in point.hosts)
        return History(points, keep if earlier is None else lambda *user: earlier(*user) and keep(*user))


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """What is wrong with the data, how often, one example (a file name: for the operator alone), and why.

    `is_urgent` says that it is wrong with all the figures, not with one record: nothing new is read, or kept, or the
    clock that they are of is in doubt.
    """

    what: str
    count: int
    example: str
    why: str
    is_urgent: bool = False


class Mark(NamedTuple):
    """Something that makes the figures after it other than those before: at `when` (Unix seconds) the places began
    to come from another GeoIP database, whose label is `geo`."""

    when: float
    geo: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is, in users; `total` is None until it is known. `active_done` once all who were active within
    thirty days are read, so that only older months are still to come."""

    done: int
    total: int | None
    active_done: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All figures at `generated_at` (Unix seconds). `timezone` is the IANA name months are reckoned in.

    `anonymity` is the number of users below which no group is shown; None where every figure is exact. `total` is then
    what is shown of several hosts together, since theirs, each folded alone, do not add up; None where it is not known.
    `is_from_engine`: a report has it from an engine that runs, and did not read the source itself.
    """

    generated_at: float
    timezone: str
    month: str
    source: str
    phase: Phase
    progress: Progress | None = None
    geo: str = ""
    hosts: Mapping[str, HostCounts] = field(default_factory=dict)
    history: History = field(default_factory=History)
    marks: tuple[Mark, ...] = ()
    names: Mapping[Place, PlaceName] = field(default_factory=dict)
    problems: tuple[ProblemGroup, ...] = ()
    anonymity: int | None = None
    total: HostCounts | None = None
    is_from_engine: bool = False

    @property
    def active_at_least(self) -> bool:
        """Whether active users may be lacking (see `HostCounts.at_least`)."""
        return any(counts.at_least for counts in self.hosts.values())

    @property
    def is_partial(self) -> bool:
        """Whether not all who were active within thirty days are read yet.

        The figures of now are then of those who are read so far, or older ones, and can't be compared with whole ones.
        """
        if self.progress is not None:
            return not self.progress.active_done
        return self.phase in (Phase.WAITING, Phase.SCANNING)
