"""The report as one JSON object, in the shape that the specification gives."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from headcount.figures.totals import active_by_country, sum_active
from headcount.snapshot import UNKNOWN, Active, HostCounts, MonthCounts, Place, PlaceName, Snapshot
from headcount.windows import WINDOWS

Json = dict[str, Any]
Names = Mapping[Place, PlaceName]


def to_json(snapshot: Snapshot) -> str:
    """The snapshot as text: UTF-8 without escapes, two spaces of indent."""
    return json.dumps(report(snapshot), ensure_ascii=False, indent=2)


def report(snapshot: Snapshot) -> Json:
    """The snapshot as plain values. Unknown parts of a place are None; what is not known, or withheld, is None too.

    A problem has no example where no file is to be named. Where figures are k-anonymous, `anonymity` says how, and that
    of each place, client and country there are at least so many, since some may be shown with others; an exact report
    does not have it. `figures_from` is "engine" where a running engine had them, "files" where the source was read.
    """
    least = snapshot.anonymity
    return {
        "generated_at": datetime.fromtimestamp(snapshot.generated_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "figures_from": "engine" if snapshot.is_from_engine else "files",
        "timezone": snapshot.timezone,
        "source": snapshot.source,
        "active_users_are": "at least" if snapshot.active_at_least else "exact",
        **({} if least is None else {"anonymity": {"min_count": least, "parts_are": "at least"}}),
        "hosts": {host: _host(counts, snapshot.names) for host, counts in snapshot.hosts.items()},
        "problems": None
        if least is not None
        else [
            {"what": problem.what, "count": problem.count, "example": problem.example or None, "why": problem.why}
            for problem in snapshot.problems
        ],
    }


def _host(counts: HostCounts, names: Names) -> Json:
    everyone = sum_active(counts.active.values())
    by_country = active_by_country(counts.active)
    order = sorted(by_country, key=lambda country: (-by_country[country].month, country is None, country or ""))
    return {
        "users_known": None if "users_known" in counts.hidden else counts.users_known,
        "open_sessions": None if "open_sessions" in counts.hidden else everyone.open_sessions,
        "active_users": _windows(everyone, counts.hidden),
        "active_users_by_country": {
            country or UNKNOWN: _windows(by_country[country], counts.hidden)
            for country in order
            if any(by_country[country][:3])
        },
        "months": {month: _month(counts.months[month], names) for month in sorted(counts.months)},
    }


def _windows(active: Active, hidden: Collection[str]) -> Json:
    return {window.key: None if window.key in hidden else users for window, users in zip(WINDOWS, active, strict=False)}


def _month(month: MonthCounts, names: Names) -> Json:
    places, clients, cells = month.places, month.clients, month.cells
    return {
        "users": month.users,
        "quality": month.quality.value,
        "places": None
        if places is None
        else [
            {**_place(place), "name": _name(place, names), "users": users}
            for place, users in sorted(places.items(), key=lambda item: (-item[1], _key(item[0])))
        ],
        "clients": None
        if clients is None
        else [
            {"client": client, "users": users}
            for client, users in sorted(clients.items(), key=lambda item: (-item[1], item[0]))
        ],
        "cells": None
        if cells is None
        else [
            {**_place(cell.place), "client": cell.client, "users": users}
            for cell, users in sorted(cells.items(), key=lambda item: (-item[1], _key(item[0].place), item[0].client))
        ],
    }


def _place(place: Place) -> Json:
    return {"country": place.country, "subdivision": place.subdivision, "city": place.city}


def _name(place: Place, names: Names) -> str | None:
    """The name of the place's finest known part."""
    name = names.get(place, PlaceName())
    return name.city or name.subdivision or name.country or None


def _key(place: Place) -> tuple[str, str, int]:
    return place.country or UNKNOWN, place.subdivision or UNKNOWN, place.city or 0
