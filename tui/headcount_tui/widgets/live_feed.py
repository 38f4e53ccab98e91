"""What just happened, without naming anyone: the newest first."""

from datetime import datetime

from textual.content import Content
from textual.geometry import Size

from headcount.zones import zone_of
from headcount_tui.asked.news import News, Visitors
from headcount_tui.asked.shown import Shown
from headcount_tui.drawing.news_words import words
from headcount_tui.drawing.render import LIT, LIT_FOR, MUTED, outside
from headcount_tui.widgets.panel import Panel

QUIET = (
    "Nothing yet. A line appears here for each new visitor of the month: from which region and with which "
    "client, but never who. A visitor is new once a month. Space pauses the figures."
)


class LiveFeed(Panel, can_focus=True):
    """As many news as there are lines; new ones are highlighted for a moment."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: float | None = None  # when the newest that was shown happened
        self._lit_after = float("inf")

    def show(self, shown: Shown) -> None:
        """Paint the news, and highlight what came since the last time."""
        newest = shown.happened[-1].when if shown.happened else 0.0
        if self._seen is not None and newest > self._seen:
            self._lit_after = min(self._lit_after, self._seen)
            self.set_timer(LIT_FOR, self._put_out)
        self._seen = max(newest, self._seen or 0.0)
        super().show(shown)

    def _put_out(self) -> None:
        self._lit_after = float("inf")
        if self.shown is not None:
            super().show(self.shown)

    def draw(self, shown: Shown, size: Size) -> Content:
        """The newest on top."""
        if not shown.happened:
            return Content("\n").join(outside(QUIET, MUTED).wrap(max(1, size.width)))
        newest = reversed(shown.happened[-size.height :])
        lines = [line(news, shown, size.width, is_lit=news.when > self._lit_after) for news in newest]
        return Content("\n").join(lines)


def line(news: News, shown: Shown, width: int, is_lit: bool = False) -> Content:
    """`14:03:07  a new visitor from Hesse, DE, with Conversations`."""
    at = datetime.fromtimestamp(news.when, zone_of(shown.whole.timezone)).strftime("%H:%M:%S")
    host = (f"  {news.host}", MUTED) if news.host and len(shown.cut.hosts) > 1 and isinstance(news, Visitors) else ""
    parts = Content.assemble((at, MUTED), "  ", words(news, shown.whole))
    if host:
        parts = Content.assemble(parts, outside(*host))
    parts = parts.truncate(width, ellipsis=True, pad=True)
    return parts.stylize(LIT) if is_lit else parts
