"""The small pieces that everything on the screen is made of: numbers, bars, signs. Pure functions.

Colours are names of the theme, never values. Text from outside goes through `outside`, never into markup.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.content import Content
from textual.renderables.digits import Digits
from textual.style import Style

from headcount.text import clean

MUTED = "$foreground-muted"
STRONG = "bold"
GOOD = "$text-success"
BAD = "$text-error"
WARNING = "$text-warning"
ACCENT = "$text-accent"
KEY = "bold $text-primary"
BAR = "$primary"
RULE = "$primary 60%"

LIT = "on $accent 20%"

LIT_FOR = 1.0
"""Seconds for which what is new is lit."""
NOTHING = "–"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def outside(text: str, style: str = "", limit: int = 200) -> Content:
    """Text from outside as text: never markup, nothing in it that a terminal obeys, no more than `limit` characters.

    The core has cleaned what it hands out; this is the second lock on the same door.
    """
    return Content.styled(clean(text, limit), style) if style else Content(clean(text, limit))


def number(value: int | None) -> str:
    """`1,204,331`; a dash where nothing is known."""
    return NOTHING if value is None else f"{value:,}"


def number_in(value: int, width: int) -> str:
    """A number in at most `width` cells (3, or more), rounded where it must be: `980`, `9.9k`, `312k`, `1.2M`; in
    three cells, `.3M` for hundreds of thousands."""
    if value < 1000:
        return str(value)
    rest = float(value)
    for unit, next_unit in pairwise("kMGTPE"):
        rest /= 1000
        text = f"{rest:.1f}".removesuffix(".0") if rest < 9.95 and width > 3 else f"{rest:.0f}"
        if rest < 999.5 and len(text) < width:
            return text + unit
        if rest < 999.5:
            return f".{min(9, round(rest / 100))}{next_unit}"
    return "∞"


def short(value: float) -> str:
    """A number in few cells: `950`, `82.9k`, `415k`, `1.2M`."""
    if value < 1000:
        return f"{value:.0f}"
    for unit in ("k", "M", "G"):
        value /= 1000
        if value < 999.5 or unit == "G":
            break
    return f"{value:.1f}".removesuffix(".0") + unit if value < 99.95 else f"{value:.0f}{unit}"


def percent(share: float | None) -> str:
    """A share of 1 as `31.4 %`; a dash where nothing is known."""
    return NOTHING if share is None else f"{100 * share:.1f} %"


def share_known(share: float | None) -> str:
    """A share of 1 in whole percent, that says 0 and 100 of nothing less."""
    if share is None:
        return NOTHING
    if 0 < share < 1:
        share = min(max(share, 0.01), 0.99)
    return f"{100 * share:.0f} %"


def change(now: int | None, before: int | None) -> tuple[str, str]:
    """How `now` differs from `before`, in words and signs, and the style that repeats it in colour."""
    if now is None or before is None:
        return "", MUTED
    if now == before:
        return "= unchanged", MUTED
    sign, style = ("▲ +", GOOD) if now > before else ("▼ −", WARNING)
    if not before:
        return f"{sign}{now - before:,}", style
    relative = abs(now - before) / before
    return f"{sign}{100 * relative:.1f} %" if relative < 10 else f"{sign}{relative + 1:,.0f}×", style


def trend(now: int | None, before: int | None) -> str:
    """One sign for the direction: more, less, the same, or nothing where it is not known."""
    if now is None or before is None:
        return ""
    return "▲" if now > before else "▼" if now < before else "="


def bar(share: float, width: int) -> str:
    """A bar of `share` of `width` cells, to an eighth of a cell; whatever is more than nothing shows."""
    eighths = round(min(max(share, 0), 1) * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def gauge(share: float, width: int) -> Content:
    """A bar whose empty rest is visible, for progress."""
    filled = bar(share, width)
    return Content.assemble((filled, BAR), ("░" * (width - len(filled)), MUTED))


def sparkline(series: Sequence[int | None], width: int, height: int = 1) -> list[str]:
    """The last `width` values as bars in `height` lines; a gap where nothing is known.

    The scale runs from the least to the greatest, but never over less than a tenth of the greatest: what
    hardly changes shall look it.
    """
    values = list(series)[-width:] if width > 0 else []
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return [""] * height
    top = max(known)
    span = max(top - min(known), top / 10, 1)
    steps = height * len(_HEIGHTS) - 1
    levels = [None if value is None else 1 + round(steps * (1 - (top - value) / span)) for value in values]
    return ["".join(_part(level, len(_HEIGHTS) * below) for level in levels) for below in reversed(range(height))]


def _part(level: int | None, below: int) -> str:
    """One cell of a bar `level` eighths high, of which `below` are in the cells under it."""
    if level is None or level <= below:
        return " "
    return _HEIGHTS[min(level - below, len(_HEIGHTS)) - 1]


def big(text: str) -> list[str]:
    """Digits three lines high, as three lines."""
    segments = Digits(text).render(RichStyle(bold=True))
    drawn = "".join(segment.text for segment in segments if isinstance(segment, Segment))
    return drawn.rstrip("\n").split("\n")


def big_width(text: str) -> int:
    """How many cells wide `big` makes it."""
    return Digits.get_width(text)


def link(text: str, action: str, style: str = "") -> Content:
    """Our own text that runs an action of ours when it is clicked."""
    clickable = Content.styled(text, Style.from_meta({"@click": action}))
    return clickable.stylize(style) if style else clickable


def cell(content: Content, width: int, left: bool = False) -> Content:
    """`content` in exactly `width` cells, cut with an ellipsis where it is longer."""
    if left:
        return content.truncate(width, ellipsis=True, pad=True)
    return content.right(width, ellipsis=True)


class Piece(NamedTuple):
    """A part of a line, and how dear it is: the line gives up the cheapest ones where room is short."""

    worth: int
    content: Content


def fit(pieces: Iterable[Piece], width: int, gap: int = 2) -> list[Content]:
    """The pieces, in their order, that have room in `width` cells; the one of most worth in any case."""
    kept = [piece for piece in pieces if piece.content.plain]
    while len(kept) > 1 and line_width([piece.content for piece in kept], gap) > width:
        kept.remove(min(kept, key=lambda piece: piece.worth))
    return [piece.content for piece in kept]


def line_width(contents: Sequence[Content], gap: int) -> int:
    """The cells that `contents` take side by side."""
    return sum(content.cell_length for content in contents) + gap * max(0, len(contents) - 1)


def spread(left: Sequence[Content], right: Sequence[Content], width: int, gap: int = 2) -> Content:
    """Two groups on one line: one at its start, one at its end."""
    between = Content(" " * gap)
    start, end = between.join(left), between.join(right)
    room = max(gap if start.plain and end.plain else 0, width - start.cell_length - end.cell_length)
    return Content.assemble(start, " " * room, end).truncate(width, ellipsis=True)


def fit_lines(contents: Iterable[Content], width: int, height: int, gap: int = 3) -> list[Content]:
    """The contents in their order, side by side where they have room, in `height` lines at the most."""
    lines: list[list[Content]] = []
    for content in contents:
        if lines and line_width([*lines[-1], content], gap) <= width:
            lines[-1].append(content)
        else:
            lines.append([content])
    return [Content(" " * gap).join(line).truncate(width, ellipsis=True) for line in lines[:height]]
