"""What an engine shows, as the state has it: of one moment, and without reading anything of the source."""

from dataclasses import replace
from pathlib import Path

from headcount.counting.month_users import known_arrivals
from headcount.engine.broadcast import stamp_in, unpacked
from headcount.errors import NoPermissionError, StateError
from headcount.places.names import PlaceNames
from headcount.snapshot import History, Phase, Place, PlaceName, ProblemGroup, Snapshot
from headcount.state import Saved
from headcount.state.files import is_locked
from headcount.state.sqlite import SqliteState

FRESH = 2.0
"""Seconds that the figures of an engine may be old for a report of now."""


def snapshot_of(saved: Saved, names: PlaceNames) -> Snapshot | None:
    """The last snapshot of the engine that keeps this state; None where it has shown none. `names` learns the names of
    places that it kept."""
    months = {
        name: {month: of_month.counts() for month, of_month in host.months.items()}
        for name, host in saved.hosts.items()
    }
    arrivals = {name: known_arrivals(host.months) for name, host in saved.hosts.items()}
    for place, name in saved.names.items():
        names.learn(place, name)
    snapshot = unpacked(saved.live, months, arrivals, History(tuple(saved.history)), tuple(saved.marks))
    if snapshot is None:
        return None
    damage = (ProblemGroup("state damaged", 1, "", saved.damage),) if saved.damage else ()
    return replace(snapshot, names=_named(snapshot, names), problems=(*damage, *snapshot.problems))


def snapshot_of_running(path: Path, stamp: str, now: float) -> tuple[Snapshot, frozenset[str]] | None:
    """What the engine shows that runs on the state at `path`, as of no more than two seconds before `now` (Unix
    seconds), and the hosts that there are.

    None where nobody may read the state, no engine runs on it, it counts by other settings (`stamp`), has not read all
    there is, is stopped or overloaded, or anything urgent is wrong: then the source itself has to be read.
    """
    try:
        if not path.is_file() or not is_locked(path):
            return None
        with SqliteState(path, read_only=True) as state:
            saved = state.load(counted=False)
        snapshot = snapshot_of(saved, PlaceNames())
    except (OSError, StateError, NoPermissionError):
        return None
    if snapshot is None or not snapshot.hosts or saved.damage or stamp_in(saved.live) != stamp:
        return None
    is_whole = snapshot.phase is Phase.LIVE and not any(problem.is_urgent for problem in snapshot.problems)
    if not is_whole or not -FRESH <= now - snapshot.generated_at <= FRESH or not is_locked(path):
        return None
    return replace(snapshot, is_from_engine=True), frozenset(saved.hosts_there())


def _named(snapshot: Snapshot, names: PlaceNames) -> dict[Place, PlaceName]:
    places = {cell.place for host in snapshot.hosts.values() for cell in host.active}
    for host in snapshot.hosts.values():
        for month in host.months.values():
            places.update(month.places or ())
    wholes = {Place(p.country) for p in places} | {Place(p.country, p.subdivision) for p in places}
    return {place: names.name(place) for place in places | wholes}
