"""Mends a copy of a damaged state: what is whole stays, and nothing that is not passes for exact.

A closed month whose counts lack users keeps as many at an unknown place, and is a lower bound. An open one is begun
anew, as a lower bound: it is counted again as far as the server's files still tell. What was taken over of it stays
where it is known whom the module had counted, since they would be counted twice.
"""

import os
import sqlite3
from typing import NamedTuple
from zoneinfo import ZoneInfo

from headcount.counting.counted import How
from headcount.counting.month_users import SETTLING
from headcount.months import end_of, is_month
from headcount.snapshot import UNKNOWN, Quality
from headcount.state.check import MonthKey, Sums, is_whole, note_rows, note_version, noted, noted_rows, sums_of
from headcount.state.schema import VERSION
from headcount.state.seals import TABLES, chained, seal_all, whole

_DAY = 86_400


class Repaired(NamedTuple):
    """How many of the hosts' months are as they were, and how many are lower bounds now."""

    whole: int
    weakened: int


def repair(connection: sqlite3.Connection) -> Repaired:
    """Leaves in a copy of a state only what can be told, and seals it."""
    _drop_damaged(connection)
    rows = noted_rows(connection)
    hosts, months, kept = (_count(connection, what) for what in ("hosts", "months", "kept WHERE name != 'rows'"))
    # Without its row a host may have been left alone for how long nobody knows, and so without a zone may all.
    if rows is None or kept < rows[2]:
        unsure = _weaken_open(connection, "1" if noted(connection, "zone") is None else "0")
    else:
        unsure = 0
    if rows is None or hosts < rows[0]:
        unsure += _weaken_open(connection, "host NOT IN (SELECT host FROM hosts)")
    if rows is None or months < rows[1] or unsure:  # a month that is missing must not be begun as an exact one
        connection.execute("UPDATE hosts SET followed_since = alive_at")
    weakened = _repair_months(connection) + unsure
    connection.execute("DELETE FROM kept WHERE name = 'index'")
    note_version(connection, VERSION)
    note_rows(connection)
    seal_all(connection)
    if not is_whole(connection):  # nobody knows what became of it: no start may fail over that, nor tell of it
        for table in (*TABLES, "counted"):
            connection.execute(f"DELETE FROM {table}")
        note_version(connection, VERSION)
        note_rows(connection)
    connection.commit()
    return Repaired(max(0, _count(connection, "months") - weakened), weakened)


def _drop_damaged(connection: sqlite3.Connection) -> None:
    """Deletes what is not as it was written: rows, points of the past, and all of what was shown."""
    for table in TABLES:
        damaged = f"FROM {table} WHERE NOT {whole(table)}"
        if table == "history":
            connection.execute(f"DELETE FROM history WHERE at IN (SELECT at {damaged})")
        elif table == "live":
            connection.execute(f"DELETE FROM live WHERE EXISTS (SELECT 1 {damaged})")
        else:
            connection.execute(f"DELETE {damaged}")


def _count(connection: sqlite3.Connection, what: str) -> int:
    number: int = connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0]
    return number


def _weaken_open(connection: sqlite3.Connection, where: str) -> int:
    """Makes lower bounds of the exact months that are open; how many there were."""
    open_and_exact = f"key IS NOT NULL AND quality = ? AND {where}"
    return connection.execute(
        f"UPDATE months SET quality = ? WHERE {open_and_exact}",
        (Quality.LOWER_BOUND.value, Quality.EXACT.value),
    ).rowcount


def _repair_months(connection: sqlite3.Connection) -> int:
    """Mends the months that are not whole; how many there were."""
    expected = {
        (host, month): (key, Sums(*sums))
        for host, month, key, *sums in connection.execute("SELECT host, month, key, users, taken, chain FROM months")
    }
    open_since = _open_since(connection)
    weakened = 0
    for of_month, found in sums_of(connection).items():
        key, sums = expected.get(of_month, (None, None))
        if key is None and found.chain and sums is not None:  # parts of another month, by a damaged name
            connection.execute("DELETE FROM counted WHERE host = ? AND month = ?", of_month)
            found = found._replace(chain=0)
        if sums == found:
            continue
        if not _is_name(*of_month):
            connection.execute("DELETE FROM counted WHERE host = ? AND month = ?", of_month)
            continue
        weakened += 1
        if sums is None:
            is_open = found.chain != 0 or of_month[1] >= open_since
            key, sums = os.urandom(32) if is_open else None, found._replace(chain=-1)
        if key is None:
            _repair_closed(connection, of_month, sums, found)
        else:
            _begin_anew(connection, of_month, key, knows_whom=found.chain == sums.chain)
    return weakened


def _is_name(host: object, month: object) -> bool:
    """Whether these can name a month of a host. Parts of those who were counted have no seal of their own."""
    return isinstance(host, str) and isinstance(month, str) and is_month(month)


def _open_since(connection: sqlite3.Connection) -> str:
    """The first month that may have been open, by the last sign of life; the newest one where there is none."""
    alive, newest, months = connection.execute(
        "SELECT (SELECT max(alive_at) FROM hosts), (SELECT max(at) FROM history), (SELECT max(month) FROM counts)"
    ).fetchone()
    seen = max((moment for moment in (alive, newest) if moment is not None), default=None)
    if seen is None:
        return months or ""
    every = [month for (month,) in connection.execute("SELECT month FROM counts UNION SELECT month FROM imported")]
    return min((month for month in every if end_of(month, ZoneInfo("UTC")) + SETTLING + _DAY > seen), default="9999")


def _repair_closed(connection: sqlite3.Connection, of_month: MonthKey, sums: Sums, found: Sums) -> None:
    """Has the counts of a closed month come to as many users as it says; of the others nobody knows where they were."""
    if found.users > sums.users:
        connection.execute("DELETE FROM counts WHERE host = ? AND month = ?", of_month)
        found = found._replace(users=0)
    if found.users < sums.users:
        connection.execute(
            "INSERT INTO counts (host, month, country, subdivision, city, client, users) VALUES (?, ?, '', '', 0, ?, ?)"
            " ON CONFLICT DO UPDATE SET users = users + excluded.users",
            (*of_month, UNKNOWN, sums.users - found.users),
        )
    connection.execute("DELETE FROM counted WHERE host = ? AND month = ?", of_month)
    _put_month(connection, of_month, None, Sums(sums.users, found.taken))


def _begin_anew(connection: sqlite3.Connection, of_month: MonthKey, key: bytes, *, knows_whom: bool) -> None:
    """Leaves of an open month what was taken over, where whom the module had counted can be told."""
    where = "WHERE host = ? AND month = ?"
    marked = _marked(connection, of_month) if knows_whom else b""
    for table in ("counts", "counted") if knows_whom else ("counts", "counted", "imported"):
        connection.execute(f"DELETE FROM {table} {where}", of_month)
    chain = 0
    if marked:
        hows = "\n".join([How.MARKED.value] * (len(marked) // 16))
        connection.execute(
            "INSERT INTO counted (host, month, hashes, hows) VALUES (?, ?, ?, ?)", (*of_month, marked, hows)
        )
        chain = chained(0, marked, hows.encode())
    taken = connection.execute(f"SELECT ifnull(sum(users), 0) FROM imported {where}", of_month).fetchone()[0]
    _put_month(connection, of_month, key, Sums(0, taken, chain))


def _marked(connection: sqlite3.Connection, of_month: MonthKey) -> bytes:
    """The hashes of those whom mod_monthly_visitors had counted; the last word on a user holds."""
    how_of: dict[bytes, str] = {}
    for hashes, hows in connection.execute(
        "SELECT hashes, hows FROM counted WHERE host = ? AND month = ? ORDER BY part", of_month
    ):
        for number, how in enumerate(hows.split("\n")):
            how_of[hashes[16 * number : 16 * number + 16]] = how
    return b"".join([digest for digest, how in how_of.items() if how == How.MARKED.value])


def _put_month(connection: sqlite3.Connection, of_month: MonthKey, key: bytes | None, sums: Sums) -> None:
    """A month's row as a lower bound that tells of no arrivals."""
    connection.execute(
        "INSERT OR REPLACE INTO months (host, month, quality, closed, key, users, taken, chain)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*of_month, Quality.LOWER_BOUND.value, int(key is None), key, *sums),
    )
