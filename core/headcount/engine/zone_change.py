"""Whether the months of a state were reckoned in another time zone, in which they begin at other moments."""

from headcount.engine.options import Options
from headcount.months import month_of, shift
from headcount.records import Problem
from headcount.state import Saved
from headcount.text import SENTENCES, clean
from headcount.zones import have_the_same


def has_other_bounds(saved: Saved, options: Options, now: float) -> bool:
    """Whether months begin at other moments than before: those that were kept, and those of a year around now."""
    if saved.zone is None or saved.zone == options.zone_name:
        return False
    month = month_of(now, options.zone)
    months = {name for host in saved.hosts.values() for name in host.months}
    months |= set() if month is None else {shift(month, by) for by in range(-12, 13)}
    return not have_the_same(months, saved.zone, options.zone)


def other_zone(before: str | None, name: str) -> Problem:
    """The problem that it is."""
    why = (
        f"the state's months were reckoned in {before} and are now reckoned in {name}: who logs in near a month's "
        f"bound may count in two months, and the open months are lower bounds; --timezone {before} goes on as before"
    )
    return Problem("another time zone", "", "", clean(why, SENTENCES))
