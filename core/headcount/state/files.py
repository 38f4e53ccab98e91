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
    is made 0700), and for the group too where their directory is there already and lets the group in, and nobody else.
    Raises StateLockedError, and StateError for a file that is no state and never was.
    """
    refuse_devices(path)
    _refuse_foreign(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(make(path))
    refuse_devices(_lock_file(path))
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
    """Opens a file of the state, made with its rights where it is not there; its descriptor. One that is there and is
    ours has no more rights than it would be made with."""
    directory = path.parent.stat().st_mode
    for_group = directory & stat.S_IRGRP and not directory & stat.S_IRWXO
    mode = 0o640 if for_group else 0o600
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    found = os.fstat(opened)
    if found.st_uid == os.geteuid() and found.st_mode & 0o777 & ~mode:
        os.fchmod(opened, found.st_mode & mode)
    return opened


def is_empty(path: Path) -> bool:
    """Whether there is such a file, and nothing in it."""
    return path.is_file() and path.stat().st_size == 0


def stamp_of(path: Path) -> tuple[int, int, int, int] | None:
    """What tells that a file was written to, or became another one; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def identity_of(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one of its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def refuse_devices(path: Path) -> None:
    """What is there and is no file is left alone: a device would lose its rights to us for all others, a pipe would
    keep us waiting for ever."""
    if path.exists() and not path.is_file():
        raise StateError(f"The state {path} can't be used: it is no file.", "Name a file with --state FILE.")


def _refuse_foreign(path: Path) -> None:
    """A file without a lock beside it that does not begin as a database does was never a state: it is left alone."""
    if not path.is_file() or has_lock(path):
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


def connect_to_read(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Opens the file so that nothing is made beside it; and whether SQLite takes it for one that nobody writes.

    Without a -wal nobody is writing, and it is whole; but whoever begins to meanwhile is not noticed (`stamp_of`).
    """
    is_still = not path.with_name(path.name + "-wal").exists()
    how = "mode=ro&immutable=1" if is_still else "mode=ro"
    return sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, check_same_thread=False), is_still


def set_aside(path: Path, instead: Path) -> Path:
    """Gives a state, with what SQLite has beside it, a name that was free, and its own name to the file `instead`;
    returns the free name. There is a state of that name at any moment, however the process ends."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    try:
        os.link(path, aside)
    except OSError:  # a file system without hard links
        path.rename(aside)
    for suffix in BESIDE:
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    instead.replace(path)
    return aside


def has_lock(path: Path) -> bool:
    """Whether an engine ever kept the state."""
    return _lock_file(path).exists()


def _lock_file(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
