"""Deletes old months from the state by hand; they are not counted again, whatever the source still tells of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfoNotFoundError

from headcount.errors import NoDataError, StateError, UsageError
from headcount.months import is_month, month_of, shift, start_of
from headcount.settings import Settings
from headcount.state import Saved, Update
from headcount.state.sqlite import SqliteState
from headcount.text import clean
from headcount.where import state_file
from headcount.zones import zone_of

SILENCE = 7 * 86_400
"""Seconds after a state's last sign of life from which on it is the state that tells what month it is: a machine whose
clock is ahead would keep none of the months that there are."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted, or would be in a `dry_run`: months (host, month, users) before the month `before`; and what
    became of a damaged state."""

    before: str
    months: tuple[tuple[str, str, int], ...]
    dry_run: bool = False
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"{host}  {month}  {users:,} {'user' if users == 1 else 'users'}" for host, month, users in self.months
        ]
        number = len({month for _, month, _ in self.months})
        what = "1 month" if number == 1 else f"{number:,} months"
        if self.dry_run:
            end = f"Would delete {what} from before {self.before}; nothing was deleted."
        else:
            end = f"Deleted {what} from before {self.before}; not counted again."
        return "\n".join([*self.notices, *lines, end])


def first_kept(before: str | None, keep: int | None, now: float, zone: tzinfo, known: float | None = None) -> str:
    """The first month that stays: `before` itself, or the first of the `keep` newest, the current one among them.
    `known` is the last moment that the state knows of where the clock, which says `now`, is far from it.

    Raises UsageError for what is no month or is still to come, for less than one to keep, and for both or neither.
    """
    _refuse_nonsense(before, keep)
    current = month_of(now, zone)
    newest = current if known is None else month_of(known, zone)
    if current is None or newest is None:
        raise UsageError("The clock tells no month.", "Set it right.")
    if keep is not None:
        return shift(newest, 1 - min(keep, 12 * 1000))
    assert before is not None
    if before > current:
        raise UsageError(
            f"{before} is still to come; this month is {current}.",
            f"With --before {current} all months before this one are deleted; this one stays.",
        )
    if before > newest:
        raise UsageError(
            f"{before} is later than {newest}, the month in which Headcount ran last; the clock may be ahead.",
            f"If it is right, run the engine with --trust-clock first; else use --before {newest} at the most.",
        )
    return before


def prune(
    settings: Settings,
    environment: Mapping[str, str],
    before: str | None,
    keep: int | None,
    *,
    now: float,
    dry_run: bool = False,
) -> Pruned:
    """Deletes the months before `before`, or all but the newest `keep`, and the past users and marks of that time, from
    the state; months are those of the state's own time zone. With `dry_run` says what that would be.

    Raises UsageError as `first_kept` does, NoDataError where there is no state, StateLockedError where an engine keeps
    it and it is no dry run.
    """
    _refuse_nonsense(before, keep)
    path = state_file(settings, environment, writes=not dry_run)
    if not path.exists():
        raise NoDataError(f"There is no state {path} to delete anything from.", "Name it with --state FILE.")
    with SqliteState(path, read_only=dry_run) as state:
        saved = state.load()
        zone = _zone_of_state(saved.zone) or zone_of(settings.zone_name())
        known = _last_known(saved, now)
        first = first_kept(before, keep, now, zone, known)
        months = tuple(
            (clean(host), name, of_month.counts().users)
            for host, of_host in sorted(saved.hosts.items())
            for name, of_month in sorted(of_host.months.items())
            if name < first
        )
        if not dry_run:
            _delete(state, saved, first, zone, known)
        notices = state.notices
    return Pruned(first, months, dry_run, (saved.damage,) if saved.damage else notices)


def _delete(state: SqliteState, saved: Saved, first: str, zone: tzinfo, now: float) -> None:
    begin = start_of(first, zone)
    earlier = saved.pruned_before or ""
    state.save(
        Update(
            forgotten_history=[point.when for point in saved.history if point.when < begin],
            marks_forgotten_before=begin,
            # What was pruned up to a month to come was so by a clock that was ahead: once more would take this month.
            pruned_before=first if earlier > (month_of(now, zone) or "") else max(first, earlier),
        )
    )


def _zone_of_state(name: str | None) -> tzinfo | None:
    """The time zone that a state's months are of, None where it names none. Raises StateError for one that this machine
    does not know: which months are over in it can't be known here."""
    try:
        return None if name is None else zone_of(name)
    except ZoneInfoNotFoundError:
        raise StateError(
            f"The state's months are those of {clean(name or '')}, a time zone that is not known here.",
            "Install the system's time zones (tzdata), or start the engine once with --timezone ZONE.",
        ) from None


def _last_known(saved: Saved, now: float) -> float:
    """The moment (Unix seconds) that the newest months are reckoned from: now, unless nobody was there for long."""
    alive = max((host.alive_at for host in saved.hosts.values() if host.alive_at is not None), default=now)
    return alive if now - alive > SILENCE else now


def _refuse_nonsense(before: str | None, keep: int | None) -> None:
    if (before is None) == (keep is None):
        raise UsageError("Say which months to delete.", "Give --before YYYY-MM or --keep N.")
    if before is not None and not is_month(before):
        raise UsageError(f"{clean(before)} is not a month.", "Write it as YYYY-MM.")
    if keep is not None and keep < 1:
        raise UsageError("At least one month, the current one, has to be kept.")
