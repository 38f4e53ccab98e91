"""The trend: active users and month users over time, as a chart."""

from textual.content import Content
from textual.geometry import Size

from headcount_tui.shown import Shown
from headcount_tui.widgets.panel import Panel


class Trend(Panel, can_focus=True):
    """See `draw`."""

    def draw(self, shown: Shown, size: Size) -> Content:
        """The chart."""
        return Content("")
