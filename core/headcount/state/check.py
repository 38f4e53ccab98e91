"""Whether a state is whole: each row as it was written, none missing, and who was counted in accord with the counts."""

import sqlite3
from typing import Final, NamedTuple

from headcount.counting.month_users import Month
from headcount.snapshot import Quality
from headcount.state.months import chain_of, load_counted
from headcount.state.seals import TABLES, are_whole, seal, seal_all

MonthKey = tuple[str, str]
"""A host and a month."""
_ROWS: Final = "rows"
_VERSION: Final = "version"


class Sums(NamedTuple):
    """What a month's row says of what else is kept of it: users of its counts, users taken over, the chain."""

    users: int = 0
    taken: int = 0
    chain: int = 0


def is_whole(connection: sqlite3.Connection) -> bool:
    """Whether all of it is as it was written. May raise what SQLite raises of a damaged file."""
    if not all(are_whole(connection, table) for table in TABLES):
        return False
    if noted(connection, _ROWS) != rows_now(connection):
        return False
    expected = {
        (host, month): Sums(*sums)
        for host, month, *sums in connection.execute("SELECT host, month, users, taken, chain FROM months")
    }
    return expected == {key: found for key, found in sums_of(connection).items() if key in expected or found != Sums()}


def sums_of(connection: sqlite3.Connection) -> dict[MonthKey, Sums]:
    """What there is of each month, by any table."""
    found = dict.fromkeys(connection.execute("SELECT host, month FROM months"), Sums())
    for host, month, users in connection.execute("SELECT host, month, sum(users) FROM counts GROUP BY host, month"):
        found[host, month] = Sums(users)
    for host, month, users in connection.execute("SELECT host, month, sum(users) FROM imported GROUP BY host, month"):
        found[host, month] = found.get((host, month), Sums())._replace(taken=users)
    for host, month in connection.execute("SELECT DISTINCT host, month FROM counted").fetchall():
        chain = chain_of(connection, host, month)
        found[host, month] = found.get((host, month), Sums())._replace(chain=chain)
    return found


def rows_now(connection: sqlite3.Connection) -> str:
    """How many rows there are of what can't be told from nothing when it is missing: hosts, months, what is kept."""
    numbers = [
        connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0]
        for what in ("hosts", "months", f"kept WHERE name != '{_ROWS}'")
    ]
    return " ".join(map(str, numbers))


def noted(connection: sqlite3.Connection, name: str) -> str | None:
    """What `kept` says; None where it says nothing, or nothing that is text."""
    row = connection.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
    return row[0] if row is not None and isinstance(row[0], str) else None


def noted_rows(connection: sqlite3.Connection) -> list[int] | None:
    """How many rows there should be, as `rows_now`; None where that is not known."""
    found = noted(connection, _ROWS)
    return None if found is None else [int(number) for number in found.split()]


def noted_version(connection: sqlite3.Connection) -> int | None:
    """The version of the state as it says once more in a row, since nothing else tells a damaged number from that of
    a newer Headcount; None where it says none."""
    found = noted(connection, _VERSION)
    return int(found) if found is not None and found.isdecimal() else None


def keep(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Keeps a text under a name."""
    connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (name, value, seal("kept", name, value)))


def note_rows(connection: sqlite3.Connection) -> None:
    """Has the state say how many rows there are now, if that is not what it says."""
    now = rows_now(connection)
    if noted(connection, _ROWS) != now:
        keep(connection, _ROWS, now)


def note_version(connection: sqlite3.Connection, version: int) -> None:
    """Has the state say its version in a row too."""
    keep(connection, _VERSION, str(version))


def begin_seals(connection: sqlite3.Connection) -> None:
    """Seals a state that was written without seals. In an open month as many users must be in its counts as different
    ones are known to be counted, but for those whom mod_monthly_visitors counted; of a closed one the counts are all
    there is."""
    sums = sums_of(connection)
    for host, name, key in connection.execute("SELECT host, month, key FROM months").fetchall():
        found = sums[host, name]
        users = found.users if key is None else _known(connection, host, name)
        connection.execute(
            "UPDATE months SET users = ?, taken = ?, chain = ? WHERE host = ? AND month = ?",
            (users, found.taken, found.chain, host, name),
        )
    seal_all(connection)


def _known(connection: sqlite3.Connection, host: str, name: str) -> int:
    """How many users we counted in an open month, by their hashes; less than none where that can't be known."""
    month = Month(Quality.LOWER_BOUND)
    try:
        load_counted(connection, host, name, month)
    except (ValueError, TypeError, IndexError):
        return -1
    return month.counted.ours()
