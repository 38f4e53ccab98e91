"""The tables that screens and reports show, row by row: pure functions of a (filtered) snapshot."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic

from headcount.figures import lacking
from headcount.figures.lacking import Lacking
from headcount.figures.totals import K, change_of_month, floors, month_counts, month_names, pace_by, shown, sums
from headcount.months import shift
from headcount.snapshot import OTHER, UNKNOWN, Active, Cell, Place, PlaceName, Quality, Snapshot

SOMEWHERE = "(somewhere)"
"""The part of a place that is withheld."""
Label = Callable[[Place, Mapping[Place, PlaceName]], str]


@dataclass(frozen=True, slots=True)
class Row(Generic[K]):
    """One line of a table: users of the month, their share of it, the month before; beside the current month, users
    active now, and `then` the users of the month before at the same day and time of it. None where it can't, or may
    not, be shown. `is_floor` says that there are at least so many (and so is the share), since some may be shown with
    others, or as of the place around them; `is_active_floor` that it is so of the users active now."""

    key: K
    label: str
    users: int | None
    share: float | None
    before: int | None
    active: Active
    then: int | None = None
    is_floor: bool = False
    is_active_floor: bool = False


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month over the hosts shown; `change` is relative to the month before, None where it can't be known."""

    month: str
    users: int
    quality: Quality
    change: float | None
    countries: int | None
    clients: int | None


def country_rows(snapshot: Snapshot, month: str) -> list[Row[Place]]:
    """A row a country (`?` where unknown): most month users first, then most users active in 30 days."""
    then = pace_by(snapshot, lambda key: Place(key.country)) if month == snapshot.month else None
    return _rows_of_places(snapshot, month, lambda place: Place(place.country), name_of, then)


def subdivision_rows(snapshot: Snapshot, month: str) -> list[Row[Place]]:
    """A row a subdivision, called by its own name alone (`?` where unknown); ordered as the countries are."""
    label = _label(snapshot, _subdivision_name)
    return _rows_of_places(snapshot, month, lambda place: place._replace(city=None), label)


def city_rows(snapshot: Snapshot, month: str) -> list[Row[Place]]:
    """A row a city, called by its own name alone (`?` where unknown); ordered as the countries are."""
    return _rows_of_places(snapshot, month, lambda place: place, _label(snapshot, _city_name))


def place_rows(snapshot: Snapshot, month: str) -> list[Row[Place]]:
    """A row a place, as finely as it is known, or shown; ordered as the countries are."""
    return _rows_of_places(snapshot, month, lambda place: place, _label(snapshot, name_of))


def _rows_of_places(
    snapshot: Snapshot,
    month: str,
    coarse: Callable[[Place], Place],
    label: Label,
    then: Mapping[Place, int] | None = None,
) -> list[Row[Place]]:
    now, before = month_counts(snapshot, month), month_counts(snapshot, shift(month, -1))
    return _rows(
        snapshot,
        month,
        lambda place: label(place, snapshot.names),
        _grouped(now.places if now else {}, coarse),
        _grouped(before.places if before else None, coarse),
        _active_by(snapshot, month, lambda cell: coarse(cell.place)),
        then,
        Lacking.place,
    )


def client_rows(snapshot: Snapshot, month: str) -> list[Row[str]]:
    """A row a client (`?` where unknown); ordered as the countries are."""
    now, before = month_counts(snapshot, month), month_counts(snapshot, shift(month, -1))
    return _rows(
        snapshot,
        month,
        lambda client: client,
        now.clients if now else {},
        before.clients if before else None,
        _active_by(snapshot, month, lambda cell: cell.client),
        pace_by(snapshot, lambda key: key.client) if month == snapshot.month else None,
        Lacking.client,
    )


def month_rows(snapshot: Snapshot) -> list[MonthRow]:
    """A row a month, the newest first."""
    rows = []
    for month in reversed(month_names(snapshot)):
        counts = month_counts(snapshot, month)
        if counts is None:
            continue
        rows.append(
            MonthRow(
                month,
                counts.users,
                counts.quality,
                change_of_month(snapshot, month),
                _with_users(_grouped(counts.places, lambda place: Place(place.country)), {Place(), Place(OTHER)}),
                _with_users(counts.clients, {UNKNOWN, OTHER}),
            )
        )
    return rows


def known_with_users(rows: Iterable[Row[Place] | Row[str]]) -> int:
    """How many countries, places or clients the rows name that have users in the month: the unknown are none of them,
    nor are those who are shown together as others."""
    return sum(
        bool(row.users) and row.label not in (UNKNOWN, OTHER) and not row.label.endswith(SOMEWHERE) for row in rows
    )


def name_of(place: Place, names: Mapping[Place, PlaceName]) -> str:
    """A place in words, its finest part first: `Frankfurt am Main, Hesse, Germany`; `?` where unknown."""
    if place.country is None:
        return UNKNOWN
    name = names.get(place, PlaceName())
    parts = [
        name.city or (f"city {place.city}" if place.city else ""),
        name.subdivision or place.subdivision or "",
        name.country or place.country,
    ]
    return ", ".join(part for part in parts if part)


def _with_users(margin: Mapping[K, int] | None, no_one: Collection[K]) -> int | None:
    """How many of a margin have users, besides those that are `no_one`'s; None where it is not known."""
    return None if margin is None else sum(users > 0 and key not in no_one for key, users in margin.items())


def _rows(
    snapshot: Snapshot,
    month: str,
    label: Callable[[K], str],
    now: Mapping[K, int] | None,
    before: Mapping[K, int] | None,
    active: Mapping[K, Active],
    then: Mapping[K, int] | None,
    may_lack: Callable[[Lacking, K], bool],
) -> list[Row[K]]:
    everyone = sum(now.values()) if now and month not in floors(snapshot) else 0
    nobody = 0 if snapshot.anonymity is None else None  # those of a group that is withheld are in another
    in_month, now_active = lacking.of_month(snapshot, month), lacking.of_now(snapshot)
    rows = [
        Row(
            key=key,
            label=label(key),
            users=None if now is None else now.get(key, nobody),
            share=now.get(key, 0) / everyone if now and everyone and (key in now or nobody == 0) else None,
            before=None if before is None else before.get(key, nobody),
            active=active.get(key, Active()),
            then=None if then is None else then.get(key, nobody),
            is_floor=may_lack(in_month, key),
            is_active_floor=may_lack(now_active, key),
        )
        for key in {**(now or {}), **active}
    ]
    return sorted(
        rows,
        key=lambda row: (-(row.users or 0), -row.active.month, row.label == UNKNOWN, row.label, str(row.key)),
    )


def _label(snapshot: Snapshot, label: Label) -> Label:
    """What places are called. Where figures are k-anonymous, those of whom nothing finer is shown than a country, or a
    subdivision, are somewhere in it: that need not be unknown."""

    def of_shown(place: Place, names: Mapping[Place, PlaceName]) -> str:
        name = label(place, names)
        if place.country == OTHER:
            return OTHER
        if place.country is None or place.city is not None or (label is _subdivision_name and place.subdivision):
            return name
        return SOMEWHERE if name == UNKNOWN else f"{name} {SOMEWHERE}"

    return label if snapshot.anonymity is None else of_shown


def _subdivision_name(place: Place, names: Mapping[Place, PlaceName]) -> str:
    name = names.get(place, PlaceName())
    return name.subdivision or place.subdivision or UNKNOWN


def _city_name(place: Place, names: Mapping[Place, PlaceName]) -> str:
    if place.city is None:
        return UNKNOWN
    return names.get(place, PlaceName()).city or f"city {place.city}"


def _grouped(places: Mapping[Place, int] | None, coarse: Callable[[Place], Place]) -> dict[Place, int] | None:
    if places is None:
        return None
    groups: dict[Place, int] = defaultdict(int)
    for place, users in places.items():
        groups[coarse(place)] += users
    return dict(groups)


def _active_by(snapshot: Snapshot, month: str, group: Callable[[Cell], K]) -> dict[K, Active]:
    """The users active now, beside the current month alone: they tell nothing of a month that is over."""
    if month < snapshot.month:
        return {}
    return sums((group(cell), active) for counts in shown(snapshot) for cell, active in counts.active.items())
