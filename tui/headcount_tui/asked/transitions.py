"""What the keys make of what is asked: pure functions from one `Asked` to the next, and the way back."""

from dataclasses import replace

from headcount.figures.filters import Field
from headcount.figures.totals import month_names
from headcount_tui.asked.shown import Asked, Shown, Sort, Tab, Zoom


def month_set(asked: Asked, shown: Shown, month: str) -> Asked:
    """Looks at that month; the current one needs no filter."""
    return replace(asked, filter=asked.filter.having("month", None if month == shown.whole.month else month))


def month_shifted(asked: Asked, shown: Shown, by: int) -> Asked | None:
    """Looks at the next month that there is, later or earlier; None where there is none."""
    names = month_names(shown.whole)
    found = [name for name in names if name > shown.month][:1] if by > 0 else []
    found = found or ([name for name in names if name < shown.month][-1:] if by < 0 else [])
    return month_set(asked, shown, found[0]) if found else None


def tab_stepped(asked: Asked, by: int) -> Asked:
    """The view beside, and round at the ends."""
    tabs = list(Tab)
    return replace(asked, tab=tabs[(tabs.index(asked.tab) + by) % len(tabs)])


def zoomed(asked: Asked, name: str = "") -> Asked:
    """As far back as `name` says, or as the next zoom does."""
    zooms = list(Zoom)
    return replace(asked, zoom=Zoom[name] if name else zooms[(zooms.index(asked.zoom) + 1) % len(zooms)])


def filtered(asked: Asked, field: Field, value: str) -> Asked:
    """Filters by a value that was picked; empty removes that filter."""
    wanted = asked.filter
    return replace(asked, filter=wanted.having_country(value) if field == "country" else wanted.having(field, value))


def ordered(asked: Asked, sort: Sort) -> Asked:
    """The view's table in that order."""
    return replace(asked, sorts={**asked.sorts, asked.tab: sort})


class Trail:
    """Where rows were chosen, so that removing a filter goes back there."""

    def __init__(self) -> None:
        self._steps: list[tuple[Asked, Asked]] = []

    def note(self, before: Asked, after: Asked) -> None:
        """A row was chosen: what was asked before, and what is asked by it. A row may stand for several filters, as a
        city does; one that stands for none that is new leaves nothing to go back from."""
        if set(before.filter.terms) < set(after.filter.terms):
            self._steps.append((before, after))

    def back(self, asked: Asked) -> Asked:
        """Without the last filter; where that came with a row, without all that came with it, in its view."""
        while self._steps and not set(self._steps[-1][1].filter.terms) <= set(asked.filter.terms):
            self._steps.pop()
        if self._steps and self._steps[-1][1].filter == asked.filter:
            before, _ = self._steps.pop()
            return replace(asked, filter=before.filter, tab=before.tab)
        return replace(asked, filter=asked.filter.without_last())
