"""The months of the hosts as rows of the state: their counts, and who was counted in those that are open."""

import json
import sqlite3
from functools import lru_cache

from headcount.counted import How
from headcount.monthly_visitors import Month
from headcount.snapshot import UNKNOWN, Arrivals, Cell, Place, Quality
from headcount.state import HostUpdate, Saved, SavedHost
from headcount.state.columns import columns, place_of
from headcount.state.imported import load_imported, save_imported


def load_months(connection: sqlite3.Connection, saved: Saved) -> None:
    """Adds the hosts' months, not yet who was counted in those that are open."""
    for host, month, quality, closed, key, came_back, untold in connection.execute(
        "SELECT host, month, quality, closed, key, came_back, untold FROM months"
    ):
        arrivals = None if came_back is None else Arrivals(came_back, untold)
        of_host = saved.hosts.setdefault(host, SavedHost())
        of_host.months[month] = Month(Quality(quality), key=key, closed=bool(closed), arrivals=arrivals)
    for host, month, country, subdivision, city, client, users in connection.execute("SELECT * FROM counts"):
        cell = Cell(place_of(country, subdivision, city), client)
        saved.hosts[host].months[month].cells[cell] = users
    for host, month, imported in load_imported(connection):
        saved.hosts[host].months[month].imported = imported


def load_counted(connection: sqlite3.Connection, host: str, name: str, month: Month) -> None:
    """Adds to an open month who was counted in it."""
    parts = connection.execute(
        "SELECT hashes, hows FROM counted WHERE host = ? AND month = ? ORDER BY part", (host, name)
    ).fetchall()
    if parts:
        hows = "\n".join([part[1] for part in parts]).split("\n")
        month.counted.load(b"".join([part[0] for part in parts]), hows, _how)


def save_host(connection: sqlite3.Connection, update: HostUpdate) -> None:
    """Keeps what changed of a host's months."""
    if update.followed_since is not None:
        connection.execute(
            "INSERT OR REPLACE INTO hosts VALUES (?, ?, ?)",
            (update.host, update.followed_since, update.alive_at),
        )
    for name, (month, change) in update.months.items():
        of_month = (update.host, name)
        if change.anew:
            _save_anew(connection, *of_month, month)
        connection.execute(
            "INSERT OR REPLACE INTO months VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*of_month, month.quality.value, int(month.closed), month.key, *(month.arrivals or (None, None))),
        )
        if change.closed:
            connection.execute("DELETE FROM counted WHERE host = ? AND month = ?", of_month)
        connection.executemany(
            "INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (*of_month, *columns(cell.place), cell.client, month.cells[cell])
                for cell in change.cells
                if cell in month.cells
            ],
        )
        connection.executemany(
            "DELETE FROM counts WHERE host = ? AND month = ?"
            " AND country = ? AND subdivision = ? AND city = ? AND client = ?",
            [(*of_month, *columns(cell.place), cell.client) for cell in change.cells if cell not in month.cells],
        )
        counted = [(digest, how) for digest in change.hashes() if (how := month.counted.get(digest)) is not None]
        if counted:
            connection.execute(
                "INSERT INTO counted (host, month, hashes, hows) VALUES (?, ?, ?, ?)",
                (*of_month, b"".join([digest for digest, _ in counted]), "\n".join([_told(how) for _, how in counted])),
            )


def prune(connection: sqlite3.Connection, before: str) -> None:
    """Deletes the months before that one, and remembers that they were."""
    connection.execute("INSERT OR REPLACE INTO kept VALUES ('pruned_before', ?)", (before,))
    connection.execute("DELETE FROM counts WHERE month < ?", (before,))
    connection.execute("DELETE FROM counted WHERE month < ?", (before,))
    connection.execute("DELETE FROM imported WHERE month < ?", (before,))
    connection.execute("DELETE FROM months WHERE month < ?", (before,))


def forget_after(connection: sqlite3.Connection, when: float, month: str) -> None:
    """Deletes what a clock that was ahead wrote: all of later moments and months."""
    connection.execute("DELETE FROM kept WHERE name = 'pruned_before' AND value > ?", (month,))
    connection.execute("DELETE FROM history WHERE at > ?", (when,))
    connection.execute("DELETE FROM marks WHERE at > ?", (when,))
    connection.execute("DELETE FROM counts WHERE month > ?", (month,))
    connection.execute("DELETE FROM counted WHERE month > ?", (month,))
    connection.execute("DELETE FROM imported WHERE month > ?", (month,))
    connection.execute("DELETE FROM months WHERE month > ?", (month,))


def _save_anew(connection: sqlite3.Connection, host: str, name: str, month: Month) -> None:
    """Deletes what was kept of a month, and keeps what of it was taken over; who was counted stays under the same key
    alone. They may have to be counted anew, for which all files have to be read: the restart index is of no use any
    more."""
    connection.execute("DELETE FROM kept WHERE name = 'index'")
    connection.execute("DELETE FROM counts WHERE host = ? AND month = ?", (host, name))
    connection.execute("DELETE FROM imported WHERE host = ? AND month = ?", (host, name))
    kept = connection.execute("SELECT key FROM months WHERE host = ? AND month = ?", (host, name)).fetchone()
    if kept != (month.key,):
        connection.execute("DELETE FROM counted WHERE host = ? AND month = ?", (host, name))
    if month.imported is not None:
        save_imported(connection, host, name, month.imported)


@lru_cache(maxsize=4096)
def _told(how: Cell | How) -> str:
    """How a user was counted, as a line of `counted.hows` has it."""
    return json.dumps(how.place) if isinstance(how, Cell) else how.value


def _how(told: str) -> Cell | How:
    """The other way round."""
    return Cell(Place(*json.loads(told)), UNKNOWN) if told.startswith("[") else How(told)
