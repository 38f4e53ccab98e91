"""Puts a run together from the settings: the source, the places, the clients, the state and their engine."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headcount import __version__
from headcount.clients import ClientPatterns
from headcount.engine import Engine
from headcount.errors import NoDataError, NoPermissionError, StateLockedError, UsageError
from headcount.feed import Feed, Publish
from headcount.geo import Places
from headcount.index import IndexKeeper
from headcount.keys import Keys
from headcount.options import Options
from headcount.settings import Settings
from headcount.sources import Source
from headcount.sources.directory import DirectorySource
from headcount.state.files import is_locked
from headcount.state.sqlite import SqliteState
from headcount.viewer import Viewer
from headcount.where import state_file
from headcount.zones import zone_of

INDEX = ".index"
"""What the restart index is called, after the state that it goes with."""
Keep = Literal["always", "if possible", "never"]


@dataclass(frozen=True, slots=True)
class Run:
    """An engine and what it runs on. `described` says it in a line, for the log."""

    engine: Engine
    source: Source
    described: str

    def require_source(self) -> None:
        """Raises NoDataError where there is nothing to read yet."""
        missing = self.source.missing()
        if missing is not None:
            raise NoDataError(missing, "Name Prosody's data directory (its data_path): headcount /var/lib/prosody")


def open_source(name: str, keys: Keys, *, watching: bool) -> Source:
    """The source of that name. Raises UsageError for a kind that can't be read."""
    if "://" in name:
        raise UsageError(f"{name.split('://')[0]} databases can't be read yet.", "Name a data directory.")
    return DirectorySource(name, keys=keys, watching=watching)


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
    zone_name, moment = settings.zone_name(), now if at is None else at
    path = state_file(settings, environment, writes=keep != "never")
    keys = Keys()
    with ExitStack() as opened:
        source = opened.enter_context(closing(open_source(settings.source_path(), keys, watching=keep != "never")))
        source.missing()  # what can never be read is told before anything is made
        places = opened.enter_context(closing(Places(settings.mmdb_path)))
        clients = ClientPatterns.configured(settings.client_patterns, default=settings.default_client_patterns)
        state = opened.enter_context(closing(_open_state(path, keep)))
        options = Options(
            zone=zone_of(zone_name),
            zone_name=zone_name,
            countries=settings.record_country,
            count_open_sessions=settings.count_open_sessions,
            keep_months=settings.keep_months,
            settle=settings.settle,
            clock=time.time if moment is None else lambda: moment,
            at=at,
            trust_clock=trust_clock,
            keys=keys,
        )
        described = f"following {source.label}, keeping {path}, places by {places.label}, months in {zone_name}"
        index = None
        if keep != "never" and not state.is_read_only:
            index = IndexKeeper(
                path.with_name(path.name + INDEX),
                lambda: repr((zone_name, _listed(options), places.stamp, clients.patterns, settings.source_path())),
            )
        yield Run(Engine(source, places, clients, state, options, index), source, described)


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
                f"Another Headcount engine keeps the state {path}, and it is that one that doubts the clock or not.",
                "Stop it, and start it with --trust-clock: headcount engine --trust-clock",
            )

        def take_over(publish: Publish, stop: threading.Event) -> None:
            with open_run(settings, environment, keep="always") as run:
                run.engine.run(publish, stop)

        yield Viewer(path, take_over)
        return
    with open_run(settings, environment, keep="if possible", trust_clock=trust_clock) as run:
        run.require_source()
        yield run.engine


def _listed(options: Options) -> tuple[object, ...]:
    """What of the options decides what a record means."""
    countries = None if options.countries is None else sorted(options.countries)
    return countries, options.count_open_sessions, __version__


def _open_state(path: Path, keep: Keep) -> SqliteState:
    if keep != "never":
        try:
            return SqliteState(path)
        except (StateLockedError, NoPermissionError):
            if keep == "always":
                raise
    return SqliteState(path, read_only=True)
