"""Reads a damaged SQLite file as far as it goes, into memory; nothing is written to it, nor made beside it.

What a file begins with is the same in each state of a version, but for what SQLite can do without here: so it is put
right before anything else. The rows of a table are read from both of its ends up to what is damaged, and those of the
hosts' months by themselves.
"""

import sqlite3
import struct
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from headcount.state.files import MAGIC
from headcount.state.schema import OURS, STEPS, VERSION, upgrade, version_of
from headcount.state.seals import teach

PAGE: Final = 4096
_FRAME: Final = struct.Struct(">II8s8x")
_WAL_HEAD: Final = 32
_UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)
"""What comes of damage; SQLite's words for it may quote what is no text."""
_BY_MONTH: Final = ("counts", "imported", "counted")


def lenient(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A connection that fails over no text, and knows what seals are."""
    connection.text_factory = _text
    teach(connection)
    return connection


def _text(data: bytes) -> str | bytes:
    """A text; what is none stays as it is, and so is never taken for one."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def in_memory() -> sqlite3.Connection:
    """A database that is in no file."""
    return lenient(sqlite3.connect(":memory:", check_same_thread=False))


def rescued(path: Path) -> sqlite3.Connection:
    """What can be read of a state, in a new one of this version, in memory; one without a row where that is nothing."""
    pages = _pages(path)
    for image in (pages, _template() + pages[PAGE:]):
        with closing(_opened(_with_head_repaired(image))) as damaged:
            version = _version(damaged)
            if version is not None:
                return _copied(damaged, version)
    new = in_memory()
    upgrade(new)
    return new


def is_ours(path: Path) -> bool:
    """Whether the tables of a state are in a file, whatever it begins with."""
    with closing(_opened(_with_head_repaired(_pages(path)))) as damaged:
        return _version(damaged) is not None


def _pages(path: Path) -> bytearray:
    """The file's pages, as those of the log of writes that belongs to it have them."""
    pages = bytearray(path.read_bytes())
    pages += bytes(-len(pages) % PAGE or (0 if pages else PAGE))
    log = path.with_name(path.name + "-wal")
    written = log.read_bytes() if log.exists() else b""
    waiting: list[tuple[int, bytes]] = []
    for at in range(_WAL_HEAD, len(written) - _FRAME.size - PAGE + 1, _FRAME.size + PAGE):
        number, size, salt = _FRAME.unpack_from(written, at)
        if salt != written[16:24] or not 0 < number <= len(pages) // PAGE + len(written) // PAGE:
            break
        waiting.append((number, written[at + _FRAME.size : at + _FRAME.size + PAGE]))
        if size:  # the last one of a transaction
            for place, page in waiting:
                pages += bytes(max(0, place * PAGE - len(pages)))
                pages[(place - 1) * PAGE : place * PAGE] = page
            waiting = []
    return pages


def _with_head_repaired(pages: bytearray) -> bytes:
    """The pages, beginning with what SQLite's file format has there in any state; it needs no more of it to read."""
    first = pages[:PAGE]
    first[:24] = MAGIC + struct.pack(">H", PAGE) + bytes((1, 1, 0, 64, 32, 32))
    first[28:40] = struct.pack(">III", len(pages) // PAGE, 0, 0)
    first[44:60] = struct.pack(">IIII", 4, 0, 0, 1)
    first[64:72] = struct.pack(">II", 0, OURS)
    first[72:92] = bytes(20)
    first[92:96] = first[24:28]
    return bytes(first + pages[PAGE:])


@cache
def _template() -> bytearray:
    """The first page of a state of this version: where each of its tables begins."""
    with closing(in_memory()) as new:
        upgrade(new)
        return bytearray(new.serialize()[:PAGE])


def _opened(image: bytes) -> sqlite3.Connection:
    connection = in_memory()
    connection.deserialize(image)
    return connection


def _version(damaged: sqlite3.Connection) -> int | None:
    """The version whose tables these are; None where they can't be known."""
    try:
        tables = _tables(damaged)
    except _UNREADABLE:
        return None
    return next((version for version in range(VERSION, 0, -1) if _tables_of(version) == tables), None)


@cache
def _tables_of(version: int) -> dict[str, tuple[str, ...]]:
    with closing(_empty(version)) as new:
        return _tables(new)


def _empty(version: int) -> sqlite3.Connection:
    """A state of an older version, or of this one, without a row."""
    new = in_memory()
    new.executescript(f"{''.join(STEPS[:version])}PRAGMA user_version = {version};")
    return new


def _tables(connection: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: _columns(connection, name) for name in names}


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,)))


def _copied(damaged: sqlite3.Connection, version: int) -> sqlite3.Connection:
    new = _empty(version)
    for table, columns in _tables_of(version).items():
        names = ", ".join(columns)
        put = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
        order = [row[0] for row in new.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,))]
        back = ", ".join(f"{name} DESC" for name in order)
        every = f"SELECT {names} FROM {table} NOT INDEXED"
        if not (_copy(damaged, new, every, put) or _copy(damaged, new, f"{every} ORDER BY {back}", put)):
            _copy_by_month(damaged, new, table, names, put)
    new.commit()
    if version_of(new) < VERSION:
        upgrade(new)
    return new


def _copy_by_month(damaged: sqlite3.Connection, new: sqlite3.Connection, table: str, names: str, put: str) -> None:
    """Copies what a table has of each month that is known of."""
    if table in _BY_MONTH:
        for of_month in new.execute("SELECT host, month FROM months").fetchall():
            _copy(damaged, new, f"SELECT {names} FROM {table} WHERE host = ? AND month = ?", put, of_month)


def _copy(damaged: sqlite3.Connection, new: sqlite3.Connection, wanted: str, put: str, of: Iterable[str] = ()) -> bool:
    """Copies rows until one can't be read; whether there was none such."""
    try:
        for row in damaged.execute(wanted, tuple(of)):
            new.execute(put, row)
    except _UNREADABLE:
        return False
    return True
