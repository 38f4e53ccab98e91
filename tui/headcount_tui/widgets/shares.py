"""The shares of the clients over the months, as stacked bars."""

from textual.content import Content
from textual.geometry import Size

from headcount.figures.totals import month_names
from headcount_tui.asked.shown import Shown
from headcount_tui.drawing.client_shares import draw_stacks
from headcount_tui.widgets.panel import Panel

MOST = 24  # months
TABLE = 9  # lines that are left to the table and its title


class Shares(Panel):
    """As high as the months there are, but no higher than leaves the table its room."""

    def show(self, shown: Shown) -> None:
        """Paint the new state, and make room for a new month."""
        is_higher = self.shown is None or len(month_names(self.shown.whole)) != len(month_names(shown.whole))
        super().show(shown)
        if is_higher:
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """The lines that the months take, of those that the table can spare."""
        spare = min(container.height - TABLE, container.height // 2)
        if self.shown is None or spare < 3:
            return 0
        return min(spare, MOST + 1, len(month_names(self.shown.whole)) + 1)

    def draw(self, shown: Shown, size: Size) -> Content:
        """See `draw_stacks`."""
        return Content("\n").join(draw_stacks(shown, size.width, size.height))
