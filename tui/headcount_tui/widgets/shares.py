"""The shares of the clients over the months, as stacked bars."""

from textual.content import Content
from textual.geometry import Size

from headcount_tui.shown import Shown
from headcount_tui.widgets.panel import Panel


class Shares(Panel):
    """See `draw`."""

    def draw(self, shown: Shown, size: Size) -> Content:
        """The bars."""
        return Content("")
