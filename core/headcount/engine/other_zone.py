"""Whether the state's months were reckoned in a time zone in which they begin at other moments than in that of now."""

from headcount.engine.options import Options
from headcount.months import month_of, shift
from headcount.records import Problem
from headcount.state import Saved
from headcount.text import SENTENCES, clean
from headcount.zones import have_the_same


def other_zone(saved: Saved, options: Options, now: float) -> list[Problem]:
    """The problem that it is; none where the months that were kept, and those of a year around now, begin alike."""
    if saved.zone is None or saved.zone == options.zone_name:
        return []
    month = month_of(now, options.zone)
    months = {name for host in saved.hosts.values() for name in host.months}
    months |= set() if month is None else {shift(month, by) for by in range(-12, 13)}
    return [] if have_the_same(months, saved.zone, options.zone) else [_other_zone(saved.zone, options.zone_name)]


def _other_zone(before: str, name: str) -> Problem:
    why = (
        f"the state's months were reckoned in {before} and are now reckoned in {name}: who logs in near a month's "
        f"bound may count in two months, and the open months are lower bounds; to keep the old zone, start with "
        f"--timezone {before}"
    )
    return Problem("another time zone", "", "", clean(why, SENTENCES))
