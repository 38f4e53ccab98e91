"""News in words that name nobody, and no place finer than a region."""

from textual.content import Content

from headcount.snapshot import UNKNOWN, Cell, PlaceName, Snapshot
from headcount_tui.asked.news import News, Note
from headcount_tui.drawing.render import ACCENT, STRONG, outside


def words(news: News, snapshot: Snapshot) -> Content:
    """`a new visitor from Hesse, DE, with Conversations`."""
    if isinstance(news, Note):
        return outside(news.words, ACCENT)
    if news.cell is None:
        return Content.styled(f"{news.users:,} new visitors from several places", STRONG)
    whom = "a new visitor" if news.users == 1 else f"{news.users:,} new visitors"
    return Content.assemble((whom, STRONG), outside(f" from {_whence(news.cell, snapshot)}"))


def _whence(cell: Cell, snapshot: Snapshot) -> str:
    """The region and the client, and no town: its readers may know who lives there."""
    client = "" if cell.client == UNKNOWN else f" with {cell.client}"
    place = cell.place._replace(city=None)
    if place.country is None:
        return f"an unknown place{client}"
    name = snapshot.names.get(place, PlaceName())
    if place.subdivision is None:
        return f"{name.country or place.country}{client}"
    return f"{name.subdivision or place.subdivision}, {place.country}{',' if client else ''}{client}"
