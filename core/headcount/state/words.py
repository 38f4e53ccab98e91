"""What SQLite and the file system refuse, in words that name the state's file, and nothing that is in it."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from headcount.errors import NoPermissionError, StateError

_WORDS = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space where it lies."),
    sqlite3.SQLITE_BUSY: ("the database is locked", "End the other program that writes it."),
    sqlite3.SQLITE_LOCKED: ("the database is locked", "End the other program that writes it."),
    sqlite3.SQLITE_READONLY: ("it is read-only", "Make it, and its directory, writable."),
    sqlite3.SQLITE_CANTOPEN: ("it can't be opened", "Make it, and its directory, writable."),
    sqlite3.SQLITE_IOERR: ("the disk failed", "Look after the disk that it lies on."),
}
"""Why, and what fixes it, by SQLite's primary code. Its own words may quote what is in a damaged file."""
_PASSING = frozenset(_WORDS) | {sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM}


def is_damage(error: BaseException) -> bool:
    """Whether it says that the file holds what it should not: whatever does not come from around it."""
    if isinstance(error, sqlite3.Error):
        return _code(error) not in _PASSING
    return isinstance(error, (ValueError, TypeError, KeyError, IndexError, OverflowError))


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raises StateError or NoPermissionError for what SQLite and the file system refuse."""
    try:
        yield
    except PermissionError:
        raise NoPermissionError(
            f"No permission to write the state {path}.", "Name another one with --state FILE."
        ) from None
    except sqlite3.Error as error:
        if is_damage(error):
            raise StateError(
                f"The state {path} is damaged.", "Start the engine again: it carries over what is whole."
            ) from None
        why, hint = _WORDS.get(_code(error), (_name(error), ""))
        raise StateError(f"The state {path} can't be used: {why}.", hint) from None
    except OSError as error:
        raise StateError(f"The state {path} can't be used: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise StateError(f"The state {path} can't be used: {type(error).__name__}.") from None


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code; 0 where it is Python that complains."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
