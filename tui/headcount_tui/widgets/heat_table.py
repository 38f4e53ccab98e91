"""The months as a table of years, shaded by users; Enter sets the month."""

from textual.content import Content
from textual.geometry import Size

from headcount_tui.shown import Shown
from headcount_tui.widgets.panel import Panel


class HeatTable(Panel, can_focus=True):
    """See `draw`."""

    def draw(self, shown: Shown, size: Size) -> Content:
        """The years."""
        return Content("")
