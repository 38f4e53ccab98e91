"""What just happened, without naming anyone."""

from textual.content import Content
from textual.geometry import Size

from headcount_tui.shown import Shown
from headcount_tui.widgets.panel import Panel


class LiveFeed(Panel, can_focus=True):
    """See `draw`."""

    def draw(self, shown: Shown, size: Size) -> Content:
        """The newest lines."""
        return Content("")
