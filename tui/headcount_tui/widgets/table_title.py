"""The rule above the table, with what the table is of. Not the table's border: a border that changes
repaints all that it is around."""

from textual.content import Content
from textual.geometry import Size

from headcount_tui.asked.shown import Shown
from headcount_tui.drawing import lines
from headcount_tui.widgets.figure_box import has_month_box
from headcount_tui.widgets.panel import Panel


class TableTitle(Panel):
    """`counted` says how many rows there are; it is set before `show`."""

    counted = ""

    def draw(self, shown: Shown, size: Size) -> Content:
        """See `lines.table_title`."""
        return lines.table_title(shown, self.counted, size.width, is_brief=has_month_box(self.app.size))
