"""Deletes old months from the state by hand; they are not counted again, whatever the source still tells of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headcount.errors import NoDataError, UsageError
from headcount.months import is_month, month_of, shift, start_of
from headcount.settings import Settings
from headcount.state import Update
from headcount.state.sqlite import SqliteState
from headcount.text import clean
from headcount.where import state_file


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted: months (host, month, users) before the month `before`; and what became of a damaged state."""

    before: str
    months: tuple[tuple[str, str, int], ...]
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{host}  {month}  {users:,} users" for host, month, users in self.months]
        return "\n".join(
            [
                *self.notices,
                *lines,
                f"Deleted {len(lines)} months from before {self.before}; they are not counted again.",
            ]
        )


def first_kept(before: str | None, keep: int | None, now: float, zone: ZoneInfo) -> str:
    """The first month that stays: `before` itself, or the first of the `keep` newest, the current one among them.

    Raises UsageError for what is no month, for less than one to keep, and for both or neither.
    """
    if (before is None) == (keep is None):
        raise UsageError("Say which months to delete.", "Give --before YYYY-MM or --keep N.")
    if before is not None:
        if not is_month(before):
            raise UsageError(f"{clean(before)} is not a month.", "Write it as YYYY-MM.")
        return before
    current = month_of(now, zone)
    if keep is None or keep < 1 or current is None:
        raise UsageError("At least one month, the current one, has to be kept.")
    return shift(current, 1 - min(keep, 12 * 1000))


def prune(settings: Settings, environment: Mapping[str, str], before: str) -> Pruned:
    """Deletes the months before `before`, and the past users and marks of that time, from the state.

    Raises NoDataError where there is no state, StateLockedError where an engine keeps it.
    """
    path = state_file(settings, environment)
    if not path.exists():
        raise NoDataError(f"There is no state {path} to delete anything from.", "Name it with --state FILE.")
    with SqliteState(path) as state:
        saved = state.load()
        zone = ZoneInfo(saved.zone or settings.zone_name())
        begin = start_of(before, zone)
        gone = [point.when for point in saved.history if point.when < begin]
        months = [
            (clean(host), name, of_month.counts().users)
            for host, of_host in sorted(saved.hosts.items())
            for name, of_month in sorted(of_host.months.items())
            if name < before
        ]
        state.save(
            Update(
                forgotten_history=gone,
                marks_forgotten_before=begin,
                pruned_before=max(before, saved.pruned_before or ""),
            )
        )
        notices = state.notices
    return Pruned(before, tuple(months), notices)
