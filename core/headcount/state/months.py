"""The months of the hosts as rows of the state: their counts, and who was counted in those that are open."""

import json
import sqlite3
from functools import lru_cache

from headcount.counting.counted import How
from headcount.counting.month_users import Month, MonthChange
from headcount.snapshot import UNKNOWN, Arrivals, Cell, Place, Quality
from headcount.state import HostUpdate, Saved, SavedHost
from headcount.state.imported import load_imported, save_imported, taken_over
from headcount.state.place_columns import columns, place_of
from headcount.state.seals import chained, seal


def load_months(connection: sqlite3.Connection, saved: Saved) -> None:
    """Adds the hosts' months, not yet who was counted in those that are open."""
    for host, month, quality, closed, key, came_back, unknown in connection.execute(
        "SELECT host, month, quality, closed, key, came_back, untold FROM months"
    ):
        arrivals = None if came_back is None else Arrivals(came_back, unknown)
        of_host = saved.hosts.setdefault(host, SavedHost())
        of_host.months[month] = Month(Quality(quality), key=key, closed=bool(closed), arrivals=arrivals)
    for host, month, country, subdivision, city, client, users in connection.execute(
        "SELECT host, month, country, subdivision, city, client, users FROM counts"
    ):
        cell = Cell(place_of(country, subdivision, city), client)
        saved.hosts[host].months[month].cells[cell] = users
    for host, month, imported in load_imported(connection):
        saved.hosts[host].months[month].imported = imported


_PARTS = "FROM counted WHERE host = ? AND month = ? ORDER BY part"


def chain_of(connection: sqlite3.Connection, host: str, name: str) -> int:
    """The chain over all that tells who was counted in a month; less than 0, as none is, where that is damaged."""
    chain = 0
    for kinds, hashes, hows in connection.execute(
        f"SELECT typeof(hashes) || typeof(hows), hashes, CAST(hows AS BLOB) {_PARTS}",
        (host, name),
    ):
        if kinds != "blobtext":
            return -1
        chain = chained(chain, hashes, hows)
    return chain


def load_counted(connection: sqlite3.Connection, host: str, name: str, month: Month) -> None:
    """Adds to an open month who was counted in it."""
    parts = connection.execute(f"SELECT hashes, hows {_PARTS}", (host, name)).fetchall()
    if parts:
        hows = "\n".join([part[1] for part in parts]).split("\n")
        month.counted.load(b"".join([part[0] for part in parts]), hows, _how)


def save_host(connection: sqlite3.Connection, update: HostUpdate) -> None:
    """Keeps what changed of a host's months."""
    if update.followed_since is not None:
        row = update.host, float(update.followed_since), float(update.alive_at)
        connection.execute("INSERT OR REPLACE INTO hosts VALUES (?, ?, ?, ?)", (*row, seal("hosts", *row)))
    for name, (month, change) in update.months.items():
        of_month = (update.host, name)
        if change.replaces_all:
            _save_again(connection, *of_month, month)
        if change.closed:
            connection.execute("DELETE FROM counted WHERE host = ? AND month = ?", of_month)
        chain = _save_counted(connection, of_month, month, change)
        _save_month(connection, of_month, month, chain)
        _save_counts(connection, of_month, month, change)


def _save_counted(connection: sqlite3.Connection, of_month: tuple[str, str], month: Month, change: MonthChange) -> int:
    """Keeps who was newly counted; the chain over all that tells who was."""
    if month.key is None:
        return 0
    kept = connection.execute("SELECT key, chain FROM months WHERE host = ? AND month = ?", of_month).fetchone()
    chain: int = kept[1] if kept is not None and kept[0] == month.key else 0
    counted = [(digest, how) for digest in change.hashes() if (how := month.counted.get(digest)) is not None]
    if counted:
        hashes, hows = b"".join([digest for digest, _ in counted]), "\n".join([_text_of(how) for _, how in counted])
        connection.execute(
            "INSERT INTO counted (host, month, hashes, hows) VALUES (?, ?, ?, ?)", (*of_month, hashes, hows)
        )
        chain = chained(chain, hashes, hows.encode())
    return chain


def _save_month(connection: sqlite3.Connection, of_month: tuple[str, str], month: Month, chain: int) -> None:
    arrivals = month.arrivals or (None, None)
    sums = sum(month.cells.values()), taken_over(month.imported), chain
    row = (*of_month, month.quality.value, int(month.closed), month.key, *arrivals, *sums)
    connection.execute(
        "INSERT OR REPLACE INTO months VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, seal("months", *row))
    )


def _save_counts(connection: sqlite3.Connection, of_month: tuple[str, str], month: Month, change: MonthChange) -> None:
    rows = [
        (*of_month, *columns(cell.place), cell.client, month.cells[cell])
        for cell in change.cells
        if cell in month.cells
    ]
    connection.executemany(
        "INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(*row, seal("counts", *row)) for row in rows]
    )
    connection.executemany(
        "DELETE FROM counts WHERE host = ? AND month = ?"
        " AND country = ? AND subdivision = ? AND city = ? AND client = ?",
        [(*of_month, *columns(cell.place), cell.client) for cell in change.cells if cell not in month.cells],
    )


def prune(connection: sqlite3.Connection, before: str) -> None:
    """Deletes the months before that one."""
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


def _save_again(connection: sqlite3.Connection, host: str, name: str, month: Month) -> None:
    """Deletes what was kept of a month, and keeps what of it was taken over; who was counted stays under the same key
    alone. They may have to be counted again, for which all files have to be read: the restart index is of no use any
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
def _text_of(how: Cell | How) -> str:
    """How a user was counted, as a line of `counted.hows` has it."""
    return json.dumps(how.place) if isinstance(how, Cell) else how.value


def _how(text: str) -> Cell | How:
    """The other way round."""
    return Cell(Place(*json.loads(text)), UNKNOWN) if text.startswith("[") else How(text)
