"""The state as an embedded SQLite file, for the one engine that holds its lock; others may read it."""

import contextlib
import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType

from headcount.errors import NoPermissionError, StateError
from headcount.snapshot import HistoryCounts, HistoryKey, HistoryPoint, Mark, Past, PlaceName
from headcount.state import Saved, SavedHost, Update
from headcount.state.columns import columns, place_of
from headcount.state.files import connect_to_read, foreign, identity_of, lock, make, set_aside
from headcount.state.months import forget_after, load_counted, load_months, prune, save_host
from headcount.state.schema import VERSION, is_foreign, upgrade, version_of


class SqliteState:
    """The state in the file at `path`, made with its directory if it is not there.

    A corrupt one is set aside, never overwritten, and a new one begun: `notices` says so. With `read_only` nothing is
    made, locked or written, and a file that is not there is empty. Raises StateLockedError where another engine holds
    it, StateError where it is of a newer version or can't be used, NoPermissionError where it can't be written.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.notices: tuple[str, ...] = ()
        self._path = path
        self._read_only = read_only
        self._scrub_is_due = False
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        try:
            with self._explained():
                if not read_only:
                    self._lock = lock(path)
                    self._connection = self._opened_to_keep()
                    self._identity = identity_of(path)
                elif path.exists():
                    self._connection = self._opened_to_read()
        except BaseException:
            self.close()
            raise

    def _opened_to_keep(self) -> sqlite3.Connection:
        try:
            connection = self._prepared()
        except sqlite3.DatabaseError as error:
            if not _is_corrupt(error):
                raise
            aside = set_aside(self._path)
            self.notices += (
                f"The state {self._path} was corrupt ({error}) and is set aside as {aside.name}; "
                "what the server's files still tell was counted anew.",
            )
            os.close(make(self._path))
            connection = self._prepared()
        return connection

    def _prepared(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False)
        try:
            self._refuse_foreign(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA busy_timeout = 5000")
            _check(connection)
            self._refuse_newer(connection)
            upgrade(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _opened_to_read(self) -> sqlite3.Connection | None:
        with contextlib.ExitStack() as opened:
            connection = opened.enter_context(contextlib.closing(connect_to_read(self._path)))
            self._refuse_foreign(connection)
            self._refuse_newer(connection)
            version = version_of(connection)
            if version == 0:  # an engine is just making it
                return None
            if version < VERSION:  # what may not be changed is upgraded in a copy
                copy = sqlite3.connect(":memory:", check_same_thread=False)
                connection.backup(copy)
                upgrade(copy)
                return copy
            opened.pop_all()
            return connection

    @property
    def is_read_only(self) -> bool:
        """Whether nothing is kept."""
        return self._read_only

    def load(self, *, counted: bool = True) -> Saved:
        """What was kept; without `counted`, not yet who was counted in the open months (`load_counted`)."""
        saved = Saved()
        if self._connection is None:
            return saved
        with self._explained(), _one_moment(self._connection) as connection:
            for host, since, alive in connection.execute("SELECT host, followed_since, alive_at FROM hosts"):
                saved.hosts[host] = SavedHost(since, alive)
            load_months(connection, saved)
            points: dict[int, dict[str, HistoryCounts]] = defaultdict(dict)
            for at, host, counts in connection.execute("SELECT at, host, counts FROM history ORDER BY at"):
                points[at][host] = _KeptCounts(counts)
            saved.history = [HistoryPoint(at, hosts) for at, hosts in points.items()]
            for country, subdivision, city, *names in connection.execute("SELECT * FROM place_names"):
                saved.names[place_of(country, subdivision, city)] = PlaceName(*names)
            kept = dict(connection.execute("SELECT name, value FROM kept"))
            saved.marks = [Mark(*row) for row in connection.execute("SELECT at, geo FROM marks ORDER BY at")]
            saved.geo, saved.index, saved.clock = kept.get("geo"), kept.get("index"), kept.get("clock")
            saved.zone, saved.pruned_before = kept.get("zone"), kept.get("pruned_before")
            saved.live = dict(connection.execute("SELECT name, value FROM live"))
        if counted:
            self.load_counted(saved)
        return saved

    def load_counted(self, saved: Saved) -> None:
        """Adds to the open months who was counted in them."""
        if self._connection is None:
            return
        with self._explained():
            for host, of_host in saved.hosts.items():
                for name, month in of_host.months.items():
                    if month.key is not None:
                        load_counted(self._connection, host, name, month)

    def save(self, update: Update) -> None:
        """Keeps a change in one transaction; read-only, keeps nothing."""
        if self._connection is None or self._read_only:
            return
        self._refuse_lost()
        with self._explained(), self._connection as connection:
            if update.nothing_after is not None:
                forget_after(connection, *update.nothing_after)
            for host in update.hosts:
                save_host(connection, host)
            connection.executemany("DELETE FROM history WHERE at = ?", [(at,) for at in update.forgotten_history])
            connection.executemany(
                "INSERT OR REPLACE INTO history VALUES (?, ?, ?)",
                [
                    (point.when, host, json.dumps([[*key, *users] for key, users in counts.items()]))
                    for point in update.history
                    for host, counts in point.hosts.items()
                ],
            )
            if update.marks_forgotten_before is not None:
                connection.execute("DELETE FROM marks WHERE at < ?", (update.marks_forgotten_before,))
            connection.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?)", update.marks)
            connection.executemany(
                "INSERT OR REPLACE INTO place_names VALUES (?, ?, ?, ?, ?, ?)",
                [(*columns(place), *name) for place, name in update.names.items()],
            )
            said = {"zone": update.zone, "geo": update.geo, "index": update.index, "clock": update.clock}
            connection.executemany(
                "INSERT OR REPLACE INTO kept VALUES (?, ?)",
                [(name, value) for name, value in said.items() if value is not None],
            )
            if update.pruned_before is not None:
                prune(connection, update.pruned_before)
            connection.executemany("INSERT OR REPLACE INTO live VALUES (?, ?)", list(update.live.items()))
        forgets = update.pruned_before is not None or update.nothing_after is not None
        forgets = forgets or any(
            change.closed or change.anew for host in update.hosts for _, change in host.months.values()
        )
        self._scrub_is_due = self._scrub_is_due or forgets
        if self._scrub_is_due:
            self._scrub()

    def changes(self) -> int:
        """A number that differs when somebody else has kept something since."""
        with self._explained():
            number: int = self._connection.execute("PRAGMA data_version").fetchone()[0] if self._connection else 0
        return number

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

    def _scrub(self) -> None:
        """Sees to it that what was deleted is in no byte of the files any more: neither in free pages, which
        `secure_delete` overwrites, nor in the log of earlier writes. A reader may hold that up; then the next time."""
        assert self._connection is not None
        with self._explained():
            self._connection.execute("VACUUM")
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._scrub_is_due = bool(busy)

    def _refuse_lost(self) -> None:
        """SQLite goes on in a file that has no name any more, and whose end is that of the process."""
        if self._identity != identity_of(self._path):
            raise StateError(f"The state {self._path} is not where it was.", "Put it back, or start the engine anew.")

    def _refuse_foreign(self, connection: sqlite3.Connection) -> None:
        if is_foreign(connection):
            raise foreign(self._path)

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
        except PermissionError:
            raise NoPermissionError(
                f"No permission to write the state {self._path}.", "Name another one with --state FILE."
            ) from None
        except sqlite3.DatabaseError as error:
            if _is_corrupt(error):
                raise StateError(
                    f"The state {self._path} can't be read: {error}.",
                    "Move it away, and Headcount begins a new one.",
                ) from None
            raise StateError(f"The state {self._path} can't be used: {error}.", _mend(error)) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StateError(f"The state {self._path} can't be used: {error}.") from None


@contextlib.contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Has everything that is read be of one moment, whatever another process keeps meanwhile."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.rollback()


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    """SQLITE_CORRUPT ("database disk image is malformed") and SQLITE_NOTADB ("file is not a database") come as the
    bare class; what may pass, such as a full disk or a lock, comes as one of its children."""
    return type(error) is sqlite3.DatabaseError


def _mend(error: sqlite3.DatabaseError) -> str:
    """What mends it, by SQLite's primary code; nothing where that is not for the operator to do."""
    mends = {
        sqlite3.SQLITE_FULL: "Free some space where it lies.",
        sqlite3.SQLITE_BUSY: "End the other program that writes it.",
        sqlite3.SQLITE_LOCKED: "End the other program that writes it.",
        sqlite3.SQLITE_READONLY: "Make it, and its directory, writable.",
        sqlite3.SQLITE_CANTOPEN: "Make it, and its directory, writable.",
        sqlite3.SQLITE_IOERR: "Look after the disk that it lies on.",
    }
    return mends.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")


def _check(connection: sqlite3.Connection) -> None:
    """Raises what SQLite itself would raise of a corrupt database, before anything is built on it."""
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("database disk image is malformed")


class _KeptCounts(Mapping[HistoryKey, Past]):
    """The counts of a past point, not unpacked before somebody looks: years of them are rarely looked at."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _counts(self) -> HistoryCounts:
        return {HistoryKey(row[0], row[1]): Past(*row[2:]) for row in json.loads(self._text)}

    def __getitem__(self, key: HistoryKey) -> Past:
        return self._counts[key]

    def __iter__(self) -> Iterator[HistoryKey]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)
