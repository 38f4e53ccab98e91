"""Puts a run together from the settings: the source, the places, the clients, the state and their engine."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from headcount.clients import ClientPatterns
from headcount.engine import Engine, Options
from headcount.errors import NoDataError, StateLockedError, UsageError
from headcount.geo import Places
from headcount.settings import Settings
from headcount.sources import Source
from headcount.sources.directory import DirectorySource
from headcount.state import State
from headcount.state.files import path_of
from headcount.state.sqlite import SqliteState

Keep = Literal["always", "if free", "never"]


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


def open_source(name: str, *, watching: bool) -> Source:
    """The source of that name. Raises UsageError for a kind that can't be read."""
    if "://" in name:
        raise UsageError(f"{name.split('://')[0]} databases can't be read yet.", "Name a data directory.")
    return DirectorySource(name, watching=watching)


@contextmanager
def open_run(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    keep: Keep,
    now: float | None = None,
) -> Iterator[Run]:
    """A run that lets go of everything at its end.

    `keep` says whether the state is written: `always` (an error where it can't be), `if free` (else it is only read)
    or `never` (nothing is watched either). `now` (Unix seconds) stops the clock.
    """
    zone_name = settings.zone_name()
    path = path_of(settings.state_path(environment))
    source = open_source(settings.source_path(), watching=keep != "never")
    places = Places(settings.mmdb_path)
    clients = ClientPatterns.configured(settings.client_patterns, default=settings.default_client_patterns)
    state = _open_state(path, keep)
    try:
        options = Options(
            zone=ZoneInfo(zone_name),
            zone_name=zone_name,
            countries=settings.record_country,
            count_open_sessions=settings.count_open_sessions,
            settle=settings.settle,
            clock=time.time if now is None else lambda: now,
        )
        described = f"following {source.label}, keeping {path}, places by {places.label}, months in {zone_name}"
        yield Run(Engine(source, places, clients, state, options), source, described)
    finally:
        source.close()
        state.close()
        places.close()


def _open_state(path: Path, keep: Keep) -> State:
    if keep != "never":
        try:
            return SqliteState(path)
        except StateLockedError:
            if keep == "always":
                raise
    return SqliteState(path, read_only=True)
