"""Opens the file of a state: to keep it, which sets a damaged one aside and goes on from what of it is whole, or to
read it, which does the same in memory."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from headcount.errors import StateError
from headcount.state.check import is_whole, noted_version
from headcount.state.files import MAGIC, connect_to_read, foreign, has_lock, is_empty, is_locked, make, set_aside
from headcount.state.repair import Repaired, repair
from headcount.state.rescue import in_memory, is_ours, lenient, rescued
from headcount.state.schema import OURS, SEALED_SINCE, VERSION, is_begun, is_foreign, upgrade, version_of
from headcount.state.words import is_damage

_MENDING = ".mending"


class _DamagedError(Exception):
    """The file is not as it was written."""


class Look(NamedTuple):
    """A state to read: None where an engine is just making it. `damage` is what is wrong with it; `is_still` says that
    SQLite takes it for one that nobody writes."""

    connection: sqlite3.Connection | None
    damage: str = ""
    is_still: bool = False


def opened_to_keep(path: Path, *, is_new: bool) -> tuple[sqlite3.Connection, tuple[str, ...]]:
    """The state, and what became of an earlier one in words: where it was damaged, a new one begins with all that is
    whole of it. Raises StateError for one of somebody else's or of a newer version."""
    if is_empty(path) and not is_new:
        return _begun_instead(path, "was empty, as a file is after a power cut,")
    try:
        return _prepared(path), ()
    except Exception as error:
        if not _is_damage(error):
            raise
    return _begun_instead(path, "was corrupt")


def _begun_instead(path: Path, was: str) -> tuple[sqlite3.Connection, tuple[str, ...]]:
    """The state in place of one that is set aside, and what became of that in words. It has its name only once it is
    there in whole."""
    beside = path.with_name(path.name + _MENDING)
    beside.unlink(missing_ok=True)
    try:
        with contextlib.closing(rescued(path)) as copy:
            repaired = repair(copy)
            os.close(make(beside))
            with contextlib.closing(sqlite3.connect(beside)) as new:
                copy.backup(new)
        aside = set_aside(path, beside)
    finally:
        beside.unlink(missing_ok=True)
    said = f"The state {path} {was} and is set aside as {aside.name}. {_summary(repaired)}"
    return _prepared(path), (f"{said} Delete the old one when you need it no more: keys of open months may be in it.",)


def opened_to_read(path: Path) -> Look:
    """The state, to look at; of a damaged one what is whole."""
    if is_empty(path) and not is_locked(path):
        return Look(None, f"The state {path} is empty, as a file is after a power cut: nothing is known from it.")
    try:
        return _readable(path)
    except Exception as error:
        if not _is_damage(error):
            raise
    if not has_lock(path) and not is_ours(path):
        raise StateError(f"The state {path} can't be read.", "Move it away, and Headcount begins a new one.")
    copy = rescued(path)
    return Look(copy, f"The state {path} is damaged. {_summary(repair(copy))}")


def _is_damage(error: Exception) -> bool:
    return isinstance(error, _DamagedError) or is_damage(error)


def _summary(repaired: Repaired) -> str:
    return (
        f"Undamaged months, kept: {repaired.whole}. Damaged months, now lower bounds (≥) from the server's files: "
        f"{repaired.weakened}."
    )


def _prepared(path: Path) -> sqlite3.Connection:
    _look_at_head(path)
    connection = lenient(sqlite3.connect(path, check_same_thread=False))
    try:
        _refuse_others(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA busy_timeout = 5000")
        _require_sound(connection)
        upgrade(connection)
        _require_whole(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _readable(path: Path) -> Look:
    _look_at_head(path)
    with contextlib.ExitStack() as opened:
        connection, is_still = connect_to_read(path)
        opened.enter_context(contextlib.closing(lenient(connection)))
        _refuse_others(connection, path)
        version = version_of(connection)
        if version == 0:  # an engine is just making it
            return Look(None, is_still=is_still)
        _require_sound(connection)
        if version < VERSION:  # what may not be changed is upgraded in a copy
            copy = in_memory()
            connection.backup(copy)
            upgrade(copy)
            _require_whole(copy)
            return Look(copy, is_still=is_still)
        _require_whole(connection)
        opened.pop_all()
        return Look(connection, is_still=is_still)


def _look_at_head(path: Path) -> None:
    """Looks at what a state's file begins with, whatever it holds: SQLite would go by it, and fail in ways that look
    like others' problems."""
    with path.open("rb") as file:
        head = file.read(100)
    if not head:
        return
    is_usual = (
        (head[16:18], head[20:24]) == (b"\x10\0", bytes((0, 64, 32, 32)))
        and {head[18], head[19]} <= {1, 2}
        and int.from_bytes(head[44:48], "big") in (0, 4)  # 0 as long as all tables are in the log of writes
        and int.from_bytes(head[56:60], "big") in (0, 1)
    )
    says_ours = int.from_bytes(head[68:72], "big") == OURS
    if not head.startswith(MAGIC) or (not is_usual and (says_ours or is_ours(path))):
        raise _DamagedError


def _refuse_others(connection: sqlite3.Connection, path: Path) -> None:
    """Refuses a database of somebody else's, and one of a newer Headcount's."""
    if is_foreign(connection):
        raise foreign(path)
    if not is_begun(connection):
        return
    version = version_of(connection)
    if connection.execute("PRAGMA application_id").fetchone()[0] != OURS or version == 0:
        raise _DamagedError
    is_sealed = connection.execute("SELECT count(*) FROM pragma_table_info('counts') WHERE name = 'seal'").fetchone()[0]
    said = noted_version(connection) if is_sealed else None
    if said is not None and said == version > VERSION:
        raise StateError(f"The state {path} was written by a newer Headcount.", "Upgrade Headcount to use it.")
    if version > VERSION or (is_sealed and said != version) or (not is_sealed and version >= SEALED_SINCE):
        raise _DamagedError


def _require_sound(connection: sqlite3.Connection) -> None:
    """Has SQLite look at all of the file before anything is built on it."""
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _DamagedError


def _require_whole(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    try:
        if not is_whole(connection):
            raise _DamagedError
    finally:
        connection.rollback()
