"""The world, shaded by users; its accessible twin is the table of countries."""

from textual.content import Content
from textual.geometry import Size

from headcount_tui.shown import Shown
from headcount_tui.widgets.panel import Panel


class WorldMap(Panel, can_focus=True):
    """See `draw`."""

    def draw(self, shown: Shown, size: Size) -> Content:
        """The map."""
        return Content("")
