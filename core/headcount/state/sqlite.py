"""The state as an embedded SQLite file, for the one engine that holds its lock; others may read it."""

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from types import TracebackType

from headcount.errors import StateError
from headcount.snapshot import HistoryCounts, HistoryKey, HistoryPoint, Mark, Past, PlaceName
from headcount.state import Saved, SavedHost, Update
from headcount.state.check import keep, note_rows
from headcount.state.files import identity_of, lock, refuse_devices, stamp_of
from headcount.state.months import forget_after, load_counted, load_months, prune, save_host
from headcount.state.opening import Look, opened_to_keep, opened_to_read
from headcount.state.place_columns import columns, place_of
from headcount.state.seals import Value, seal
from headcount.state.words import explained

_LOOKS = 10
"""Times that a state is read again at the most where an engine began to write it meanwhile."""


class SqliteState:
    """The state in the file at `path`, made with its directory if it is not there.

    A damaged one is set aside, never overwritten, and a new one begun with all that is whole of it: `notices` says so.
    With `read_only` nothing is made, locked or written, a file that is not there is empty, and `Saved.damage` says
    what is wrong. Raises StateLockedError where another engine holds it, StateError where it is of a newer version or
    can't be used, NoPermissionError where it can't be written.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.notices: tuple[str, ...] = ()
        self._path = path
        self._read_only = read_only
        self._scrub_is_due = False
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._look = Look(None)
        self._stamp: tuple[int, ...] | None = None
        try:
            with explained(path):
                if not read_only:
                    is_new = not path.exists()
                    self._lock = lock(path)
                    self._connection, self.notices = opened_to_keep(path, is_new=is_new)
                    self._identity = identity_of(path)
                else:
                    refuse_devices(path)
                    self._open_to_read()
        except BaseException:
            self.close()
            raise

    def _open_to_read(self) -> None:
        for _ in range(_LOOKS):
            self.close()
            self._stamp = stamp_of(self._path)
            if self._stamp is None:
                return
            self._look = opened_to_read(self._path)
            self._connection = self._look.connection
            if not self._was_written():
                return

    def _was_written(self) -> bool:
        """Whether somebody wrote to the file which was taken for one that nobody writes."""
        return (self._look.is_still or bool(self._look.damage)) and stamp_of(self._path) != self._stamp

    @property
    def is_read_only(self) -> bool:
        """Whether nothing is kept."""
        return self._read_only

    def load(self, *, counted: bool = True) -> Saved:
        """What was kept, all of one moment; without `counted`, not yet who was counted in the open months."""
        with explained(self._path):
            for _ in range(_LOOKS):
                saved = self._loaded_if_still(counted=counted)
                if saved is not None:
                    return saved
                self._open_to_read()
            raise StateError(f"The state {self._path} is written again and again.", "Try once more.")

    def load_counted(self, saved: Saved) -> None:
        """Adds to the open months who was counted in them. Of a state that others write, everything is of the moment
        of this then."""
        if self._read_only:
            now = self.load()
            for field in fields(saved):
                setattr(saved, field.name, getattr(now, field.name))
        elif self._connection is not None:
            with explained(self._path):
                _load_counted(self._connection, saved)

    def _loaded_if_still(self, *, counted: bool) -> Saved | None:
        """What was kept; None where somebody wrote it unnoticed meanwhile."""
        try:
            saved = self._loaded(counted=counted)
        except Exception:
            if self._was_written():
                return None
            raise
        return None if self._was_written() else saved

    def _loaded(self, *, counted: bool) -> Saved:
        saved = Saved(damage=self._look.damage)
        if self._connection is None:
            return saved
        with _one_moment(self._connection) as connection:
            for host, since, alive in connection.execute("SELECT host, followed_since, alive_at FROM hosts"):
                saved.hosts[host] = SavedHost(since, alive)
            load_months(connection, saved)
            points: dict[int, dict[str, HistoryCounts]] = defaultdict(dict)
            for at, host, counts in connection.execute("SELECT at, host, counts FROM history ORDER BY at"):
                points[at][host] = _KeptCounts(counts)
            saved.history = [HistoryPoint(at, hosts) for at, hosts in points.items()]
            for country, subdivision, city, *names in connection.execute(
                "SELECT country, subdivision, city, country_name, subdivision_name, city_name FROM place_names"
            ):
                saved.names[place_of(country, subdivision, city)] = PlaceName(*names)
            kept = dict(connection.execute("SELECT name, value FROM kept"))
            saved.marks = [Mark(*row) for row in connection.execute("SELECT at, geo FROM marks ORDER BY at")]
            saved.geo, saved.index, saved.clock = kept.get("geo"), kept.get("index"), kept.get("clock")
            saved.there = frozenset(json.loads(kept["there"])) if "there" in kept else None
            saved.zone, saved.pruned_before = kept.get("zone"), kept.get("pruned_before")
            saved.live = dict(connection.execute("SELECT name, value FROM live"))
            if counted:
                _load_counted(connection, saved)
        return saved

    def save(self, update: Update) -> None:
        """Keeps a change in one transaction; read-only, keeps nothing."""
        if self._connection is None or self._read_only:
            return
        self._refuse_lost()
        with explained(self._path), self._connection as connection:
            if update.nothing_after is not None:
                forget_after(connection, *update.nothing_after)
            for host in update.hosts:
                save_host(connection, host)
            _save_history(connection, update)
            if update.marks_forgotten_before is not None:
                connection.execute("DELETE FROM marks WHERE at < ?", (update.marks_forgotten_before,))
            _save_rows(connection, "marks", [(float(mark.when), mark.geo) for mark in update.marks])
            _save_rows(connection, "place_names", [(*columns(place), *name) for place, name in update.names.items()])
            there = None if update.there is None else json.dumps(sorted(update.there))
            said = {
                "zone": update.zone,
                "geo": update.geo,
                "index": update.index,
                "clock": update.clock,
                "there": there,
            }
            for name, value in {**said, "pruned_before": update.pruned_before}.items():
                if value is not None:
                    keep(connection, name, value)
            if update.pruned_before is not None:
                prune(connection, update.pruned_before)
            _save_rows(connection, "live", list(update.live.items()))
            note_rows(connection)
        forgets = update.pruned_before is not None or update.nothing_after is not None
        forgets = forgets or any(
            change.closed or change.replaces_all for host in update.hosts for _, change in host.months.values()
        )
        self._scrub_is_due = self._scrub_is_due or forgets
        if self._scrub_is_due:
            self._scrub()

    def changes(self) -> int:
        """A number that differs when somebody else has kept something since."""
        with explained(self._path):
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
        with explained(self._path):
            self._connection.execute("VACUUM")
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._scrub_is_due = bool(busy)

    def _refuse_lost(self) -> None:
        """SQLite goes on in a file that has no name any more, and whose end is that of the process."""
        if self._identity != identity_of(self._path):
            raise StateError(f"The state {self._path} is not where it was.", "Put it back, or start the engine again.")


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Has everything that is read be of one moment, whatever another process keeps meanwhile."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.rollback()


def _load_counted(connection: sqlite3.Connection, saved: Saved) -> None:
    for host, of_host in saved.hosts.items():
        for name, month in of_host.months.items():
            if month.key is not None:
                load_counted(connection, host, name, month)


def _save_history(connection: sqlite3.Connection, update: Update) -> None:
    """A point is sealed with the number of its hosts, so it is kept in whole."""
    gone = [*update.forgotten_history, *(point.when for point in update.history)]
    connection.executemany("DELETE FROM history WHERE at = ?", [(at,) for at in gone])
    for point in update.history:
        for host, counts in point.hosts.items():
            row = point.when, host, json.dumps([[*key, *users] for key, users in counts.items()])
            sealed = seal("history", *row, len(point.hosts))
            connection.execute("INSERT INTO history VALUES (?, ?, ?, ?)", (*row, sealed))


def _save_rows(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[Value, ...]]) -> None:
    """Keeps rows in place of those of the same keys."""
    if rows:
        marks = ", ".join("?" * (len(rows[0]) + 1))
        put = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"
        connection.executemany(put, [(*row, seal(table, *row)) for row in rows])


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
