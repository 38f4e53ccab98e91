"""The months as a table of years: what each cell says, how it is shaded, where the cursor goes. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from textual.content import Content
from textual.geometry import Size

from headcount.figures.tables import MonthRow, month_rows
from headcount.figures.totals import at_least
from headcount.months import shift
from headcount.snapshot import Quality
from headcount_tui.asked.shown import Shown
from headcount_tui.drawing import hints
from headcount_tui.drawing.dates import MONTHS
from headcount_tui.drawing.render import MUTED, STRONG, WARNING, Piece, cell, change, fit, number, number_in, outside
from headcount_tui.drawing.shades import Steps, evenly

_YEAR = 5  # cells, the year's own column
_LEAST, _WIDEST = 4, 9  # cells of a month
_SIGNS = " ░▒▓█"
_SHADES = ("", "on $primary 10%", "on $primary 25%", "on $primary 45%", "on $primary 70%")
_BESIDE = 2  # lines above and below the years


@dataclass(frozen=True, slots=True)
class Years:
    """The months known, oldest first, as the filter leaves them. A month that cannot answer it has no row."""

    months: Mapping[str, MonthRow | None]
    steps: Steps

    @property
    def years(self) -> list[str]:
        """The years that have a month, the newest first."""
        return sorted({month[:4] for month in self.months}, reverse=True)

    def row(self, month: str) -> MonthRow | None:
        """The row of a month; one without users where it cannot answer. None: the month is not known."""
        if month not in self.months:
            return None
        return self.months[month] or MonthRow(month, 0, Quality.IMPORTED, None, None, None)


def years_of(shown: Shown) -> Years:
    """The months of the hosts shown."""
    rows = {row.month: row for row in month_rows(shown.cut)}
    whole = shown.whole.hosts
    cannot = {month for host in shown.cut.hosts for month in whole[host].months} - rows.keys()
    months = {month: rows.get(month) for month in sorted({*rows, *cannot, shown.whole.month})}
    if shown.whole.month not in rows and shown.whole.month not in cannot:
        months[shown.whole.month] = MonthRow(shown.whole.month, 0, Quality.LOWER_BOUND, None, None, None)
    return Years(months, evenly([row.users for row in rows.values() if row.users], len(_SHADES) - 1))


class Grid(NamedTuple):
    """Where the cells are: how wide each is, and the months of a year and the years, the newest first, that there is
    room for."""

    cell: int
    months: range
    years: list[str]
    is_more_above: bool
    is_more_below: bool

    def month_at(self, x: int, y: int) -> str | None:
        """The month of a cell of the panel."""
        column, row = (x - _YEAR) // self.cell, y - 1
        if x < _YEAR or not 0 <= column < len(self.months) or not 0 <= row < len(self.years):
            return None
        return f"{self.years[row]}-{self.months[column]:02}"


def grid_of(years: Years, size: Size, cursor: str) -> Grid:
    """The cells that fit, the cursor's among them."""
    every = years.years
    room = max(1, size.height - _BESIDE)
    here = every.index(cursor[:4]) if cursor[:4] in every else 0
    start = min(max(0, here - room // 2), max(0, len(every) - room))
    wide = max(_LEAST, min(_WIDEST, (size.width - _YEAR) // 12))
    across = min(12, max(1, (size.width - _YEAR) // wide))
    first = min(max(1, int(cursor[5:] or 1) - across // 2), 13 - across)
    return Grid(wide, range(first, first + across), every[start : start + room], start > 0, start + room < len(every))


def draw_years(shown: Shown, years: Years, size: Size, cursor: str) -> Content:
    """A line a year, and what there is to say of the month under the cursor."""
    grid = grid_of(years, size, cursor)
    names = [MONTHS[nth - 1] for nth in grid.months]
    head = Content.assemble(
        " " * _YEAR, *(cell(Content.styled(name + " " * max(0, grid.cell - 6), MUTED), grid.cell) for name in names)
    )
    lines = [head]
    for index, year in enumerate(grid.years):
        more = "▲" if grid.is_more_above and not index else ""
        more = "▼" if grid.is_more_below and index == len(grid.years) - 1 else more
        months = [_month(shown, years, f"{year}-{nth:02}", cursor, grid.cell) for nth in grid.months]
        lines.append(Content.assemble((f"{year}{more:<1}", MUTED), *months))
    if size.height > len(lines):
        lines.append(told_of(shown, years, cursor, size.width))
    return Content("\n").join(line.truncate(size.width) for line in lines)


def _month(shown: Shown, years: Years, month: str, cursor: str, width: int) -> Content:
    """One month in `width` cells: a sign for its shade, how true its users are, its users, as far as there is room."""
    row = years.months.get(month)
    shade = years.steps.of(row.users) if row is not None and row.users else 0
    style = _SHADES[shade] if row is not None and row.users else MUTED
    if month == shown.month:
        style = f"{STRONG} underline {style}"
    if month == cursor:
        style = f"{STRONG} reverse"
    text, sign, after = _users(shown, years, month, 3 if width < 5 else 4), "", ""
    if width > 5:  # room to tell the month shown, and the shade, without their colours
        sign, text = "▸" if month == shown.month else _SIGNS[shade], f"{_mark(row) + text:>5}"
        after = "…" if month == shown.whole.month and width > 6 else ""
    first = style if month in (cursor, shown.month) else f"$foreground 40% {_SHADES[shade]}"
    return Content.assemble(
        (sign, first), (f"{text:>{min(width, 6) - len(sign)}}", style), (f"{after:<{max(0, width - 6)}}", MUTED)
    )


def _users(shown: Shown, years: Years, month: str, width: int) -> str:
    """A month's users in so many cells; `?` where it cannot answer, a dot where nothing is known of it."""
    row = years.months.get(month)
    if row is not None:
        return number_in(row.users, width)
    if month in years.months:
        return "?"
    return "·" if min(years.months) < month < shown.whole.month else ""


def _mark(row: MonthRow | None) -> str:
    """One sign for how true a month's users are; none where they are exact."""
    return {Quality.EXACT: "", Quality.LOWER_BOUND: "≥", Quality.IMPORTED: "i"}[row.quality] if row else ""


def told_of(shown: Shown, years: Years, month: str, width: int) -> Content:
    """The month under the cursor in words."""
    row = years.months.get(month)
    is_current = month == shown.whole.month
    name = Content.assemble((month, STRONG), (" so far" if is_current else "", MUTED))
    if row is None:
        return Content.assemble(name, "  ", ("what was imported cannot answer this filter.", WARNING)).truncate(width)
    users, mark = f"{number(row.users)} month users", row.quality.mark
    pieces = [
        Piece(9, name),
        Piece(8, Content(f"{users}, imported" if mark == "imported" else f"{mark} {users}")),
        Piece(7, _change(row)),
        Piece(4, _counted(row.countries, "country", "countries", shown)),
        Piece(3, _counted(row.clients, "client", "clients", shown)),
    ]
    missing = hints.left_out(replace(shown, month=month))
    if missing:
        hosts = missing[0] if len(missing) == 1 else f"{len(missing)} hosts"
        pieces.append(Piece(6, outside(f"without {hosts}", WARNING)))
    return Content("  ").join(fit(pieces, width))


def _change(row: MonthRow) -> Content:
    """Against the month before, where the two can be compared."""
    if row.change is None:
        return Content("")
    return Content.styled(*change(round(1e6 * (1 + row.change)), 1_000_000))


def _counted(count: int | None, one: str, many: str, shown: Shown) -> Content:
    if count is None:
        return Content("")
    counted = at_least(number(count), shown.whole.anonymity is not None)
    return Content.styled(f"{counted} {one if count == 1 else many}", MUTED)


def beside(years: Years, month: str, by: int) -> str:
    """The month known next after (by 1) or before (by -1) `month`; itself where there is none."""
    found = [other for other in years.months if (other > month if by > 0 else other < month)]
    return (min if by > 0 else max)(found, default=month)


def year_beside(years: Years, month: str, by: int) -> str:
    """The month known that is nearest to the same month of the year before or after; of that year or one beyond."""
    found = [other for other in years.months if (other[:4] > month[:4] if by > 0 else other[:4] < month[:4])]
    wanted = shift(month, 12 * by)
    return min(found, key=lambda other: (abs(_months(other) - _months(wanted)), other), default=month)


def _months(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])
