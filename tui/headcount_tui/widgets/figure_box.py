"""The boxes of active users and of the month: big digits, the change against before, a sparkline."""

from textual.content import Content
from textual.geometry import Size

from headcount.figures.filters import PLACE_FIELDS, Filter
from headcount.figures.totals import Figure, at_least
from headcount.snapshot import UNKNOWN
from headcount_tui.asked.shown import Shown, quality_of
from headcount_tui.drawing import lines
from headcount_tui.drawing.ascii import AsciiOnly
from headcount_tui.drawing.month_facts import SO_FAR, came_and_went, change_line, open_sessions, users_of_months
from headcount_tui.drawing.render import (
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
from headcount_tui.widgets.panel import Panel

MONTHS = 12  # in the bars of the month's box
# What a window of the past is compared with, in words and in fewer.
_BEFORE_A_PAST_ONE = {
    1: ("the day before", "day before"),
    7: ("the week before", "week before"),
    30: ("30 days before", "30 d before"),
}


class Box(Panel):
    """A box with a title above and one below, fitted to its width."""

    follows_view = False

    def __init__(self) -> None:
        super().__init__()
        self._titles = ("", "")

    @property
    def is_plain(self) -> bool:
        """Whether the terminal has no signs to build digits of."""
        return any(isinstance(line_filter, AsciiOnly) for line_filter in self.app.get_line_filters())

    def above(self, shown: Shown, width: int) -> Content:
        """What it is of, in `width` cells."""
        raise NotImplementedError

    def below(self, shown: Shown, width: int) -> str:
        """What there is to say besides, in `width` cells."""
        raise NotImplementedError

    def show(self, shown: Shown) -> None:
        """Paint the new state and its titles, if they look different."""
        super().show(shown)
        above, below = self.above(shown, self.size.width - 4), self.below(shown, self.size.width - 4)
        if (above.plain, below) != self._titles:
            self._titles = (above.plain, below)
            # Content, never str: a str would be read as markup.
            self.border_title = above
            self.border_subtitle = Content(below)

    def on_resize(self) -> None:
        """Titles are fitted to the width."""
        if self.shown is not None:
            self.show(self.shown)


class FigureBox(Box):
    """DAU, WAU or MAU: the window at `index` of the figures."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self._index = index

    def above(self, shown: Shown, width: int) -> Content:
        """See `figure_title`."""
        return figure_title(shown.figures[self._index], shown, width)

    def below(self, shown: Shown, width: int) -> str:
        """The part of the MAU; below the MAU itself the open sessions, which are as little exact."""
        if self._index == len(shown.figures) - 1:
            return "" if has_month_box(self.app.size) else open_sessions(shown, width)
        return lines.of_mau(shown, self._index, width)

    def draw(self, shown: Shown, size: Size) -> Content:
        """The figure in as many lines as there are."""
        figure = shown.figures[self._index]
        has_past = shown.whole.anonymity is None
        return draw_figure(figure, shown.is_current, size.width, size.height, has_past, self.is_plain)


class MonthBox(Box):
    """The users of the month shown, where there is room for a fourth box."""

    def above(self, shown: Shown, width: int) -> Content:
        """`Month 2026-11 so far`, and whom it is narrowed to."""
        sign = _quality(shown)
        pieces = [
            Piece(5, Content.styled("Month", STRONG)),
            Piece(4, Content(shown.month)),
            Piece(1, Content("so far" if shown.is_current else "")),
            Piece(2, Content(sign if len(sign) > 1 else "")),
            Piece(3, outside(narrowed_to(shown.asked.filter, shown)).truncate(max(8, width - 14), ellipsis=True)),
        ]
        return Content(" ").join(fit(pieces, width, gap=1))

    def below(self, shown: Shown, width: int) -> str:
        """The open sessions, while it goes on; then how true it is."""
        return open_sessions(shown, width) or (shown.counts.quality.value if shown.counts else "")

    def draw(self, shown: Shown, size: Size) -> Content:
        """See `draw_month`."""
        return draw_month(shown, size.width, size.height, self.is_plain)


def has_month_box(screen: Size) -> bool:
    """Whether the screen has room for the fourth box; the styles' `-wider` and `-tall`."""
    return screen.width >= 100 and screen.height >= 20


def digits_of(users: int | None, width: int, mark: str = "", plain: bool = False) -> list[Content]:
    """A number three lines high after its mark; of common digits where it is too wide, or `plain` is asked for."""
    text = number(users).replace(NOTHING, "-")
    if plain or big_width(text) + len(mark) > width:
        return [Content(""), Content.assemble((mark, MUTED), (number(users), STRONG)), Content("")]
    marks = (" " * len(mark), mark, " " * len(mark))
    return [Content.assemble((sign, MUTED), (line, STRONG)) for sign, line in zip(marks, big(text), strict=True)]


def draw_month(shown: Shown, width: int, height: int, plain: bool = False) -> Content:
    """Three lines of digits and how true they are, one of change, one of who came and went, and bars of months."""
    users = shown.counts.users if shown.counts else None
    mark = f"{sign} " if len(sign := _quality(shown)) == 1 else ""
    digits = digits_of(users, width, mark, plain)
    found = [*digits, change_line(shown, width)]
    moved = came_and_went(shown, width)
    if moved.plain:
        found.append(moved)
    months = users_of_months(shown, MONTHS)
    series = [users for users in months for _ in range(max(1, width // len(months)))]
    bars = max(0, height - len(found))
    found += [Content.styled(line, BAR) for line in sparkline(series, width, bars)]
    return Content("\n").join(line.truncate(width, ellipsis=True) for line in found)


def _quality(shown: Shown) -> str:
    return quality_of(shown, shown.month, shown.counts).mark if shown.counts else ""


def draw_figure(
    figure: Figure, is_current: bool, width: int, height: int, has_past: bool = True, plain: bool = False
) -> Content:
    """Three lines of digits, one of change where the past may be shown (`has_past`), and bars in what is left."""
    digits = digits_of(figure.users, width, at_least("", figure.is_floor), plain)
    if has_past:
        found = [*digits, _change_line(figure, is_current, width)]
    else:
        found = [*digits, Content.styled("withheld" if figure.users is None else "", MUTED)]
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
    finest = next((f for f in reversed(PLACE_FIELDS) if asked.value(f) not in (None, UNKNOWN)), "")
    parts = [
        lines.term_name(term, asked, shown.whole)
        for term in asked.terms
        if term.field in (finest, "client", "text") or (not finest and term.field == "country")
    ]
    return "".join(f"· {part} " for part in parts).rstrip()


def _change_line(figure: Figure, is_current: bool, width: int) -> Content:
    if figure.is_partial:
        return Content.styled(SO_FAR, MUTED)
    if figure.users is None or figure.before is None:
        return Content.styled("no history yet" if is_current else "no history of then", MUTED)
    text, style = change(figure.users, figure.before)
    long, short = (figure.window.before,) * 2 if is_current else _BEFORE_A_PAST_ONE[figure.window.days]
    for against in (f" vs {long}", f" vs {short}", f" {short}"):
        line = Content.assemble((text, style), (against, MUTED))
        if line.cell_length <= width:
            break
    return line
