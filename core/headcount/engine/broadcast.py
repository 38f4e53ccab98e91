"""What an engine shows, as short texts for those who look on: figures, and no name of a file or a user.

The months are not in it: they are kept beside it, in the same transaction. Those are that the engine only shows and
does not keep: what mod_monthly_visitors' own files say.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple
from typing import Any, Final

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

HEAD = "head"
HOST = "host:"
Months = Mapping[str, MonthCounts]
RATE: Final = 200_000
"""Characters a second at the most that are kept for those who look on, on average."""


class Packer:
    """Packs snapshots, and of each what changed alone: a host whose counts are the same object is not packed again."""

    def __init__(self) -> None:
        self._hosts: dict[str, HostCounts] = {}
        self._head = ""

    def news(self, snapshot: Snapshot) -> dict[str, str]:
        """The texts that are others than those of the last snapshot."""
        news = {}
        for name, counts in snapshot.hosts.items():
            if self._hosts.get(name) is not counts:
                news[HOST + name] = _packed_host(counts)
        self._hosts = dict(snapshot.hosts)
        head = _packed_head(snapshot)
        if head != self._head:
            news[HEAD] = self._head = head
        return news


class Broadcast:
    """What those who look on are to be shown and the state does not have yet: `unkept`. `snapshot` gives what is shown,
    `ticks` seconds for intervals."""

    def __init__(self, snapshot: Callable[[], Snapshot], ticks: Callable[[], float]) -> None:
        self.unkept: dict[str, str] = {}
        self._snapshot = snapshot
        self._ticks = ticks
        self._packer = Packer()
        self._next_at = float("-inf")

    def note(self) -> None:
        """Notes what is news, or leaves it for later where there was much of it just now."""
        if self._ticks() >= self._next_at:
            news = self._packer.news(self._snapshot())
            self.unkept |= news
            self._next_at = self._ticks() + sum(map(len, news.values())) / RATE

    def note_kept(self) -> None:
        """The state has it now."""
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
    if HEAD not in live:
        return None
    head = json.loads(live[HEAD])
    hosts, until = {}, head["month"] or "9999-12"
    for name in head["hosts"]:
        host = json.loads(live[HOST + name])
        active = {Cell(Place(*row[:3]), row[3]): Active(*row[4:]) for row in host["active"]}
        shown = {month: _unpacked_month(counts) for month, counts in host["shown"].items()}
        begun = {month: counts for month, counts in {**months.get(name, {}), **shown}.items() if month <= until}
        came_again = {month: counts for month, counts in arrivals.get(name, {}).items() if month <= until}
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


def remembered(live: Mapping[str, str]) -> dict[str, UserFigures]:
    """The active users of each host that was packed, in figures."""
    if HEAD not in live:
        return {}
    head, figures = json.loads(live[HEAD]), {}
    for name in head["hosts"]:
        host = json.loads(live[HOST + name])
        cells, counts = [row[:4] for row in host["active"]], [row[4:] for row in host["active"]]
        figures[name] = UserFigures(head["now"], host["known"], cells, counts)
    return figures


def _packed_head(snapshot: Snapshot) -> str:
    progress = snapshot.progress
    return _text(
        {
            "now": snapshot.generated_at,
            "timezone": snapshot.timezone,
            "month": snapshot.month,
            "source": snapshot.source,
            "phase": snapshot.phase.value,
            "progress": None if progress is None else astuple(progress),
            "geo": snapshot.geo,
            "hosts": list(snapshot.hosts),
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
