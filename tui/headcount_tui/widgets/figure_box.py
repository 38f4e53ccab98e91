"""One box of active users: big digits, the change against before, a sparkline."""

from textual.content import Content
from textual.geometry import Size

from headcount.filters import Filter
from headcount.snapshot import UNKNOWN
from headcount.views import Figure
from headcount_tui import lines
from headcount_tui.render import (
    BAR,
    MUTED,
    NOTHING,
    STRONG,
    Piece,
    big,
    big_width,
    change,
    fit,
    number,
    outside,
    sparkline,
)
from headcount_tui.shown import Shown
from headcount_tui.widgets.panel import Panel

_BEFORE_A_PAST_ONE = {1: "the day before", 7: "the week before", 30: "30 days before"}


class FigureBox(Panel):
    """DAU, WAU or MAU: the window at `index` of the figures."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self._index = index
        self._titles = ("", "")

    def show(self, shown: Shown) -> None:
        """Paint the new state and its titles, if they look different."""
        super().show(shown)
        figure = shown.figures[self._index]
        title = figure_title(figure, shown, self.size.width - 4)
        subtitle = lines.of_mau(shown, self._index)
        if (title.plain, subtitle) != self._titles:
            self._titles = (title.plain, subtitle)
            # Content, never str: a str would be read as markup.
            self.border_title = title
            self.border_subtitle = Content(subtitle)

    def on_resize(self) -> None:
        """Titles are fitted to the width."""
        if self.shown is not None:
            self.show(self.shown)

    def draw(self, shown: Shown, size: Size) -> Content:
        """The figure in as many lines as there are."""
        figure = shown.figures[self._index]
        return draw_figure(figure, shown.is_current, size.width, size.height)


def draw_figure(figure: Figure, is_current: bool, width: int, height: int) -> Content:
    """Three lines of digits, one of change, and bars in what is left."""
    text = number(figure.users).replace(NOTHING, "-")
    if big_width(text) <= width:
        digits = [Content.styled(line, STRONG) for line in big(text)]
    else:
        digits = [Content(""), Content.styled(number(figure.users), STRONG), Content("")]
    found = [*digits, _change_line(figure, is_current, width)]
    bars = max(0, height - len(found))
    found += [Content.styled(line, BAR) for line in sparkline(figure.series, width, bars)]
    return Content("\n").join(line.truncate(width, ellipsis=True) for line in found)


def figure_title(figure: Figure, shown: Shown, width: int) -> Content:
    """`DAU last 24 h`, or the end of a past month, and whom it is narrowed to, which is the last to go."""
    when = figure.window.length if shown.is_current else f"end of {shown.month}"
    whom = outside(narrowed_to(shown.asked.filter, shown))
    pieces = [
        Piece(3, Content.styled(figure.window.name, STRONG)),
        Piece(1, Content(when)),
        Piece(2, whom.truncate(max(8, width - 4), ellipsis=True)),
    ]
    return Content(" ").join(fit(pieces, width, gap=1))


def narrowed_to(asked: Filter, shown: Shown) -> str:
    """The filters that narrow active users, in short: ` · Germany · ANDROID`."""
    finest = next((f for f in ("city", "subdivision", "country") if asked.value(f) not in (None, UNKNOWN)), "")
    parts = [
        lines.term_name(term, asked, shown.whole)
        for term in asked.terms
        if term.field in (finest, "client", "text") or (not finest and term.field == "country")
    ]
    return "".join(f"· {part} " for part in parts).rstrip()


def _change_line(figure: Figure, is_current: bool, width: int) -> Content:
    if figure.users is None or figure.before is None:
        return Content.styled("no history yet" if is_current else "no history of then", MUTED)
    text, style = change(figure.users, figure.before)
    against = figure.window.before if is_current else _BEFORE_A_PAST_ONE[figure.window.days]
    line = Content.assemble((text, style), (f" vs {against}", MUTED))
    if line.cell_length > width:
        line = Content.assemble((text, style), (f" {against}", MUTED))
    return line
