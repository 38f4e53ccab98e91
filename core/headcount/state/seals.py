"""Seals: a checksum in each row of the state, against damage of the file (not against anybody who means harm).

A row says by its seal that all of it is as it was written, and in its own place. What a seal can't say, that no row is
missing, is said by sums: a month's row knows how many users its counts are of (`users`), how many were taken over
(`taken`), and a checksum over all parts that tell who was counted (`chain`); a row of `kept` knows how many rows some
tables have. A point of the past is sealed together with the number of its hosts.
"""

import json
import sqlite3
import zlib
from collections.abc import Mapping
from typing import Final

from headcount.months import is_month
from headcount.snapshot import Quality

Value = str | bytes | int | float | None

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "hosts": {"host": "text", "followed_since": "real", "alive_at": "real"},
    "months": {
        "host": "text",
        "month": "text",
        "quality": "text",
        "closed": "integer",
        "key": "blob or null",
        "came_back": "integer or null",
        "untold": "integer or null",
        "users": "integer",
        "taken": "integer",
        "chain": "integer",
    },
    "counts": {
        "host": "text",
        "month": "text",
        "country": "text",
        "subdivision": "text",
        "city": "integer",
        "client": "text",
        "users": "integer",
    },
    "imported": {
        "host": "text",
        "month": "text",
        "kind": "text",
        "country": "text",
        "subdivision": "text",
        "city": "integer",
        "client": "text",
        "users": "integer",
    },
    "history": {"at": "integer", "host": "text", "counts": "text"},
    "marks": {"at": "real", "geo": "text"},
    "place_names": {
        "country": "text",
        "subdivision": "text",
        "city": "integer",
        "country_name": "text",
        "subdivision_name": "text",
        "city_name": "text",
    },
    "kept": {"name": "text", "value": "text"},
    "live": {"name": "text", "value": "text"},
}
"""The columns that are sealed, each with what SQLite calls the kind of its values. `counted` has a chain instead."""

_WRITTEN: Final = {
    "real": "written({})",
    "blob or null": "iif({0} IS NULL, 'null', hex({0}))",
    "integer or null": "ifnull({}, 'null')",
}
"""How SQLite writes values as `_written` does, by their kind. Most need nothing, which is quick, since each row is
looked at in each start."""
_HOSTS_OF_POINT = "(SELECT count(*) FROM history AS point WHERE point.at = history.at)"
_WITH_HOSTS = "history JOIN (SELECT at AS point, count(*) AS hosts FROM history GROUP BY at) ON point = at"


def seal(table: str, *values: Value) -> int:
    """The seal of a row: its columns in the order of `TABLES`; of a point of the past also the number of its hosts."""
    return zlib.crc32("\0".join([table, *map(_written, values)]).encode())


def chained(chain: int, hashes: bytes, hows: bytes) -> int:
    """The chain of a month after one more part of those who were counted."""
    return zlib.crc32(hows, zlib.crc32(hashes, chain))


def teach(connection: sqlite3.Connection) -> None:
    """Has SQLite know what a seal is."""
    connection.create_function("crc32", 1, zlib.crc32, deterministic=True)
    connection.create_function("written", 1, _written, deterministic=True)
    connection.create_function("first_seal_of", -1, _first_seal, deterministic=True)


def are_whole(connection: sqlite3.Connection, table: str) -> bool:
    """Whether each row of a table is as it was written."""
    rows, hosts = (_WITH_HOSTS, "hosts") if table == "history" else (table, "")
    damaged = connection.execute(f"SELECT EXISTS (SELECT 1 FROM {rows} WHERE NOT {whole(table, hosts)})")
    return bool(damaged.fetchone() == (0,))


def whole(table: str, hosts: str = _HOSTS_OF_POINT) -> str:
    """The condition that a row of a table is as it was written; `hosts` is what tells how many a past point has."""
    columns = TABLES[table].items()
    kinds = [f"typeof({name}) IN ({_quoted(kind)})" for name, kind in columns]
    values = [_WRITTEN.get(kind, "{}").format(name) for name, kind in columns]
    text = " || char(0) || ".join([f"'{table}'", *values, *([hosts] if table == "history" else [])])
    return f"({' AND '.join(kinds)} AND ifnull(seal = crc32(CAST({text} AS BLOB)), 0))"


def seal_all(connection: sqlite3.Connection) -> None:
    """Seals each row that is not sealed as it is, but those that can't be what was once written."""
    for table in TABLES:
        connection.execute(f"UPDATE {table} SET seal = first_seal_of({_arguments(table)}) WHERE NOT {whole(table)}")


def _arguments(table: str) -> str:
    """A row's columns for `first_seal_of`. Text goes as its bytes: damaged it may be no text any more."""
    values = [f"iif(typeof({name}) = 'text', CAST({name} AS BLOB), {name})" for name in TABLES[table]]
    return ", ".join([f"'{table}'", *values, *([_HOSTS_OF_POINT] if table == "history" else [])])


def _quoted(kinds: str) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds.split(" or "))


def _written(value: Value) -> str:
    """A value as it goes into a seal, the same as SQLite has it there."""
    match value:
        case str():
            return value
        case bytes():
            return value.hex().upper()
        case None:
            return "null"
        case _:
            return repr(value)


def _first_seal(table: str, *values: Value) -> int | None:
    """The seal of a row that was written before there were seals; None where it can't have been written so."""
    try:
        row = {
            name: value.decode() if kind == "text" and isinstance(value, bytes) else value
            for (name, kind), value in zip(TABLES[table].items(), values, strict=False)
        }
        hosts = values[len(row) :]
        return seal(table, *row.values(), *hosts) if _is_likely(table, row) else None
    except (ValueError, TypeError, KeyError):
        return None


def _is_likely(table: str, row: Mapping[str, Value]) -> bool:
    """Whether a row could be one of ours. Raises ValueError, TypeError or KeyError where it could not."""
    if "month" in row and not is_month(str(row["month"])):
        return False
    if table == "months":
        return row["quality"] in {quality.value for quality in Quality} and row["closed"] in (0, 1)
    if table == "counts":
        return isinstance(row["users"], int) and row["users"] > 0
    if table == "imported":
        return row["kind"] in ("cell", "place", "client") and isinstance(row["users"], int) and row["users"] >= 0
    if table == "history":
        return all(_is_count(count) for count in json.loads(str(row["counts"])))
    return True


def _is_count(count: list[object]) -> bool:
    """Whether it is country, client and three or four numbers."""
    country, client, *users = count
    return (
        isinstance(country, str | None)
        and isinstance(client, str)
        and len(users) in (3, 4)
        and all(isinstance(number, int | None) for number in users)
    )
