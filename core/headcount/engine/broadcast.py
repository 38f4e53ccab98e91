"""What an engine shows, as short texts for those who look on: figures, and no name of a file or a user.

The months are not in it: they are kept beside it, in the same transaction. Those are that the engine only shows and
does not keep: what mod_monthly_visitors' own files say.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple
from typing import Any

from headcount.counting.saved_users import UserFigures
from headcount.engine.trusted_clock import AHEAD
from headcount.snapshot import (
    Active,
    Arrivals,
    Cell,
    History,
    HostCounts,
    Mark,
    MonthCounts,
    Phase,
    Place,
    ProblemGroup,
    Progress,
    Quality,
    Snapshot,
)

LIVE_RATE = 200_000
"""Characters a second at the most that are kept for those who look on, on average."""
HEAD = "head"
HOSTS = "hosts"
HOST = "host:"
Months = Mapping[str, MonthCounts]


class Packer:
    """Packs snapshots, and of each what changed alone: a host whose counts are the same object is not packed again.
    `stamp` tells by which settings it was counted."""

    def __init__(self, stamp: str = "") -> None:
        self._stamp = stamp
        self._hosts: Mapping[str, HostCounts] | None = None
        self._head = ""

    def news(self, snapshot: Snapshot) -> dict[str, str]:
        """The texts that are others than those of the last snapshot."""
        news = {}
        if snapshot.hosts is not self._hosts:
            before, self._hosts = self._hosts, snapshot.hosts
            for name, counts in snapshot.hosts.items():
                if before is None or before.get(name) is not counts:
                    news[HOST + name] = _packed_host(counts)
            if before is None or before.keys() != snapshot.hosts.keys():
                news[HOSTS] = _text(list(snapshot.hosts))
        head = _packed_head(snapshot, self._stamp)
        if head != self._head:
            news[HEAD] = self._head = head
        return news


class Broadcast:
    """What is to be shown to those who look on, until it is kept: `unkept`. `ticks` gives seconds for intervals;
    `stamp` tells by which settings it was counted."""

    def __init__(self, ticks: Callable[[], float], stamp: str) -> None:
        self._ticks = ticks
        self._packer = Packer(stamp)
        self._rests_until = float("-inf")
        self.unkept: dict[str, str] = {}

    def take(self, snapshot: Callable[[], Snapshot]) -> None:
        """Takes what is news: each time, or more rarely where it is much."""
        if self._ticks() >= self._rests_until:
            news = self._packer.news(snapshot())
            self.unkept |= news
            self._rests_until = self._ticks() + sum(map(len, news.values())) / LIVE_RATE

    def note_kept(self) -> None:
        """What was news has been kept."""
        self.unkept = {}


def unpacked(
    live: Mapping[str, str],
    months: Mapping[str, Months],
    arrivals: Mapping[str, Mapping[str, Arrivals]],
    history: History,
    marks: tuple[Mark, ...],
) -> Snapshot | None:
    """The snapshot that was packed, with each host's `months` and `arrivals`, the history and the marks as they were
    kept, and no names; None where nothing was packed. Months that have not begun are left out."""
    if not live.keys() >= {HEAD, HOSTS}:
        return None
    head = json.loads(live[HEAD])
    hosts, until = {}, head["month"] or "9999-12"
    for name in json.loads(live[HOSTS]):
        host = json.loads(live[HOST + name])
        active = {Cell(Place(*row[:3]), row[3]): Active(*row[4:]) for row in host["active"]}
        shown = {month: _unpacked_month(counts) for month, counts in host["shown"].items()}
        begun = {month: counts for month, counts in {**months.get(name, {}), **shown}.items() if month <= until}
        came_again = {month: told for month, told in arrivals.get(name, {}).items() if month <= until}
        hosts[name] = HostCounts(host["known"], active, begun, came_again)
    return Snapshot(
        generated_at=head["now"],
        timezone=head["timezone"],
        month=head["month"],
        source=head["source"],
        phase=Phase(head["phase"]),
        progress=None if head["progress"] is None else Progress(*head["progress"]),
        geo=head["geo"],
        hosts=hosts,
        history=history.until(head["now"] + AHEAD),
        marks=marks,
        problems=tuple(
            ProblemGroup(what, count, "", why, any(urgent)) for what, count, why, *urgent in head["problems"]
        ),
    )


def stamp_in(live: Mapping[str, str]) -> str | None:
    """By which settings it was counted; None where that was not packed."""
    stamp = json.loads(live[HEAD]).get("stamp") if HEAD in live else None
    return stamp if isinstance(stamp, str) else None


def remembered(live: Mapping[str, str]) -> dict[str, UserFigures]:
    """The active users of each host that was packed, in figures."""
    if not live.keys() >= {HEAD, HOSTS}:
        return {}
    head, figures = json.loads(live[HEAD]), {}
    for name in json.loads(live[HOSTS]):
        host = json.loads(live[HOST + name])
        cells, counts = [row[:4] for row in host["active"]], [row[4:] for row in host["active"]]
        figures[name] = UserFigures(head["now"], host["known"], cells, counts)
    return figures


def _packed_head(snapshot: Snapshot, stamp: str) -> str:
    progress = snapshot.progress
    return _text(
        {
            "now": snapshot.generated_at,
            "stamp": stamp,
            "timezone": snapshot.timezone,
            "month": snapshot.month,
            "source": snapshot.source,
            "phase": snapshot.phase.value,
            "progress": None if progress is None else astuple(progress),
            "geo": snapshot.geo,
            "problems": [[p.what, p.count, p.why, p.is_urgent] for p in snapshot.problems],
        }
    )


def _packed_host(counts: HostCounts) -> str:
    imported = {name: month for name, month in counts.months.items() if month.quality is Quality.IMPORTED}
    return _text(
        {
            "known": counts.users_known,
            "active": [[*place, client, *active] for (place, client), active in counts.active.items()],
            "shown": {name: _packed_month(month) for name, month in imported.items()},
        }
    )


def _packed_month(month: MonthCounts) -> dict[str, Any]:
    places, clients, cells = month.places, month.clients, month.cells
    return {
        "users": month.users,
        "cells": None if cells is None else [[*cell.place, cell.client, users] for cell, users in cells.items()],
        "places": None if places is None else [[*place, users] for place, users in places.items()],
        "clients": None if clients is None else list(clients.items()),
    }


def _unpacked_month(packed: Mapping[str, Any]) -> MonthCounts:
    places, clients, cells = packed["places"], packed["clients"], packed["cells"]
    return MonthCounts(
        Quality.IMPORTED,
        packed["users"],
        None if cells is None else {Cell(Place(*row[:3]), row[3]): row[4] for row in cells},
        None if places is None else {Place(*row[:3]): row[3] for row in places},
        None if clients is None else dict(clients),
    )


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
