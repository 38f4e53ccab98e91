"""What just happened, without naming anyone: the newest first."""

from datetime import datetime
from zoneinfo import ZoneInfo

from textual.content import Content
from textual.geometry import Size

from headcount_tui.happened import News, Visitors
from headcount_tui.render import MUTED, outside
from headcount_tui.shown import Shown
from headcount_tui.told import words
from headcount_tui.widgets.panel import Panel

QUIET = (
    "Nothing yet. Here appears, as it happens, that a new visitor of the month came, from where and with which "
    "client; never who. A visitor is new once a month. Space lets it stand still."
)


class LiveFeed(Panel, can_focus=True):
    """As many news as there are lines."""

    def draw(self, shown: Shown, size: Size) -> Content:
        """The newest on top."""
        if not shown.happened:
            return Content("\n").join(outside(QUIET, MUTED).wrap(max(1, size.width)))
        newest = reversed(shown.happened[-size.height :])
        lines = [line(news, shown, size.width) for news in newest]
        return Content("\n").join(lines)


def line(news: News, shown: Shown, width: int) -> Content:
    """`14:03:07  a new visitor from Hesse, DE, with Conversations`."""
    at = datetime.fromtimestamp(news.when, ZoneInfo(shown.whole.timezone)).strftime("%H:%M:%S")
    host = (f"  {news.host}", MUTED) if news.host and len(shown.cut.hosts) > 1 and isinstance(news, Visitors) else ""
    parts = Content.assemble((at, MUTED), "  ", words(news, shown.whole))
    if host:
        parts = Content.assemble(parts, outside(*host))
    return parts.truncate(width, ellipsis=True)
