"""`headcount import`: takes over what mod_monthly_visitors counted, and whom it counted this month."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from headcount.atomic_files import refuse_source
from headcount.counting.taking_over import Outcome, Taken, TakingOver, imported_counts
from headcount.errors import PERMISSION_DENIED, HeadcountError, NoDataError, no_permission
from headcount.figures.filter_language import Known, Value, value_of
from headcount.months import month_of
from headcount.outputs.columns import columns
from headcount.records import HostVisitors, Problem, SourceProblems, VisitorMarkers
from headcount.settings import Settings
from headcount.snapshot import MonthCounts
from headcount.sources.directory import DirectorySource
from headcount.state import HostUpdate, Saved, SavedHost, Update
from headcount.state.sqlite import SqliteState
from headcount.text import clean
from headcount.where import state_file
from headcount.zones import zone_of


@dataclass(frozen=True, slots=True)
class Left:
    """What mod_monthly_visitors left in a data directory: by host its counts, and whom it counted this month."""

    visitors: Mapping[str, HostVisitors]
    marked: Mapping[str, frozenset[str]]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """What an import did, by host; and what was wrong in the files."""

    source: str
    state: str
    hosts: Mapping[str, tuple[Taken, ...]]
    problems: tuple[Problem, ...]
    dry_run: bool

    def require_all(self) -> None:
        """Raises HeadcountError where something that the files hold is not in the state now."""
        conflicts = sum(taken.outcome is Outcome.CONFLICT for months in self.hosts.values() for taken in months)
        if conflicts or self.problems:
            raise HeadcountError(
                f"Not everything was taken over: see above (conflicts: {conflicts}, problems: {len(self.problems)}).",
                "To replace our lower bounds (≥) by the module's counts, use --replace." if conflicts else "",
            )

    def to_text(self) -> str:
        """The account as text in columns."""
        verb = "Would take" if self.dry_run else "Took"
        rows = [
            (
                clean(host),
                taken.month,
                taken.outcome.value,
                f"{taken.users:,}",
                f"{taken.marked:,}" if taken.marked else "",
                _marked(taken.had),
                _marked(taken.has),
                taken.why,
            )
            for host, months in self.hosts.items()
            for taken in months
        ]
        parts = [
            f"{verb} from {self.source} into {self.state}:",
            columns(("host", "month", "what became of it", "users", "marked", "before", "now", ""), rows),
        ]
        if self.problems:
            wrong = [(problem.what, problem.where, problem.why) for problem in self.problems]
            parts.append(columns(("problem", "where", "why"), wrong))
        return "\n\n".join(parts) + "\n"


def _marked(counts: MonthCounts | None) -> str:
    return "" if counts is None else f"{counts.users:,} {counts.quality.mark}"


def take_in(
    settings: Settings,
    environment: Mapping[str, str],
    data_dir: str,
    *,
    now: float,
    hosts: Sequence[str] = (),
    replace_ours: bool = False,
    dry_run: bool = False,
) -> Account:
    """Takes over what mod_monthly_visitors left in `data_dir`, of these `hosts` or all, into the state of the source.

    Where no source is set, the state is that of `data_dir`. `now` is in Unix seconds. Raises NoDataError where there
    is nothing to take, StateLockedError where an engine keeps the state.
    """
    if settings.source is None:
        settings = replace(settings, source=data_dir)
    month = month_of(now, zone_of(settings.zone_name())) or ""
    left = left_in(DirectorySource(data_dir, watching=False), month, hosts)
    if not any(found.months for found in left.visitors.values()):
        raise _nothing(data_dir, left)
    path = state_file(settings, environment, writes=not dry_run)
    if not dry_run:
        refuse_source(str(path.parent), data_dir)
    with SqliteState(path, read_only=dry_run) as state:
        saved = state.load()
        taken = {}
        updates = []
        for name, found in sorted(left.visitors.items()):
            of_host = saved.hosts.setdefault(name, SavedHost())
            taking = _taking(name, of_host, saved, month, replace_ours)
            taken[name] = tuple(
                taking.take(
                    visited.month,
                    imported_counts(visited),
                    left.marked.get(name, ()) if visited.month == month else (),
                )
                for visited in sorted(found.months, key=lambda visited: visited.month)
            )
            changed = {month: (of_host.months[month], change) for month, change in taking.changes.items()}
            updates.append(HostUpdate(name, None, now, changed))
        state.save(Update(hosts=updates))
        return Account(clean(data_dir), clean(str(path)), taken, (*_notices(state, saved), *left.problems), dry_run)


def _taking(name: str, of_host: SavedHost, saved: Saved, month: str, replace_ours: bool) -> TakingOver:
    return TakingOver(
        name,
        of_host.months,
        month,
        new_key=lambda: secrets.token_bytes(32),
        replace=replace_ours,
        pruned_before=saved.pruned_before or "",
    )


def _notices(state: SqliteState, saved: Saved) -> list[Problem]:
    damage = [Problem("state damaged", "", "", saved.damage)] if saved.damage else []
    return [*damage, *(Problem("state set aside", "", "", why) for why in state.notices)]


def left_in(source: DirectorySource, month: str, hosts: Sequence[str] = ()) -> Left:
    """What is left in a directory of these `hosts` (as typed) or all, and whom the module counted in `month`.

    Raises UsageError for a host of which nothing is left.
    """
    missing = source.missing()
    if missing is not None:
        raise NoDataError(missing, "Name the data directory of a Prosody that ran mod_monthly_visitors.")
    visitors: dict[str, HostVisitors] = {}
    marked: dict[str, frozenset[str]] = {}
    problems: list[Problem] = []
    all_left = list(source.visitors(month))
    names = sorted({found.host for found in all_left if isinstance(found, HostVisitors)})
    of = Known({"host": tuple(map(Value, names))})
    wanted = {value_of("host", host, of) for host in hosts} if names else set()
    for found in all_left:
        match found:
            case HostVisitors() | VisitorMarkers() if wanted and found.host not in wanted:
                continue
            case HostVisitors():
                visitors[found.host] = found
            case VisitorMarkers():
                marked[found.host] = found.users
            case SourceProblems():
                pass
        problems += found.problems
    return Left(visitors, marked, tuple(problems))


def _nothing(data_dir: str, left: Left) -> HeadcountError:
    for problem in left.problems:
        if problem.why == PERMISSION_DENIED:
            return no_permission(f"{clean(data_dir)}: {problem.where}")
    why = "".join(f"\n  {problem.where}: {problem.why}." for problem in left.problems)
    return NoDataError(f"mod_monthly_visitors left no counts in {clean(data_dir)}.{why}")
