"""The map of the world as it is painted: who has users there, in what shade, with what names. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import or_
from typing import NamedTuple

from textual.content import Content
from textual.geometry import Size

from headcount.figures.tables import Row, country_rows
from headcount.figures.totals import at_least, is_comparable
from headcount.months import shift
from headcount.snapshot import Place
from headcount_tui.asked.shown import Shown
from headcount_tui.drawing import hints
from headcount_tui.drawing.atlas import Cell, View, atlas, cells, owners, view
from headcount_tui.drawing.dates import month_title
from headcount_tui.drawing.render import (
    ACCENT,
    MUTED,
    STRONG,
    WARNING,
    Piece,
    change,
    fit,
    line_width,
    number,
    number_in,
    outside,
    percent,
    spread,
)
from headcount_tui.drawing.shades import Steps, by_magnitude

# What of a cell's eight dots shows, and in what style: land without users, then a step each. More users are denser,
# so that the map can be read without its colours; the last step has its countries' codes written on it too.
DOTS = (0x21, 0x95, 0x7D, 0xEF, 0xFF)
STYLES = ("$foreground 35%", "$primary 75%", "$primary", "$text-primary", f"{STRONG} {ACCENT}")
LIT = f"{STRONG} reverse"
_MIDDLE_DOTS = 0x36  # of a country that is smaller than a dot
_LEAST = Size(24, 3)  # for a map
_BELOW = 2  # lines under it
_KEYS = tuple(
    Piece(worth, Content.styled(text, MUTED))
    for worth, text in (
        (3, "Arrow keys select a country"),
        (1, "Enter drills in"),
        (2, "1 shows the same as a table"),
    )
)


@dataclass(frozen=True, slots=True)
class Countries:
    """The countries of a month. `order` has the codes of those that are on the map and have users, most users first;
    `elsewhere` the rows with users that no map has a place for; `nowhere` is the row of those of unknown place."""

    rows: dict[str | None, Row[Place]]
    order: tuple[str, ...]
    steps: Steps
    elsewhere: tuple[Row[Place], ...]
    nowhere: Row[Place] | None

    def shade(self, code: str) -> int:
        """The shade of a country's users; 0 without. The last step has the last shade, however few steps there are."""
        step = self.steps.of(self.rows[code].users) if code in self.rows else 0
        return step + self._lighter if step else 0

    @property
    def _lighter(self) -> int:
        """The shades that are of no use because the greatest users are few."""
        return len(DOTS) - 1 - len(self.steps.least)

    def ranges(self) -> list[tuple[int, int, int | None]]:
        """Each shade with the least and the greatest number of users; None: without end."""
        return [(shade, *ends) for shade, ends in enumerate(self.steps.ranges(), start=1 + self._lighter)]


class Selection(NamedTuple):
    """The selected country, and how many times the map is enlarged around it."""

    code: str | None = None
    zoom: int = 1


def countries_of(shown: Shown) -> Countries:
    """The countries of the month shown, as the filter leaves them."""
    rows = {row.key.country: row for row in shown.rows(country_rows)}
    points = atlas().points
    with_users = [row for row in rows.values() if row.users]
    order = tuple(row.key.country for row in with_users if row.key.country in points)
    return Countries(
        rows,
        order,
        by_magnitude([row.users for row in with_users if row.users and row.key.country in points], len(DOTS) - 1),
        tuple(row for row in with_users if row.key.country not in (None, *order)),
        next((row for row in with_users if row.key.country is None), None),
    )


def draw_world(shown: Shown, countries: Countries, size: Size, selected: Selection, has_keys: bool) -> Content:
    """The map, what its shades mean, and a line about the selected country, or about how to select one."""
    words = words_of(shown, countries, selected, size.width, has_keys)
    if size.width < _LEAST.width or size.height - _BELOW < _LEAST.height:
        return words.truncate(size.width, ellipsis=True)
    here = view_of(countries, size, selected)
    left = " " * ((size.width - here.width) // 2)
    rows = [Content.assemble(left, row) for row in paint(countries, here, selected.code)]
    rows += [Content("")] * (size.height - _BELOW - here.height)
    named = [code for code in labels(countries, here, selected.code).values() if code != selected.code]
    last = next((code for code in named if countries.shade(code) == len(DOTS) - 1), "")
    shades = legend(countries, last, size.width)
    # Why there is nobody may take the line of the shades, which there are none of then.
    below = (
        [shades, words.truncate(size.width, ellipsis=True)] if shades.plain.strip() else words.wrap(size.width)[:_BELOW]
    )
    return Content("\n").join([*rows, *[Content("")] * (_BELOW - len(below)), *below])


def view_of(countries: Countries, size: Size, selected: Selection) -> View:
    """The piece of the world that is seen: around the selected country, or else the one with the most users."""
    around = selected.code or next(iter(countries.order), None)
    return view(size.width, size.height - _BELOW, selected.zoom, atlas().points[around] if around else None)


def paint(countries: Countries, here: View, selected: str | None) -> list[Content]:
    """The rows of the map."""
    codes, wanted = atlas().codes, _wanted(countries, selected)
    signs = [
        [
            _sign(
                cell, owner, countries.shade(codes[owner - 1]) if owner else 0, owner and codes[owner - 1] == selected
            )
            for cell, owner in zip(row, of_row, strict=True)
        ]
        for row, of_row in zip(cells(here), owners(here, wanted), strict=True)
    ]
    for (column, row), code in labels(countries, here, selected).items():
        style = LIT if code == selected else STYLES[countries.shade(code)]
        signs[row][column : column + len(code)] = [(letter, style) for letter in code]
    return [Content.assemble(*_in_runs(row)) for row in signs]


def _wanted(countries: Countries, selected: str | None) -> frozenset[str]:
    return frozenset((*countries.order, selected) if selected else countries.order)


def _sign(cell: Cell, owner: int, shade: int, is_selected: bool | int) -> tuple[str, str]:
    if not owner:
        return " ", ""
    if shade or is_selected:
        dots = next((part.dots for part in cell if part.number == owner), _MIDDLE_DOTS)
    else:  # land without users needs no borders
        dots = reduce(or_, (part.dots for part in cell))
    style = STRONG if is_selected else STYLES[shade]
    return chr(0x2800 + (dots & DOTS[shade] or dots)), style


def _in_runs(signs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Signs of one style together."""
    for style, run in groupby(signs, key=lambda sign: sign[1]):
        yield "".join(sign for sign, _ in run), style


def labels(countries: Countries, here: View, selected: str | None) -> dict[tuple[int, int], str]:
    """Where on the view codes are written (column and row of their first letter): of the selected country, and of
    those in the last shade, and, where the map is enlarged, of all; but of these only where it hides nobody else."""
    is_large = here.east - here.west < 360
    named = [code for code in countries.order if is_large or countries.shade(code) == len(DOTS) - 1]
    found: dict[tuple[int, int], str] = {}
    grid = owners(here, _wanted(countries, selected))
    for code in dict.fromkeys(([selected] if selected else []) + named):
        at = here.cell_of(atlas().points[code])
        if at is None:
            continue
        column, row = min(at[0], here.width - len(code)), at[1]
        hidden = {atlas().codes[owner - 1] for owner in grid[row][column : column + len(code)] if owner} - {code}
        is_free = all(row != other or abs(column - start) >= len(code) for start, other in found)
        if code == selected or (is_free and hidden.isdisjoint(countries.order)):
            found[column, row] = code
    return found


def country_at(countries: Countries, size: Size, selected: Selection, x: int, y: int) -> str | None:
    """The country with users that is painted in that cell of the panel."""
    here = view_of(countries, size, selected)
    column = x - (size.width - here.width) // 2
    if not (0 <= column < here.width and 0 <= y < here.height):
        return None
    for (start, row), code in labels(countries, here, selected.code).items():
        if row == y and start <= column < start + len(code):
            return code
    owner = owners(here, _wanted(countries, selected.code))[y][column]
    found = atlas().codes[owner - 1] if owner else None
    return found if found in countries.order or found == selected.code else None


def legend(countries: Countries, named: str, width: int) -> Content:
    """What the shades mean; and the users that are not on the map, so that nobody is missing. `named` is a code that is
    written on the map, for the last shade; empty where none is."""
    right = []
    if countries.nowhere is not None:
        right.append(Piece(5, Content.assemble(("? unknown ", MUTED), _users(countries.nowhere))))
    if countries.elsewhere:
        right.append(Piece(6, _not_on_the_map(countries.elsewhere, width // 3)))
    for is_short in (False, True):
        left = [Piece(3, Content(" " if is_short else "  ").join(_shades(countries, named, is_short)))]
        if line_width([piece.content for piece in (*left, *right)], 2) <= width:
            break
    kept = fit([*left, *right], width)
    start, end = ([c for c in kept if any(c is piece.content for piece in side)] for side in (left, right))
    return spread(start, end, width)


def _shades(countries: Countries, named: str, is_short: bool) -> list[Content]:
    """Each shade with its range, or with its least number alone."""
    found = []
    for shade, least, greatest in countries.ranges() if countries.order else ():
        sign = chr(0x2800 + DOTS[shade]) + (named if greatest is None else "")
        if is_short or greatest is None:
            text = (number_in(least, 4) if is_short else number(least)) + "+"
        else:
            text = number(least) if least == greatest else f"{number(least)}–{number(greatest)}"
        found.append(Content.assemble((sign, STYLES[shade]), " ", (text, MUTED)))
    return found


def _users(row: Row[Place]) -> Content:
    users, share = (at_least(text, row.is_floor) for text in (number(row.users), percent(row.share)))
    return Content.assemble(users, (f" ({share})", MUTED))


def _not_on_the_map(rows: Sequence[Row[Place]], width: int) -> Content:
    """`not on the map: Antarctica 3, Europe 2`, or how many where their names are too long."""
    names = Content(", ").join([Content.assemble(outside(row.label), f" {number(row.users)}") for row in rows])
    if names.cell_length > width:
        names = Content(f"{len(rows)} countries, {number(sum(row.users or 0 for row in rows))}")
    return Content.assemble(("not on the map: ", MUTED), names)


def words_of(shown: Shown, countries: Countries, selected: Selection, width: int, has_keys: bool) -> Content:
    """The country that is selected, in words; where none is, why there is none, or how to select one."""
    zoom = [Content.styled(f"×{selected.zoom}", MUTED)] if selected.zoom > 1 else []
    row = countries.rows.get(selected.code) if selected.code else None
    if row is not None and row.users is not None:
        return spread(fit(_pieces(shown, row), width - 5), zoom, width)
    if not countries.order and has_keys:
        is_empty = not countries.rows or hints.is_apart(shown)
        why = hints.empty(shown) if is_empty else f"No user of {shown.month} is on the map."
        return outside(why, WARNING)
    return spread(fit(_KEYS if has_keys else (), width - 5, gap=3), zoom, width)


def _pieces(shown: Shown, row: Row[Place]) -> list[Piece]:
    mark = shown.counts.quality.mark if shown.counts else ""
    users = f"{number(row.users)} month users"
    if row.is_floor:
        marked = at_least(users, is_floor=True)
    else:
        marked = f"{users}, imported" if mark == "imported" else f"{mark} {users}"
    pieces = [
        Piece(9, outside(row.label, STRONG)),
        Piece(8, Content(marked)),
        Piece(7, Content(at_least(percent(row.share), row.is_floor and row.share is not None))),
    ]
    if shown.is_current:  # a month so far and a whole one can't be compared
        # Where groups are folded, nobody may mean somebody in another group.
        today = row.active.day or (None if shown.whole.anonymity is not None else 0)
        words = at_least(number(today), row.is_active_floor and today is not None)
        pieces.append(Piece(5, Content.styled(f"24 h {words}", MUTED)))
    elif is_comparable(shown.cut, shown.month) and shown.whole.anonymity is None:
        pieces.append(Piece(6, Content.styled(*change(row.users, row.before))))
    if shown.whole.anonymity is not None:
        return pieces
    before = month_title(shift(shown.month, -1))
    return [*pieces, Piece(4, Content.styled(f"{before} {number(row.before)}", MUTED))]
