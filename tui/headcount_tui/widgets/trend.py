"""The trend: active users and month users over time, as a chart."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from textual.content import Content
from textual.geometry import Size

from headcount.snapshot import HistoryPoint, Past
from headcount.zones import zone_of
from headcount_tui.asked.shown import Shown, Zoom
from headcount_tui.drawing import hints
from headcount_tui.drawing.render import KEY, MUTED, STRONG, Piece, fit, link, spread
from headcount_tui.drawing.trend_chart import draw_course, notes, slots
from headcount_tui.drawing.trend_data import Course, Sums, course
from headcount_tui.widgets.panel import Panel

ZOOMS = {Zoom.MONTH: "30 days", Zoom.YEAR: "a year", Zoom.ALL: "all"}
LEAST = Size(28, 7)


class Trend(Panel, can_focus=True):
    """See `draw_trend`."""

    follows_view = False

    _sums: Sums | None = None

    def draw(self, shown: Shown, size: Size) -> Content:
        """The chart."""
        if self._sums is None or self._sums.history is not shown.cut.history:
            self._sums = Sums(shown.cut.history)
        return draw_trend(shown, size, self._sums)


def draw_trend(shown: Shown, size: Size, sums: Callable[[HistoryPoint], Past] | None = None) -> Content:
    """How far back it goes, the chart, and what its signs mean; or why there is none."""
    zone = zone_of(shown.whole.timezone)
    found = course(shown, slots(size.width), sums)
    head = title(shown, found, zone, size.width)
    lacking = hints.no_lines(shown, any(len(dots) > 1 for line in found.lines for dots in line.stretches))
    if lacking and not found.ends:
        return Content("\n").join([head, Content(""), *_wrapped(lacking, size.width)])
    if size.width < LEAST.width or size.height < LEAST.height:
        return Content("\n").join([head, *_wrapped("Too small for a chart.", size.width)])
    below = notes(found, zone, size.width - 2, min(3, (size.height - 5) // 4))
    if lacking:
        below = [*_wrapped(lacking, size.width), *below]
    chart = draw_course(found, zone, size.width, size.height - 1 - len(below))
    return Content("\n").join([head, chart, *below])


def title(shown: Shown, found: Course, zone: ZoneInfo, width: int) -> Content:
    """`z 30 days  a year  all`, the one that is shown in reverse; at its right the days that it shows."""
    zooms = [
        link(f" {name} ", f"screen.zoom('{zoom.name}')", f"{STRONG} reverse" if zoom is shown.asked.zoom else MUTED)
        for zoom, name in ZOOMS.items()
    ]
    start, end = (f"{datetime.fromtimestamp(when, zone):%Y-%m-%d}" for when in (found.since, found.until - 1))
    pieces = [
        Piece(3, Content.assemble(link("z", "screen.zoom", KEY), " ", *zooms)),
        Piece(1, Content.styled(f"{start} – {end}", MUTED)),
    ]
    kept = fit(pieces, width)
    return spread(kept[:1], kept[1:], width)


def _wrapped(text: str, width: int) -> list[Content]:
    return [Content(line.plain).stylize(MUTED) for line in Content(text).wrap(max(1, width - 2))]
