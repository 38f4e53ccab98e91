"""Made-up figures for the screen, the same at every run: no clock, no chance but a seeded one."""

import random
from dataclasses import replace
from datetime import UTC, datetime

from headcount.snapshot import (
    Active,
    Arrivals,
    Cell,
    History,
    HistoryKey,
    HistoryPoint,
    HostCounts,
    Mark,
    MonthCounts,
    Past,
    Phase,
    Place,
    PlaceName,
    ProblemGroup,
    Quality,
    Snapshot,
)

NOW = 1_795_350_780  # 2026-11-22 13:33 in Berlin
HOUR, DAY = 3_600, 86_400

NAMES = {
    Place("DE", "HE", 2925533): PlaceName("Germany", "Hesse", "Frankfurt am Main"),
    Place("DE", "BE", 2950159): PlaceName("Germany", "Land Berlin", "Berlin"),
    Place("DE", "BY", 2867714): PlaceName("Germany", "Bavaria", "Munich"),
    Place("DE"): PlaceName("Germany"),
    Place("FR"): PlaceName("France"),
    Place("FR", "IDF", 2988507): PlaceName("France", "Île-de-France", "Paris"),
    Place("FR", "ARA", 2996944): PlaceName("France", "Auvergne-Rhône-Alpes", "Lyon"),
    Place("US"): PlaceName("United States"),
    Place("US", "CA", 5391959): PlaceName("United States", "California", "San Francisco"),
    Place("US", "NY", 5128581): PlaceName("United States", "New York", "New York City"),
    Place("JP"): PlaceName("Japan"),
    Place("JP", "13", 1850147): PlaceName("Japan", "Tokyo", "東京"),
    Place("BR"): PlaceName("Brazil"),
    Place("BR", "SP", 3448439): PlaceName("Brazil", "São Paulo", "São Paulo"),
    Place("GB"): PlaceName("United Kingdom"),
    Place("NL"): PlaceName("Netherlands"),
    Place("IT"): PlaceName("Italy"),
    Place("PL"): PlaceName("Poland"),
    Place("SE"): PlaceName("Sweden"),
    Place("CH"): PlaceName("Switzerland"),
    Place("AT"): PlaceName("Austria"),
    Place("IN"): PlaceName("India"),
    Place("CA"): PlaceName("Canada"),
}
# An engine names what is around a place too.
AROUND = {
    around: PlaceName(name.country, name.subdivision if around.subdivision else "")
    for place, name in NAMES.items()
    for around in (Place(place.country), Place(place.country, place.subdivision))
}
WEIGHTS = (90, 60, 40, 25, 12, 40, 18, 15, 50, 35, 4, 30, 9, 28, 24, 20, 14, 13, 11, 10, 8, 7, 6)
CLIENTS = {"ANDROID": 46, "IOS": 14, "GAJIM": 12, "DINO": 9, "WEB": 7, "MONAL": 6, "?": 6}


def cells(users: int, seed: int) -> dict[Cell, int]:
    """About `users` users spread over the places and the clients."""
    chance = random.Random(seed)
    places = {**dict(zip(NAMES, WEIGHTS, strict=True)), Place(): 35}
    total = sum(places.values()) * sum(CLIENTS.values())
    found = {}
    for place, weight in places.items():
        for client, of_client in CLIENTS.items():
            count = round(users * weight * of_client / total * chance.uniform(0.85, 1.15))
            if count:
                found[Cell(place, client)] = count
    return found


def active(users: int, seed: int) -> dict[Cell, Active]:
    """About `users` users active in 30 days, half of them in 7, a fifth in one."""
    return {cell: Active(count // 5, count // 2, count, count // 20) for cell, count in cells(users, seed).items()}


def host(users: int, seed: int) -> HostCounts:
    """A host with a year of months, of every quality."""
    months = {}
    for back in range(12):
        year, number = divmod(2026 * 12 + 10 - back, 12)
        quality = Quality.LOWER_BOUND if back in (0, 5) else Quality.EXACT if back < 6 else Quality.IMPORTED
        months[f"{year}-{number + 1:02}"] = MonthCounts.of(
            quality, cells(round(users * (0.78 - 0.02 * back) * (0.8 if back == 0 else 1)), seed + back)
        )
    exact = {month: counts for month, counts in months.items() if counts.quality is Quality.EXACT}
    arrivals = {month: Arrivals(round(0.9 * counts.users)) for month, counts in exact.items()}
    return HostCounts(users * 3, active(users, seed), months, arrivals)


def history(hosts: dict[str, int], days: int = 400, gap: range = range(9, 12)) -> History:
    """A point a day at the same minute; none in the days of the gap."""
    points = []
    for back in range(days, 0, -1):
        if back in gap:
            continue
        hours = 24 * back
        grown = 1 - 0.0001 * hours + 0.03 * ((hours % 168) / 168)
        of_month = datetime.fromtimestamp(NOW - hours * HOUR, UTC).day / 31
        counts = {}
        for name, users in hosts.items():
            by_key: dict[HistoryKey, Past] = {}
            for cell, count in cells(round(users * grown), 7).items():
                key = HistoryKey(cell.place.country, cell.client)
                day, week, month, to_date = by_key.get(key, Past(0, 0, 0, 0))
                to_date = (to_date or 0) + round(0.8 * count * of_month**0.4)
                by_key[key] = Past(day + count // 5, week + count // 2, month + count, to_date)
            counts[name] = by_key
        points.append(HistoryPoint(NOW - hours * HOUR, counts))
    return History(tuple(points))


PROBLEMS = (
    ProblemGroup("unreadable record", 3, "example.com/lastlog2/bob.dat", "it is no Lua table: line 1, column 9"),
    ProblemGroup("timestamp in the future", 1, "example.org/lastlog2/eve.dat", "its login is 4 days ahead"),
)


def snapshot(**changes: object) -> Snapshot:
    """Three hosts, live, with sixty days of history."""
    users = {"example.com": 400_000, "example.org": 9_000, "chat.example.net": 120}
    base = Snapshot(
        generated_at=NOW,
        timezone="Europe/Berlin",
        month="2026-11",
        source="/var/lib/prosody",
        phase=Phase.LIVE,
        geo="GeoLite2-City 2026-11",
        hosts={name: host(count, seed) for seed, (name, count) in enumerate(users.items())},
        history=_HISTORY,
        names={**AROUND, **NAMES},
        marks=(Mark(NOW - 30 * DAY, "GeoLite2-City 2026-10"),),
        problems=PROBLEMS,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


_HISTORY = history({"example.com": 400_000, "example.org": 9_000, "chat.example.net": 120})
SAMPLE = snapshot()

# What an attacker may call a host, a client, a file: markup, links, escapes (OSC 52, CSI, C1), bidi.
HOSTILE = (
    "[/nope]",
    "[@click=app.quit]x[/]",
    "[bold red]a[b]c",
    "\x1b]52;c;ZXZpbA==\x1b\\\x1b[2J",
    "\x9b31m\u202egnp.exe\n",
    "\\[/",
    "東" + "x" * 10_000 + "é",
    "not \udcff UTF-8",
)


def hostile() -> Snapshot:
    """A snapshot in which every text from outside is hostile, as if the core had cleaned none of it."""
    places = {Place("X" + str(index)): PlaceName(text, text, text) for index, text in enumerate(HOSTILE)}
    joint = {
        Cell(place, text): 10 * (index + 1) for index, (place, text) in enumerate(zip(places, HOSTILE, strict=True))
    }
    one = HostCounts(
        1_000,
        {cell: Active(1, 2, 3, 4) for cell in joint},
        {"2026-11": MonthCounts.of(Quality.EXACT, joint), "2026-10": MonthCounts.of(Quality.EXACT, joint)},
    )
    return snapshot(
        source=HOSTILE[1] + HOSTILE[3],
        geo=HOSTILE[0] + HOSTILE[3],
        hosts=dict.fromkeys(HOSTILE, one),
        names=places,
        problems=tuple(ProblemGroup(text, 1, text, text) for text in HOSTILE),
    )
