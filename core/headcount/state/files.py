"""The files of a SQLite state: their names, their modes, the lock that one engine holds, a corrupt one set aside."""

import fcntl
import os
import sqlite3
import stat
import time
from pathlib import Path
from urllib.parse import quote

from headcount.errors import StateError, StateLockedError, UsageError

MAGIC = b"SQLite format 3\0"
PREFIX = "sqlite:///"
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite calls the files beside a database."""
_TRIES = 5


def path_of(url: str) -> Path:
    """The file that a state URL names: `sqlite:///relative`, `sqlite:////absolute` or a plain path."""
    if url.startswith(PREFIX):
        return Path(url.removeprefix(PREFIX))
    if "://" in url:
        raise UsageError(f"The state can't be kept in {url.split('://')[0]}.", "Use sqlite:////path/to/state.db.")
    return Path(url)


def lock(path: Path) -> int:
    """Makes the state's files where they are not there, and holds the state for this process alone.

    The lock goes with the process, however that ends. The files are for their owner alone (0600 in a directory that
    is made 0700), and for the group too where their directory is there already and lets the group in.
    Raises StateLockedError, and StateError for a file that is no state and never was.
    """
    _refuse_foreign(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(make(path))
    held = make(_lock_file(path))
    for left in reversed(range(_TRIES)):  # who looks whether the lock is held holds it for an instant
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(0.02)
        else:
            return held
    os.close(held)
    raise StateLockedError(
        f"Another Headcount engine keeps the state {path}.", "Stop it first, or name another one with --state FILE."
    )


def make(path: Path) -> int:
    """Opens a file of the state, made with its rights where it is not there; its descriptor."""
    mode = 0o640 if path.parent.stat().st_mode & stat.S_IRGRP else 0o600
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)


def identity_of(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one of its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _refuse_foreign(path: Path) -> None:
    """A file without a lock beside it that does not begin as a database does was never a state: it is left alone."""
    if not path.is_file() or _lock_file(path).exists():
        return
    with path.open("rb") as file:
        begins = file.read(len(MAGIC))
    if begins and begins != MAGIC:
        raise foreign(path)


def foreign(path: Path) -> StateError:
    """The error for a file that belongs to somebody else."""
    return StateError(f"{path} is no state of Headcount's.", "Name another file with --state FILE.")


def is_locked(path: Path) -> bool:
    """Whether an engine keeps the state now. Anybody who may read its lock can ask."""
    try:
        asked = os.open(_lock_file(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(asked, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(asked)
    return False


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Opens the file so that nothing is made beside it: without a -wal nobody is writing, and it is whole."""
    is_live = path.with_name(path.name + "-wal").exists()
    how = "mode=ro" if is_live else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, check_same_thread=False)


def set_aside(path: Path) -> Path:
    """Renames a state, with what SQLite has beside it, to a name that was free; returns that name."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    path.rename(aside)
    for suffix in BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside


def _lock_file(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
