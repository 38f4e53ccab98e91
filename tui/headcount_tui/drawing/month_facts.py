"""What stands beside a month's number of users: how it goes, who came and went, who is there now. Pure functions."""

from textual.content import Content

from headcount.figures.totals import hidden, is_comparable, month_counts, pace, total_active, turnover
from headcount.months import shift
from headcount.zones import zone_of
from headcount_tui.asked.shown import Shown
from headcount_tui.drawing.dates import day
from headcount_tui.drawing.render import MUTED, change, number, short

SO_FAR = "those read so far"
"""What stands in the place of a change while not all are read."""


def month_change(shown: Shown) -> tuple[Content, str] | None:
    """`▲ +3.1 %`, and against what: the month before, up to the same day while this one goes on. None: unknown."""
    if shown.is_current:
        found = pace(shown.cut)
        if found is None:
            return None
        now, before = found.users, found.before
        against = day(found.then, zone_of(shown.whole.timezone))
    else:
        earlier = month_counts(shown.cut, shift(shown.month, -1))
        if shown.counts is None or earlier is None or not is_comparable(shown.cut, shown.month):
            return None
        now, before, against = shown.counts.users, earlier.users, shift(shown.month, -1)
    return Content.styled(*change(now, before)), against


def change_line(shown: Shown, width: int) -> Content:
    """The change, with what it is against as far as there is room."""
    found = month_change(shown)
    if found is None and shown.whole.anonymity is not None:
        return Content("")
    if found is None:
        return Content.styled(_why_no_change(shown), MUTED)
    text, against = found
    line = Content.assemble(text, (f" vs {against}", MUTED))
    return line if line.cell_length <= width else Content.assemble(text, (f" {against}", MUTED))


def _why_no_change(shown: Shown) -> str:
    if shown.is_current:
        return SO_FAR if shown.whole.is_partial else "no history yet"
    earlier = month_counts(shown.cut, shift(shown.month, -1))
    return "no month before" if earlier is None else "≥ can't be compared"


def came_and_went(shown: Shown, width: int) -> Content:
    """`1,204 new · 30,100 returning · 900 lost`: who is new against the month before, who returned and who did
    not; as much of it as has room. Empty where it is not known."""
    found = turnover(shown.cut, shown.month)
    if found is None:
        return Content("")
    parts = [("new", found.new), ("returning", found.returning), ("lost", found.lost)]
    kept = [(name, users) for name, users in parts if users is not None]
    exact, round_ = ([f"{write(users)} {name}" for name, users in kept] for write in (number, _round))
    shorter = [exact, round_, [part for part in round_ if not part.endswith("returning")], exact[:1]]
    for text in (" · ".join(parts) for parts in shorter):
        if len(text) <= width:
            return Content.styled(text, MUTED)
    return Content("")


def _round(users: int) -> str:
    """`900`, `1.2k`, `31k`."""
    return short(users) if users < 10_000 else short(round(users, -3 if users < 999_500 else -5))


def open_sessions(shown: Shown, width: int = 40) -> str:
    """`~12,345 open sessions`, an estimate; empty for a month that is over, which had its own."""
    if not shown.is_current or not shown.cut.hosts or "open_sessions" in hidden(shown.cut):
        return ""
    text = f"~{number(total_active(shown.cut).open_sessions)} open"
    return f"{text} sessions" if len(text) + 9 <= width else text


def users_of_months(shown: Shown, most: int) -> list[int | None]:
    """Month users of the last `most` months up to that shown, oldest first, from the first that is known;
    None where nothing is known of one."""
    names = [shift(shown.month, -back) for back in range(most - 1, -1, -1)]
    found = []
    for name in names:
        counts = month_counts(shown.cut, name)
        found.append(counts.users if counts else None)
    known = next((index for index, users in enumerate(found) if users is not None), most - 1)
    return found[known:]
