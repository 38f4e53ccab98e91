"""The state as an embedded SQLite file, for the one engine that holds its lock; others may read it."""

import contextlib
import fcntl
import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from headcount.errors import HeadcountError, NoPermissionError, StateError, StateLockedError, UsageError
from headcount.monthly_visitors import Month
from headcount.snapshot import UNKNOWN, Cell, HistoryCounts, HistoryKey, HistoryPoint, Place, PlaceName, Quality
from headcount.state import HostUpdate, Saved, SavedHost, Update
from headcount.state.schema import VERSION, upgrade, version_of

PREFIX = "sqlite:///"


def path_of(url: str) -> Path:
    """The file that a state URL names: `sqlite:///relative`, `sqlite:////absolute` or a plain path."""
    if url.startswith(PREFIX):
        return Path(url.removeprefix(PREFIX))
    if "://" in url:
        raise UsageError(f"The state can't be kept in {url.split('://')[0]}.", "Use sqlite:////path/to/state.db.")
    return Path(url)


class SqliteState:
    """The state in the file at `path`, made with its directory if it is not there (0600 in 0700).

    Raises StateError where another engine holds it, it is corrupt or of a newer version; NoPermissionError where
    it can't be written. With `read_only` nothing is made, locked or written, and a file that is not there is empty.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None
        with self._explained():
            if not read_only:
                self._lock = _lock(path)
                self._connection = sqlite3.connect(path, check_same_thread=False)
                self._prepare(self._connection)
            elif path.exists():
                self._connection = _connect_read_only(path)
                self._refuse_newer(self._connection)
                if version_of(self._connection) == 0:  # an engine is just making it
                    self.close()

    def load(self) -> Saved:
        """What was kept."""
        saved = Saved()
        if self._connection is None:
            return saved
        with self._explained():
            connection = self._connection
            for host, since, alive in connection.execute("SELECT host, followed_since, alive_at FROM hosts"):
                saved.hosts[host] = SavedHost(since, alive)
            self._load_months(connection, saved)
            points: dict[int, dict[str, HistoryCounts]] = defaultdict(dict)
            for at, host, counts in connection.execute("SELECT at, host, counts FROM history ORDER BY at"):
                points[at][host] = _KeptCounts(counts)
            saved.history = [HistoryPoint(at, hosts) for at, hosts in points.items()]
            for country, subdivision, city, *names in connection.execute("SELECT * FROM place_names"):
                saved.names[_place(country, subdivision, city)] = PlaceName(*names)
        return saved

    def save(self, update: Update) -> None:
        """Keeps a change in one transaction; read-only, keeps nothing."""
        if self._connection is None or self._read_only:
            return
        with self._explained(), self._connection as connection:
            for host in update.hosts:
                _save_host(connection, host)
            connection.executemany(
                "INSERT OR REPLACE INTO history VALUES (?, ?, ?)",
                [
                    (point.when, host, json.dumps([[*key, *users] for key, users in counts.items()]))
                    for point in update.history
                    for host, counts in point.hosts.items()
                ],
            )
            connection.executemany("DELETE FROM history WHERE at = ?", [(at,) for at in update.forgotten_history])
            connection.executemany(
                "INSERT OR REPLACE INTO place_names VALUES (?, ?, ?, ?, ?, ?)",
                [(*_columns(place), *name) for place, name in update.names.items()],
            )

    def close(self) -> None:
        """Closes the file and lets go of the lock."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "SqliteState":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load_months(self, connection: sqlite3.Connection, saved: Saved) -> None:
        for host, month, quality, closed, key in connection.execute(
            "SELECT host, month, quality, closed, key FROM months"
        ):
            of_host = saved.hosts.setdefault(host, SavedHost())
            of_host.months[month] = Month(Quality(quality), key=key, closed=bool(closed))
        for host, month, country, subdivision, city, client, users in connection.execute("SELECT * FROM counts"):
            cell = Cell(_place(country, subdivision, city), client)
            saved.hosts[host].months[month].cells[cell] = users
        for host, month, digest, place in connection.execute("SELECT * FROM counted"):
            final = place is None
            saved.hosts[host].months[month].counted[digest] = (
                None if final else Cell(Place(*json.loads(place)), UNKNOWN)
            )

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA busy_timeout = 5000")
        self._refuse_newer(connection)
        upgrade(connection)

    def _refuse_newer(self, connection: sqlite3.Connection) -> None:
        if version_of(connection) > VERSION:
            raise StateError(
                f"The state {self._path} was written by a newer Headcount.", "Upgrade Headcount to use it."
            )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Tells what SQLite and the file system refuse, in words that name the file and nothing that is in it."""
        try:
            yield
        except HeadcountError:
            self.close()
            raise
        except PermissionError:
            self.close()
            raise NoPermissionError(
                f"No permission to write the state {self._path}.", "Name another one with --state FILE."
            ) from None
        except sqlite3.DatabaseError as error:
            if type(error) is sqlite3.DatabaseError:  # "file is not a database", "database disk image is malformed"
                raise StateError(
                    f"The state {self._path} can't be read: {error}.",
                    "Move it away, and Headcount begins a new one.",
                ) from None
            raise StateError(f"The state {self._path} can't be used: {error}.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StateError(f"The state {self._path} can't be used: {error}.") from None


class _KeptCounts(Mapping[HistoryKey, tuple[int, int, int]]):
    """The counts of a past point, not unpacked before somebody looks: years of them are rarely looked at."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _counts(self) -> HistoryCounts:
        return {HistoryKey(row[0], row[1]): (row[2], row[3], row[4]) for row in json.loads(self._text)}

    def __getitem__(self, key: HistoryKey) -> tuple[int, int, int]:
        return self._counts[key]

    def __iter__(self) -> Iterator[HistoryKey]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)


def _save_host(connection: sqlite3.Connection, update: HostUpdate) -> None:
    if update.followed_since is not None:
        connection.execute(
            "INSERT OR REPLACE INTO hosts VALUES (?, ?, ?)",
            (update.host, update.followed_since, update.alive_at),
        )
    for name, (month, change) in update.months.items():
        of_month = (update.host, name)
        connection.execute(
            "INSERT OR REPLACE INTO months VALUES (?, ?, ?, ?, ?)",
            (*of_month, month.quality.value, int(month.closed), month.key),
        )
        if change.closed:
            connection.execute("DELETE FROM counted WHERE host = ? AND month = ?", of_month)
        connection.executemany(
            "INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (*of_month, *_columns(cell.place), cell.client, month.cells[cell])
                for cell in change.cells
                if cell in month.cells
            ],
        )
        connection.executemany(
            "DELETE FROM counts WHERE host = ? AND month = ?"
            " AND country = ? AND subdivision = ? AND city = ? AND client = ?",
            [(*of_month, *_columns(cell.place), cell.client) for cell in change.cells if cell not in month.cells],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO counted VALUES (?, ?, ?, ?)",
            [
                (*of_month, digest, None if cell is None else json.dumps(cell.place))
                for digest in change.counted
                if (cell := month.counted.get(digest)) is not None or digest in month.counted
            ],
        )


def _columns(place: Place) -> tuple[str, str, int]:
    return place.country or "", place.subdivision or "", place.city or 0


def _place(country: str, subdivision: str, city: int) -> Place:
    return Place(country or None, subdivision or None, city or None)


def _lock(path: Path) -> int:
    """Holds the state for this process alone; the lock goes with the process, however it ends."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StateLockedError(
            f"Another Headcount engine keeps the state {path}.",
            "Stop it first, or name another one with --state FILE.",
        ) from None
    return lock


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Opens the file so that nothing is made beside it: without a -wal no engine is writing, and it is whole."""
    is_live = path.with_name(path.name + "-wal").exists()
    how = "mode=ro" if is_live else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, check_same_thread=False)
