"""What just happened, without naming anyone: the newest first."""

from datetime import datetime
from zoneinfo import ZoneInfo

from textual.content import Content
from textual.geometry import Size

from headcount.snapshot import UNKNOWN, Cell, PlaceName, Snapshot
from headcount_tui.happened import News, Note, Visitors
from headcount_tui.render import ACCENT, MUTED, STRONG, outside
from headcount_tui.shown import Shown
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


def words(news: News, snapshot: Snapshot) -> Content:
    """What happened, in words."""
    if isinstance(news, Note):
        return outside(news.words, ACCENT)
    if news.cell is None:
        return Content.styled(f"{news.users:,} new visitors from several places", STRONG)
    whom = "a new visitor" if news.users == 1 else f"{news.users:,} new visitors"
    client = "" if news.cell.client == UNKNOWN else f" with {news.cell.client}"
    return Content.assemble((whom, STRONG), outside(f" {_whence(news.cell, snapshot)}{client}"))


def _whence(cell: Cell, snapshot: Snapshot) -> str:
    """No finer than a subdivision: who is told of a town may know who lives there."""
    place = cell.place._replace(city=None)
    if place.country is None:
        return "from a place unknown"
    name = snapshot.names.get(place, PlaceName())
    if place.subdivision is None:
        return f"from {name.country or place.country}"
    return f"from {name.subdivision or place.subdivision}, {place.country}"
