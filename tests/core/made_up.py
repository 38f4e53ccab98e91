"""Snapshots that the tests of filters, views and outputs are about, and strategies that make any other."""

from collections.abc import Mapping

from hypothesis import strategies as st

from headcount.snapshot import (
    Active,
    Cell,
    HistoryKey,
    HistoryPoint,
    HostCounts,
    MonthCounts,
    Past,
    Phase,
    Place,
    PlaceName,
    Quality,
    Snapshot,
)

NOW = 1_795_323_600  # 2026-11-22T05:00:00Z
DAY = 86_400

FRANKFURT, MUNICH, PARIS = Place("DE", "HE", 2925533), Place("DE", "BY", 2867714), Place("FR", "IDF", 2988507)
WIESBADEN, NO_CITY, SINGAPORE = Place("DE", "HE", 2809346), Place("DE", "HE"), Place("SG", None, 1880252)
GERMANY, FRANCE, NOWHERE = Place("DE"), Place("FR"), Place()
NAMES = {
    FRANKFURT: PlaceName("Germany", "Hesse", "Frankfurt am Main"),
    MUNICH: PlaceName("Germany", "Bavaria", "Munich"),
    PARIS: PlaceName("France", "Île-de-France", "Paris"),
    GERMANY: PlaceName("Germany"),
    FRANCE: PlaceName("France"),
}

CELLS = {
    Cell(FRANKFURT, "Dino"): 4,
    Cell(FRANKFURT, "?"): 1,
    Cell(MUNICH, "Gajim"): 2,
    Cell(PARIS, "Dino"): 3,
    Cell(NOWHERE, "?"): 2,
}
ACTIVE = {
    Cell(FRANKFURT, "Dino"): Active(2, 3, 4, 1),
    Cell(MUNICH, "Gajim"): Active(0, 1, 2, 0),
    Cell(PARIS, "Dino"): Active(1, 1, 1, 1),
    Cell(NOWHERE, "?"): Active(0, 0, 5, 0),
}
MONTH = MonthCounts.of(Quality.EXACT, CELLS)
FLAT = MonthCounts(Quality.IMPORTED, 12, None, {FRANKFURT: 5, MUNICH: 2, PARIS: 3, NOWHERE: 2}, {"Dino": 7, "?": 5})
"""A month as mod_monthly_visitors keeps it in its flat shape: two margins, and nothing that joins them."""


def snapshot(hosts: Mapping[str, HostCounts], **other: object) -> Snapshot:
    """A snapshot of these hosts in UTC, as of 22 November 2026."""
    values: dict[str, object] = {
        "generated_at": NOW,
        "timezone": "UTC",
        "month": "2026-11",
        "source": "/var/lib/prosody",
        "phase": Phase.LIVE,
        "geo": "GeoLite2-City 2026-11",
        "names": NAMES,
    }
    return Snapshot(hosts=hosts, **{**values, **other})  # type: ignore[arg-type]  # each test names its own


def host(**months: MonthCounts) -> HostCounts:
    """A host with ACTIVE and these months, each given as `_2026_11`."""
    return HostCounts(20, ACTIVE, {name[1:].replace("_", "-"): counts for name, counts in months.items()})


def host_with(known: int, day: int, week: int, month: int, sessions: int = 0, **months: int) -> Snapshot:
    """A host with that many users, all of them with Dino in Frankfurt; months as `_2026_11`."""
    cell = Cell(FRANKFURT, "Dino")
    of_months = {
        name[1:].replace("_", "-"): MonthCounts.of(Quality.EXACT, {cell: users}) for name, users in months.items()
    }
    return snapshot({"a": HostCounts(known, {cell: Active(day, week, month, sessions)}, of_months)})


def past(users: int) -> Past:
    """So many users in each window, and no note of the month so far."""
    return Past(users, users, users)


def point(when: int, users: Mapping[str, Mapping[tuple[str | None, str], int]]) -> HistoryPoint:
    """A past point with as many users in each of the three windows."""
    return HistoryPoint(
        when,
        {name: {HistoryKey(*key): past(n) for key, n in counts.items()} for name, counts in users.items()},
    )


places = st.builds(
    Place, st.sampled_from([None, "DE", "FR", "JP"]), st.sampled_from([None, "HE"]), st.sampled_from([None, 1, 2])
)
cells = st.builds(Cell, places, st.sampled_from(["?", "Dino", "Gajim", "=1+1"]))
counts = st.dictionaries(cells, st.integers(1, 1000), max_size=12)
windows = st.tuples(*[st.integers(0, 100)] * 3).map(lambda n: Active(n[0], n[0] + n[1], n[0] + n[1] + n[2], n[0]))
months = st.one_of(
    st.builds(MonthCounts.of, st.sampled_from(Quality), counts),
    counts.map(lambda joint: flat(MonthCounts.of(Quality.IMPORTED, joint))),
)
hosts = st.builds(
    HostCounts,
    st.integers(0, 1000),
    st.dictionaries(cells, windows, max_size=12),
    st.dictionaries(st.sampled_from(["2026-09", "2026-10", "2026-11"]), months),
)
snapshots = st.dictionaries(st.sampled_from(["a.example", "b.example", "c.test"]), hosts).map(snapshot)


def flat(month: MonthCounts) -> MonthCounts:
    """The month with its margins alone."""
    return MonthCounts(month.quality, month.users, None, month.places, month.clients)
