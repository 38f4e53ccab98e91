"""An attacker who has any export, and can subtract, finds no group of too few users; and totals stay what they were."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import (
    FRANKFURT,
    MUNICH,
    NO_CITY,
    NOWHERE,
    PARIS,
    SINGAPORE,
    WIESBADEN,
    flat,
    host_with,
    snapshot,
    snapshots,
)

from headcount.figures.anonymity import anonymous
from headcount.figures.totals import sum_active
from headcount.outputs.as_csv import to_csv
from headcount.outputs.as_json import to_json
from headcount.snapshot import (
    OTHER,
    Active,
    Cell,
    HostCounts,
    MonthCounts,
    Place,
    Quality,
    Snapshot,
)

WINDOWS = ("1d", "7d", "30d")


def margins(of_places: dict[Place, int] | None, of_clients: dict[str, int] | None, more: int) -> MonthCounts:
    """A flat month whose margins need not agree, nor hold all users."""
    largest = max(sum((margin or {}).values()) for margin in (of_places, of_clients))
    return MonthCounts(Quality.IMPORTED, largest + more, None, of_places, of_clients)


places = st.sampled_from([FRANKFURT, WIESBADEN, NO_CITY, MUNICH, PARIS, SINGAPORE, Place("DE"), NOWHERE])
cells = st.builds(Cell, places, st.sampled_from(["?", "Dino", "Gajim", OTHER]))
few = st.one_of(st.integers(0, 3), st.integers(0, 12))
counts = st.dictionaries(cells, few.filter(bool), max_size=9)
windows = st.tuples(few, few, few, few).map(lambda n: Active(n[0], n[0] + n[1], n[0] + n[1] + n[2], n[3]))
months = st.one_of(
    st.builds(MonthCounts.of, st.sampled_from(Quality), counts),
    counts.map(lambda joint: flat(MonthCounts.of(Quality.IMPORTED, joint))),
    st.builds(
        margins,
        st.none() | st.dictionaries(places, few.filter(bool), max_size=5),
        st.none() | st.dictionaries(st.sampled_from(["?", "Dino", OTHER]), few.filter(bool)),
        st.integers(0, 7),
    ),
)
hosts = st.builds(
    HostCounts,
    st.integers(0, 90),
    st.dictionaries(cells, windows, max_size=6),
    st.dictionaries(st.sampled_from(["2026-09", "2026-10", "2026-11"]), months),
)
small_snapshots = st.dictionaries(st.sampled_from(["a", "b"]), hosts, min_size=1).map(snapshot)
min_counts = st.integers(2, 6)


class Told(NamedTuple):
    """One number of an export, and the users it counts: a set of the smallest groups that any number names."""

    whom: frozenset[tuple[object, ...]]
    users: int


def subtracted(told: Iterable[Told], limit: int = 2000) -> dict[int, int]:
    """The attacker: all numbers that follow by taking parts from a whole, one after the other, by whom they count."""
    bits: dict[object, int] = {}
    base: dict[int, int] = {}
    for number in told:
        whom = sum(1 << bits.setdefault(group, len(bits)) for group in number.whom)
        assert base.setdefault(whom, number.users) == number.users, "the export contradicts itself"
    known, new = dict(base), list(base)
    while new and len(known) < limit:
        found: dict[int, int] = {}
        for fresh in new:
            for part in base:
                inner, outer = (part, fresh) if part & fresh == part else (fresh, part)
                if inner & outer == inner and inner != outer:
                    users = known[outer] - known[inner]
                    assert known.get(outer ^ inner, users) == users, "the export contradicts itself"
                    if outer ^ inner not in known:
                        found[outer ^ inner] = users
        known |= found
        new = list(found)
    return known


def of_month(month: Mapping[str, Any]) -> list[Told]:
    """The numbers of a month. Each place and client may have users that no cell names: `hidden`."""
    by_place = {(p["country"], p["subdivision"], p["city"]): p["users"] for p in month["places"] or ()}
    by_client = {c["client"]: c["users"] for c in month["clients"] or ()}
    by_cell = {(c["country"], c["subdivision"], c["city"], c["client"]): c["users"] for c in month["cells"] or ()}
    rows = [*by_place, ("hidden",)]
    columns = [*by_client, "hidden"]
    everyone = frozenset((row, column) for row in rows for column in columns)
    told = [Told(everyone, month["users"])]
    told += [Told(frozenset((row, column) for column in columns), n) for row, n in by_place.items()]
    told += [Told(frozenset((row, column) for row in rows), n) for column, n in by_client.items()]
    told += [Told(frozenset([((*cell[:3],), cell[3])]), n) for cell, n in by_cell.items()]
    for country in {place[0] for place in by_place}:
        of_country = [place for place in by_place if place[0] == country]
        whom = frozenset((place, column) for place in of_country for column in columns)
        told.append(Told(whom, sum(by_place[place] for place in of_country)))
    return told


def of_windows(by_group: Mapping[object, Mapping[str, int | None]], everyone: Mapping[str, int | None]) -> list[Told]:
    """The numbers of active users: each group, and all, in rings that lie in each other."""
    groups = [*by_group, "hidden"]
    told = []
    for index, window in enumerate(WINDOWS):
        rings = range(index + 1)
        for group, of_group in by_group.items():
            if (users := of_group[window]) is not None:
                told.append(Told(frozenset((group, ring) for ring in rings), users))
        if (users := everyone[window]) is not None:
            told.append(Told(frozenset((group, ring) for group in groups for ring in rings), users))
    return told


def leaks(numbers: Iterable[Told], min_count: int) -> list[int]:
    """The sizes of the groups that the attacker finds, and that have too few users."""
    return [users for users in subtracted(numbers).values() if users < min_count and users != 0]


def leaks_of(export: Mapping[str, Any], of_csv: str, min_count: int) -> list[int]:
    """What the attacker finds in the two forms of one export."""
    found = []
    rows = list(csv.DictReader(io.StringIO(of_csv, newline="")))
    for host, told in export["hosts"].items():
        for month in told["months"].values():
            found += leaks(of_month(month), min_count)
        found += leaks(of_windows(told["active_users_by_country"], told["active_users"]), min_count)
        by_cell: dict[object, dict[str, int | None]] = {}
        for row in rows:
            if (row["host"], row["figure"]) == (host, "active users"):
                cell = (row["country"], row["subdivision"], row["city"], row["client"])
                zero = {window: 0 if users is not None else None for window, users in told["active_users"].items()}
                by_cell.setdefault(cell, zero)[row["period"]] = int(row["users"])
        found += leaks(of_windows(by_cell, told["active_users"]), min_count)
        found += [users for users in between_totals(told) if 0 < users < min_count]
    return found


def between_totals(told: Mapping[str, Any]) -> list[int]:
    """The differences of a host's totals, where the one may be a part of the other."""
    of_months = {name: month["users"] for name, month in told["months"].items()}
    chain = [
        *told["active_users"].values(),
        told["open_sessions"],
        of_months.get("2026-11"),
    ]
    pairs = [*combinations(chain, 2), *((told["users_known"], other) for other in [0, *chain, *of_months.values()])]
    pairs += [(window, of_months.get("2026-10")) for window in told["active_users"].values()]
    return [abs(one - other) for one, other in pairs if one is not None and other is not None]


@settings(max_examples=500, deadline=None)
@given(small_snapshots, min_counts)
def test_no_group_of_too_few_follows_by_subtraction(shown: Snapshot, min_count: int) -> None:
    told = anonymous(shown, min_count)
    assert leaks_of(json.loads(to_json(told)), to_csv(told), min_count) == []


@given(small_snapshots, min_counts)
def test_nothing_is_told_but_groups_of_enough(shown: Snapshot, min_count: int) -> None:
    told = anonymous(shown, min_count)
    for host in told.hosts.values():
        for month in host.months.values():
            for margin in (month.cells, month.places, month.clients):
                assert min((margin or {}).values(), default=min_count) >= min_count
        for active in host.active.values():
            assert any(active)
            told_windows = [n for n, name in zip(active[:3], WINDOWS, strict=True) if name not in host.hidden]
            assert all(n == 0 or n >= min_count for n in (*told_windows, active.open_sessions))
            rings = [outer - inner for inner, outer in pairwise([0, *told_windows])]
            assert all(n == 0 or n >= min_count for n in rings)


@pytest.mark.parametrize(
    "leaky",
    [
        host_with(100, 10, 18, 20),
        snapshot({"a": HostCounts(0, {Cell(PARIS, "?"): Active(1, 9, 9), Cell(MUNICH, "?"): Active(8, 9, 9)})}),
        snapshot({"a": HostCounts(0, {}, {"2026-09": MonthCounts.of(Quality.EXACT, {Cell(PARIS, "Dino"): 2})})}),
        snapshot(
            {
                "a": HostCounts(
                    0, {}, {"2026-09": MonthCounts(Quality.EXACT, 20, {Cell(PARIS, "?"): 17}, {PARIS: 20}, {"?": 20})}
                )
            }
        ),
        host_with(22, 0, 0, 20),
        host_with(0, 0, 20, 20, _2026_11=22),
    ],
    ids=["between windows", "a country", "a total", "a cell taken out of its total", "the rest known", "the month"],
)
def test_the_attacker_finds_what_is_there_to_find(leaky: Snapshot) -> None:
    assert leaks_of(json.loads(to_json(leaky)), to_csv(leaky), 5)


@given(small_snapshots | snapshots, min_counts)
def test_totals_are_unchanged(shown: Snapshot, min_count: int) -> None:
    """Of hosts, and of the countries that are told, and of the clients and subdivisions that are told in these."""
    told = anonymous(shown, min_count)
    for name, before in shown.hosts.items():
        after = told.hosts[name]
        assert {m: c.users for m, c in after.months.items()} == {
            m: c.users for m, c in before.months.items() if c.users == 0 or c.users >= min_count
        }
        for month, of_month in after.months.items():
            if of_month.cells is not None:
                assert sum(of_month.cells.values()) == of_month.users
                assert_parents_are_whole(before.months[month].cells or {}, of_month.cells)
        was, now = sum_active(before.active.values()), sum_active(after.active.values())
        for figure, old, new in zip((*WINDOWS, "open_sessions"), was, now, strict=True):
            assert new == (0 if figure in after.hidden else old)
        assert after.users_known == (0 if "users_known" in after.hidden else before.users_known)
        if not after.hidden & {*WINDOWS}:
            for index in range(3):
                assert_parents_are_whole(
                    {cell: active[index] for cell, active in before.active.items()},
                    {cell: active[index] for cell, active in after.active.items()},
                )


def assert_parents_are_whole(before: Mapping[Cell, int], after: Mapping[Cell, int]) -> None:
    """Whatever is told by its name has all its users; `None` stands for a rest, and `OTHER` does."""
    for depth in (1, 2, 3, 4):
        was, now = by_parent(before, depth), by_parent(after, depth)
        for parent, users in now.items():
            if OTHER not in parent and None not in parent[2:]:
                assert users == was[parent]


def by_parent(users: Mapping[Cell, int], depth: int) -> Counter[tuple[object, ...]]:
    """The users of every country, of every client there, of every subdivision and city of that."""
    sums: Counter[tuple[object, ...]] = Counter()
    for (place, client), count in users.items():
        sums[(place.country, client, place.subdivision, place.city)[:depth]] += count
    return sums


@given(small_snapshots | snapshots)
def test_a_min_count_of_one_changes_no_figure(shown: Snapshot) -> None:
    told = anonymous(shown, 1)
    for name, before in shown.hosts.items():
        after = told.hosts[name]
        assert (after.users_known, after.hidden) == (before.users_known, frozenset())
        assert after.months == before.months
        windows = {cell: active[:3] for cell, active in before.active.items() if any(active[:3])}
        assert {cell: active[:3] for cell, active in after.active.items() if any(active[:3])} == windows


@given(small_snapshots, min_counts)
def test_it_does_not_depend_on_the_order_of_counting(shown: Snapshot, min_count: int) -> None:
    turned = {
        name: replace(
            counts,
            active=dict(reversed(counts.active.items())),
            months={
                month: replace(
                    of,
                    cells=of.cells and dict(reversed(of.cells.items())),
                    places=of.places and dict(reversed(of.places.items())),
                    clients=of.clients and dict(reversed(of.clients.items())),
                )
                for month, of in counts.months.items()
            },
        )
        for name, counts in shown.hosts.items()
    }
    assert anonymous(replace(shown, hosts=turned), min_count) == anonymous(shown, min_count)


@given(small_snapshots, min_counts)
def test_what_is_anonymous_stays_as_it_is(shown: Snapshot, min_count: int) -> None:
    once = anonymous(shown, min_count)
    again = anonymous(once, min_count)
    assert {n: h.months for n, h in again.hosts.items()} == {n: h.months for n, h in once.hosts.items()}
