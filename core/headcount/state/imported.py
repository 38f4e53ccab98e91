"""What was taken over from mod_monthly_visitors, in the SQLite state: joint counts, or the two margins alone."""

import sqlite3
from collections.abc import Iterator

from headcount.snapshot import Cell, MonthCounts, Place, Quality
from headcount.state.place_columns import columns, place_of
from headcount.state.seals import seal

TABLE = """
CREATE TABLE imported (
    host TEXT NOT NULL, month TEXT NOT NULL, kind TEXT NOT NULL, country TEXT NOT NULL, subdivision TEXT NOT NULL,
    city INTEGER NOT NULL, client TEXT NOT NULL, users INTEGER NOT NULL,
    PRIMARY KEY (host, month, kind, country, subdivision, city, client)
) WITHOUT ROWID;
"""
"""`kind` is `cell`, or `place` and `client` where only the margins are known; what a kind does not tell is '' or 0."""


def load_imported(connection: sqlite3.Connection) -> Iterator[tuple[str, str, MonthCounts]]:
    """Host, month and counts of everything that was taken over."""
    found: dict[tuple[str, str], dict[str, dict[Cell, int]]] = {}
    for host, month, kind, country, subdivision, city, client, users in connection.execute(
        "SELECT host, month, kind, country, subdivision, city, client, users FROM imported"
    ):
        cell = Cell(place_of(country, subdivision, city), client)
        found.setdefault((host, month), {}).setdefault(kind, {})[cell] = users
    for (host, month), kinds in found.items():
        yield host, month, _counts(kinds)


def save_imported(connection: sqlite3.Connection, host: str, month: str, counts: MonthCounts) -> None:
    """Keeps what was taken over of a month that has nothing of it yet."""
    rows = [(host, month, kind, *columns(place), client, users) for kind, (place, client), users in _rows(counts)]
    connection.executemany(
        "INSERT INTO imported VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [(*row, seal("imported", *row)) for row in rows]
    )


def taken_over(counts: MonthCounts | None) -> int:
    """The sum of what is kept of it, over all its rows."""
    return 0 if counts is None else sum(users for _, _, users in _rows(counts))


def _rows(counts: MonthCounts) -> Iterator[tuple[str, Cell, int]]:
    if counts.cells is not None:
        yield from (("cell", cell, users) for cell, users in counts.cells.items())
        return
    yield from (("place", Cell(place, ""), users) for place, users in (counts.places or {}).items())
    yield from (("client", Cell(Place(), client), users) for client, users in (counts.clients or {}).items())


def _counts(kinds: dict[str, dict[Cell, int]]) -> MonthCounts:
    if "cell" in kinds:
        return MonthCounts.of(Quality.IMPORTED, kinds["cell"])
    places = {place: users for (place, _), users in kinds.get("place", {}).items()}
    clients = {client: users for (_, client), users in kinds.get("client", {}).items()}
    users = max(sum(places.values()), sum(clients.values()))
    return MonthCounts(Quality.IMPORTED, users, None, places, clients)
