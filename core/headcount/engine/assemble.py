"""Puts a run together from the settings: the source, the places, the clients, the state and their engine."""

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from headcount import __version__
from headcount.clients.patterns import ClientPatterns
from headcount.engine.engine import Engine
from headcount.engine.kept_snapshot import snapshot_of_running
from headcount.engine.options import Options
from headcount.engine.viewer import Viewer
from headcount.errors import NoDataError, NoPermissionError, StateLockedError, UsageError
from headcount.feed import Feed, Publish
from headcount.places.lookup import Places
from headcount.places.private_copies import Store
from headcount.records import NO_HOST, NOT_READABLE
from headcount.settings import Settings
from headcount.snapshot import Snapshot
from headcount.sources import Source
from headcount.sources.directory import DirectorySource
from headcount.state.files import is_locked
from headcount.state.restart_index import IndexKeeper
from headcount.state.sqlite import SqliteState
from headcount.user_keys import Keys
from headcount.where import state_file
from headcount.zones import zone_of

INDEX = ".index"
"""What the restart index is called, after the state that it goes with."""
GEO = ".geo"
"""The same for the directory of private copies of GeoIP files."""
PATIENCE = 0.5
"""Seconds that an engine waits for new GeoIP files to prove themselves before it shows first figures without them."""
LONGEST_LOOK = 120.0
"""Seconds after which it counts for good without those that have not."""
Keep = Literal["always", "if possible", "never"]


@dataclass(slots=True)
class Run:
    """An engine and what it runs on, and a feed itself. `described` says it in a line, for the log."""

    source: Source
    places: Places
    described: str
    _new: Callable[[], Engine]
    _look_first: Callable[[], AbstractContextManager[Engine]]
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine, which begins when all GeoIP files have proved themselves or failed to."""
        if self._engine is None:
            self.places.wait()
        return self.begin()

    def begin(self) -> Engine:
        """The engine, which begins with the GeoIP files that have proved themselves by now."""
        if self._engine is None:
            self._engine = self._new()
        return self._engine

    def run(self, publish: Publish, stop: threading.Event) -> None:
        """Runs the engine, as `Feed.run` says.

        Where a GeoIP file is new and there is no good one before it, first figures do not wait for its proof: they are
        those of an engine that keeps nothing. What is kept is counted once, so a month's users would be without their
        cities for ever because the file was a few seconds late.
        """
        if self._engine is None and self.places.is_pending:
            with self._look_first() as engine:
                engine.run(lambda shown: publish(shown) if self.places.is_pending else None, _Proved(self.places, stop))
            if stop.is_set():
                return
        self.begin().run(publish, stop)

    def read(self) -> Snapshot:
        """One reading of everything.

        Raises NoDataError where there is nothing to read or none of what was there before is left, NoPermissionError
        where not one record may be read.
        """
        self.require_source()
        engine = self.engine
        lost = self.source.lost()
        if lost is not None and lost.what == NO_HOST:
            raise NoDataError(f"{lost.where}: {lost.why}.")
        snapshot = engine.read_once()
        if lost is not None and not self.source.hosts():
            raise NoDataError(f"{lost.where}: {lost.why}.")
        for problem in snapshot.problems:
            if problem.what == NOT_READABLE:
                raise NoPermissionError(f"{self.source.label}: {problem.why}")
        return snapshot

    def require_source(self) -> None:
        """Raises NoDataError where there is nothing to read yet."""
        missing = self.source.missing()
        if missing is not None:
            raise NoDataError(missing, "Name Prosody's data directory (its data_path): headcount /var/lib/prosody")


def open_source(name: str, keys: Keys, *, watching: bool, trusts_files: bool) -> Source:
    """The source of that name. Raises UsageError for a kind that can't be read."""
    if "://" in name:
        raise UsageError(f"{name.split('://')[0]} databases can't be read yet.", "Name a data directory.")
    return DirectorySource(name, keys=keys, watching=watching, trusts_files=trusts_files)


@contextmanager
def open_run(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    keep: Keep,
    now: float | None = None,
    at: float | None = None,
    trust_clock: bool = False,
) -> Iterator[Run]:
    """A run that lets go of everything at its end.

    `keep` says whether the state is written: `always` (an error where it can't be), `if possible` (else it is read
    alone) or `never` (nothing is watched either). `now` (Unix seconds) stops the clock; `at` does too, and asks for the
    figures as of then, without what came after it. `trust_clock` is the operator's word that the machine's clock is
    right.
    """
    moment = now if at is None else at
    path = state_file(settings, environment, writes=keep != "never")
    keys = Keys()
    with ExitStack() as opened:
        source = opened.enter_context(
            closing(
                open_source(settings.source_path(), keys, watching=keep != "never", trusts_files=settings.trust_files)
            )
        )
        source.missing()  # what can never be read is reported before anything is made
        clients = ClientPatterns.configured(settings.client_patterns, default=settings.default_client_patterns)
        state = opened.enter_context(closing(_open_state(path, keep)))
        writes = keep != "never" and not state.is_read_only
        beside = str(path.absolute()) + GEO
        store = Store(beside) if writes else Store(others=[beside])
        patience = math.inf if keep == "never" else PATIENCE
        places = opened.enter_context(closing(Places(settings.mmdb_path, store=store, patience=patience)))

        def new() -> Engine:
            options = _options(settings, keys, moment, at, trust_clock)
            index = None
            if writes:
                index = IndexKeeper(
                    path.with_name(path.name + INDEX),
                    lambda: repr((_rules(settings), places.stamp, clients.patterns)),
                )
            return Engine(source, places, clients, state, options, index)

        @contextmanager
        def look_first() -> Iterator[Engine]:
            own = Keys()
            with (
                closing(
                    open_source(settings.source_path(), own, watching=True, trusts_files=settings.trust_files)
                ) as again,
                closing(SqliteState(path, read_only=True)) as read,
            ):
                yield Engine(again, places, clients, read, _options(settings, own, moment, at, trust_clock))

        described = (
            f"following {source.label}, keeping {path}, places by {places.label}, months in {settings.zone_name()}"
        )
        run = Run(source, places, described, new, look_first)
        if not places.is_pending:
            run.begin()  # what hinders it is reported before anything is shown
        yield run


@contextmanager
def open_look(settings: Settings, environment: Mapping[str, str], trust_clock: bool = False) -> Iterator[Feed]:
    """What a screen shows: an engine of its own or, where another one keeps the state, a look at what that one shows.

    `trust_clock` is the operator's word that the machine's clock is right. Raises NoDataError where an engine of its
    own would find nothing, and UsageError where another engine is to be told the operator's word.
    """
    path = state_file(settings, environment)
    if is_locked(path):
        if trust_clock:
            raise UsageError(
                f"Another Headcount engine keeps the state {path}, so --trust-clock has to be given to that one.",
                "Stop it, and start it with --trust-clock: headcount engine --trust-clock",
            )

        def take_over(publish: Publish, stop: threading.Event) -> None:
            with open_run(settings, environment, keep="always") as run:
                run.run(publish, stop)

        yield Viewer(path, take_over)
        return
    with open_run(settings, environment, keep="if possible", trust_clock=trust_clock) as run:
        run.require_source()
        yield run


class _Proved(threading.Event):
    """Set once no GeoIP file is proving itself any more, or it took too long; or once `stop` is."""

    def __init__(self, places: Places, stop: threading.Event) -> None:
        super().__init__()
        self._places = places
        self._stop = stop
        self._ends_at = time.monotonic() + LONGEST_LOOK

    def is_set(self) -> bool:
        return self._stop.is_set() or not self._places.is_pending or time.monotonic() >= self._ends_at

    def wait(self, timeout: float | None = None) -> bool:
        self._stop.wait(timeout)
        return self.is_set()


def running_engines(settings: Settings, environment: Mapping[str, str]) -> tuple[Snapshot, frozenset[str]] | None:
    """The figures of now of an engine that runs by the same settings, and the hosts that there are; None where there is
    none, or it can't answer."""
    return snapshot_of_running(state_file(settings, environment, writes=False), _stamp(settings), time.time())


def _stamp(settings: Settings) -> str:
    """What tells whether two runs count the same by the same rules, as far as settings tell."""
    rules = (
        _rules(settings),
        settings.keep_months,
        settings.trust_files,
        [os.path.abspath(path) for path in settings.mmdb_path],
        list(settings.client_patterns),
        settings.default_client_patterns,
    )
    return blake2b(repr(rules).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _rules(settings: Settings) -> tuple[object, ...]:
    """What of the settings decides which records there are, and what they mean."""
    countries = None if settings.record_country is None else sorted(settings.record_country)
    source = os.path.realpath(settings.source_path())
    return __version__, source, settings.zone_name(), countries, settings.count_open_sessions


def _options(settings: Settings, keys: Keys, moment: float | None, at: float | None, trust_clock: bool) -> Options:
    zone_name = settings.zone_name()
    return Options(
        zone=zone_of(zone_name),
        zone_name=zone_name,
        countries=settings.record_country,
        count_open_sessions=settings.count_open_sessions,
        keep_months=settings.keep_months,
        settle=settings.settle,
        clock=time.time if moment is None else lambda: moment,
        at=at,
        trust_clock=trust_clock,
        stamp=_stamp(settings),
        keys=keys,
    )


def _open_state(path: Path, keep: Keep) -> SqliteState:
    if keep != "never":
        try:
            return SqliteState(path)
        except (StateLockedError, NoPermissionError):
            if keep == "always":
                raise
    return SqliteState(path, read_only=True)
