"""What is kept: the one place that writes. Counts, keyed hashes while a month is open, and past active users."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from headcount.counting.month_users import Month, MonthChange
from headcount.snapshot import HistoryPoint, Mark, Place, PlaceName


@dataclass(slots=True)
class SavedHost:
    """One host as it was kept. `alive_at` is the last moment (Unix seconds) at which an engine looked at it; None, as
    `followed_since` is, where no engine has read it in whole yet."""

    followed_since: float | None = None
    alive_at: float | None = None
    months: dict[str, Month] = field(default_factory=dict)


@dataclass(slots=True)
class Saved:
    """Everything that was kept: `geo` is the label of the GeoIP database in use last, `zone` the time zone that the
    months were reckoned in, `pruned_before` the first month that was not pruned, `live` what the engine shows to those
    who look on (see `engine.broadcast`), `index` the token of the restart index that goes with it, `clock` what is
    known of the machine's clock (see `trusted_clock`), `there` the hosts that were in the source last (None where that
    was not noted)."""

    hosts: dict[str, SavedHost] = field(default_factory=dict)
    history: list[HistoryPoint] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    geo: str | None = None
    names: dict[Place, PlaceName] = field(default_factory=dict)
    zone: str | None = None
    pruned_before: str | None = None
    live: dict[str, str] = field(default_factory=dict)
    index: str | None = None
    clock: str | None = None
    damage: str = ""
    there: frozenset[str] | None = None

    def hosts_there(self) -> set[str]:
        """The hosts that were in the source when it was looked at last, or may have been."""
        followed = {name for name, host in self.hosts.items() if host.followed_since is not None}
        return followed if self.there is None else set(self.there & self.hosts.keys())


@dataclass(slots=True)
class HostUpdate:
    """What changed of one host since it was kept last; months with what of them changed.

    `followed_since` is None while the host has not been read once in whole.
    """

    host: str
    followed_since: float | None
    alive_at: float
    months: Mapping[str, tuple[Month, MonthChange]]


@dataclass(slots=True)
class Update:
    """Everything that changed since the last time. It is kept in whole or not at all. What is None stays as it is.

    `nothing_after` is a moment (Unix seconds) and a month: what was kept as of later ones is deleted first, since a
    clock that was ahead wrote it; also that a month after that one is the first that was not pruned.
    """

    hosts: list[HostUpdate] = field(default_factory=list)
    history: list[HistoryPoint] = field(default_factory=list)
    forgotten_history: list[int] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    marks_forgotten_before: float | None = None
    geo: str | None = None
    names: Mapping[Place, PlaceName] = field(default_factory=dict)
    zone: str | None = None
    pruned_before: str | None = None
    live: Mapping[str, str] = field(default_factory=dict)
    index: str | None = None
    clock: str | None = None
    nothing_after: tuple[float, str] | None = None
    there: frozenset[str] | None = None


class State(Protocol):
    """Keeps what was counted over restarts. `notices` tells the operator what became of an earlier state."""

    notices: tuple[str, ...]

    def load(self, *, counted: bool = True) -> Saved:
        """What was kept; without `counted`, not yet who was counted in the open months. Raises StateError."""

    def load_counted(self, saved: Saved) -> None:
        """Adds to the open months who was counted in them. Raises StateError."""

    def save(self, update: Update) -> None:
        """Keeps a change in one transaction. Raises StateError, and then nothing of it is kept."""

    def close(self) -> None:
        """Lets go of it."""
