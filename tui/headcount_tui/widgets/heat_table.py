"""The months as a table of years, shaded by users; Enter sets the month."""

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message

from headcount.figures.tables import MonthRow
from headcount.snapshot import Snapshot
from headcount_tui.asked.keys import Where, bindings
from headcount_tui.asked.shown import Shown
from headcount_tui.drawing.years_table import Years, beside, draw_years, grid_of, year_beside, years_of
from headcount_tui.widgets.panel import Panel


class HeatTable(Panel, can_focus=True):
    """A cell a month, a line a year. The cursor goes to the month shown whenever another one is shown."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.YEARS))

    class Moved(Message):
        """The cursor went to another month."""

    class Chosen(Message):
        """A second click on a month."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor = ""
        self._followed = ""
        self._found: tuple[Snapshot, Snapshot, Years] | None = None
        self._lines = 0

    @property
    def row(self) -> MonthRow | None:
        """The month under the cursor."""
        return self._years(self.shown).row(self.cursor) if self.shown else None

    def show(self, shown: Shown) -> None:
        """Paint the new state, if it looks different; make room where it has more years."""
        if shown.month != self._followed:
            self.cursor = self._followed = shown.month
        years = self._years(shown)
        super().show(shown)
        if len(years.years) != self._lines:
            self._lines = len(years.years)
            self.refresh(layout=True)

    def draw(self, shown: Shown, size: Size) -> Content:
        """The years."""
        return draw_years(shown, self._years(shown), size, self.cursor)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 (Textual's)
        """A line a year, the head, and a line of words."""
        return self._lines + 2

    def _years(self, shown: Shown) -> Years:
        if self._found is None or self._found[0] is not shown.whole or self._found[1] is not shown.cut:
            self._found = shown.whole, shown.cut, years_of(shown)
        return self._found[2]

    def go_to(self, month: str) -> None:
        """The cursor to that month, if it is known."""
        if self.shown is None or month == self.cursor or month not in self._years(self.shown).months:
            return
        self.cursor = month
        super().show(self.shown)
        self.post_message(self.Moved())

    def action_go(self, by: int) -> None:
        """To the next month known, before or after."""
        if self.shown is not None:
            self.go_to(beside(self._years(self.shown), self.cursor, by))

    def action_go_year(self, by: int) -> None:
        """To the same month of another year, or near to it."""
        if self.shown is not None:
            self.go_to(year_beside(self._years(self.shown), self.cursor, by))

    def action_first(self) -> None:
        """To the first month known."""
        if self.shown is not None:
            self.go_to(min(self._years(self.shown).months))

    def action_last(self) -> None:
        """To the last month."""
        if self.shown is not None:
            self.go_to(max(self._years(self.shown).months))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor there; where it is already, it chooses."""
        at = event.get_content_offset(self)
        if at is None or self.shown is None:
            return
        month = grid_of(self._years(self.shown), self.size, self.cursor).month_at(at.x, at.y)
        if month is not None and month == self.cursor:
            self.post_message(self.Chosen())
        elif month is not None:
            self.go_to(month)
