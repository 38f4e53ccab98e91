"""The trend as a chart with axes, painted by plotext: pure functions, from a course and a size to what is painted."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from math import floor, log10
from typing import NamedTuple

from textual.content import Content
from textual_plotext import Plot

from headcount.months import month_of, shift, start_of
from headcount.snapshot import Quality
from headcount_tui.drawing.dates import MONTHS, day
from headcount_tui.drawing.render import MUTED, STRONG, fit_lines, outside, short
from headcount_tui.drawing.trend_data import DAY, HOUR, NAMES, Course, Gap, Line

# How each line looks: colour, and what it is drawn with. The three that never cross are fine lines; the fourth, dots.
STYLES = {"DAU": "$text-primary", "WAU": "$text-accent", "MAU": "$foreground", "month users": "$text-success"}
_MARKERS = {"DAU": "braille", "WAU": "braille", "MAU": "braille", "month users": "•"}
_SIGNS = {"DAU": "─", "WAU": "─", "MAU": "─", "month users": "•"}
ENDS = {Quality.EXACT: "◆", Quality.LOWER_BOUND: "≥", Quality.IMPORTED: "◇"}
SHADE, CHANGE = "░", "┊"
_SHADED = "$foreground 25%"
_COLOR = re.compile(r"\x1b\[([0-9;]*)m")

Grid = list[list[tuple[str, str]]]
Dots = tuple[tuple[int, int], ...]


class Frame(NamedTuple):
    """A canvas of `width` times `height` cells, two dots wide and four dots high each, and what its edges say.

    Marks on the axes are (cell, label); cells and dots are counted from the lower left.
    """

    width: int
    height: int
    across: tuple[tuple[int, str], ...]
    upwards: tuple[tuple[int, str], ...]


class Plane(NamedTuple):
    """Where moments and users stand on a frame. The one mapping for all that is drawn: a dot lies in its value's cell.

    It is plotext's mapping of ticks: the least and the greatest value stand in the middle of the first and the last
    cell. Plotext maps fine markers in another way, to the outer edges of these cells, so it gets them as dots.
    """

    course: Course
    frame: Frame
    top: int

    def x(self, when: float) -> int:
        """The dot of a moment."""
        return _along(when, self.course.since, self.course.until, self.frame.width, 2)

    def column(self, when: float) -> int:
        """The cell of a moment."""
        return self.x(when) // 2

    def y(self, users: int) -> int:
        """The dot of a number of users, from the bottom."""
        return _along(users, 0, self.top, self.frame.height, 4)

    def row(self, users: int) -> int:
        """The cell of a number of users, from the top."""
        return self.frame.height - 1 - self.y(users) // 4


def draw_course(course: Course, zone: tzinfo, width: int, height: int) -> Content:
    """The chart in `height` lines of `width` cells, its axes and the names of its lines within."""
    names = _names(course, width) if height >= 6 else {}
    beside = max((name.cell_length for name in names.values()), default=0)
    scale = steps(course.greatest, max(2, (height - 2) // 2))
    labels = [short(value) for value in scale]
    frame = Frame(max(2, width - beside - max(map(len, labels)) - 1), max(2, height - 2), (), ())
    plane = Plane(course, frame, scale[-1])
    frame = frame._replace(
        across=tuple((plane.column(when), label) for when, label in moments(course, zone, frame.width)),
        upwards=tuple((plane.y(value) // 4, label) for value, label in zip(scale, labels, strict=True)),
    )
    plane = plane._replace(frame=frame)
    lines = tuple((line.name, tuple(_dots(plane, line))) for line in course.lines)
    grid = [list(row) for row in _plot(frame, lines)]
    _lay_over(grid, plane, len(grid[0]) - frame.width)
    rows = [_row(cells) for cells in grid]
    for name, row in (_places(course, plane) if names else {}).items():
        rows[row] = Content.assemble(rows[row], names[name])
    return Content("\n").join(rows)


def slots(width: int) -> int:
    """How many dots wide a chart of `width` cells is, about."""
    return 2 * max(2, width - 18)


def steps(greatest: int, room: int) -> list[int]:
    """Round numbers from 0 to `greatest` or a little above, `room` of them at the most (and two at the least)."""
    greatest = max(1, greatest)
    rough = max(1.0, greatest / max(1, room - 1))
    power = 10 ** floor(log10(rough))
    step = next(round(factor * power) for factor in (1, 2, 2.5, 5, 10) if _serves(factor * power, rough))
    return list(range(0, greatest + step, step))


def _serves(step: float, rough: float) -> bool:
    return step >= rough - 1e-9 and step == round(step)


def moments(course: Course, zone: tzinfo, room: int) -> list[tuple[float, str]]:
    """Round moments within the course, with their labels; as many as `room` cells have place for."""
    span = course.until - course.since
    hours, days = span / HOUR, span / DAY
    for step in (1, 3, 6, 12):
        if hours / step * 8 <= room:
            return list(_hours(course, zone, step))
    for step in (1, 2, 7, 14):
        if days / step * 9 <= room:
            return list(_days(course, zone, step))
    step = next((step for step in (1, 2, 3, 6, 12, 24, 60) if days / 30 / step * 11 <= room), 120)
    return list(_month_starts(course, zone, step))


def _hours(course: Course, zone: tzinfo, step: int) -> Iterable[tuple[float, str]]:
    when = course.since // HOUR * HOUR
    while when <= course.until:
        moment = datetime.fromtimestamp(when, zone)
        if when >= course.since and moment.hour % step == 0 and moment.minute == 0:
            yield when, moment.strftime("%H:%M") if moment.hour else day(when, zone)
        when += HOUR


def _days(course: Course, zone: tzinfo, step: int) -> Iterable[tuple[float, str]]:
    date = datetime.fromtimestamp(course.since, zone).date()
    while (when := datetime(date.year, date.month, date.day, tzinfo=zone).timestamp()) <= course.until:
        if when >= course.since and (date.toordinal() - 1) % step == 0:  # a week begins on a Monday
            yield when, day(when, zone)
        date += timedelta(1)


def _month_starts(course: Course, zone: tzinfo, step: int) -> Iterable[tuple[float, str]]:
    month, last = month_of(course.since, zone), month_of(course.until, zone)
    is_first = True
    while month is not None and last is not None and month <= last:
        number = int(month[:4]) * 12 + int(month[5:]) - 1
        if number % step == 0 and start_of(month, zone) >= course.since:
            name = MONTHS[number % 12]
            yield start_of(month, zone), f"{name} {month[:4]}" if is_first or number % 12 == 0 else name
            is_first = False
        month = shift(month, 1)


def notes(course: Course, zone: tzinfo, width: int, room: int) -> list[Content]:
    """What the signs in the chart mean and what happened then, in `room` lines at the most."""
    gaps = sorted(course.gaps, key=lambda gap: gap.since - gap.until)
    found = [Content.assemble((f"{SHADE} ", MUTED), _gap_note(gap, zone)) for gap in gaps[:2]]
    if len(gaps) > 2:
        found[-1] = Content.assemble(found[-1], f", and {len(gaps) - 2} more")
    found += [
        Content.assemble((f"{CHANGE} ", MUTED), f"{day(mark.when, zone)}: places from ", outside(mark.geo))
        for mark in course.marks[-3:]
    ]
    words = {
        Quality.EXACT: "month users of a whole month",
        Quality.LOWER_BOUND: "month users, at least",
        Quality.IMPORTED: "month users, imported",
    }
    qualities = {end.quality for end in course.ends}
    found += [
        Content.assemble((f"{sign} ", STYLES["month users"]), words[quality])
        for quality, sign in ENDS.items()
        if quality in qualities
    ]
    return fit_lines([note.stylize_before(MUTED) for note in found], width, room)


def _gap_note(gap: Gap, zone: tzinfo) -> str:
    start, end = day(gap.since, zone), day(gap.until, zone)
    return f"gap {length(gap)}: no data {start if start == end else f'{start} – {end}'}"


def length(gap: Gap) -> str:
    """How long a gap is: `3 d`, `5 h`."""
    hours = (gap.until - gap.since) / HOUR
    return f"{hours / 24:.0f} d" if hours >= 36 else f"{hours:.0f} h"


def _along(value: float, start: float, end: float, cells: int, dots: int) -> int:
    """The dot of a value on an axis of so many cells, with so many dots in each."""
    share = min(max((value - start) / (end - start), 0), 1) if end > start else 0
    return floor(dots * round(0.5 + share * (cells - 1), 8))  # rounded as plotext does, against 0.49999999


def _middle(cell: int, dots: int) -> int:
    """A dot that plotext puts into that cell, on an axis with so many dots in each."""
    return dots * cell + dots // 2


def _dots(plane: Plane, line: Line) -> Iterable[Dots]:
    """The stretches of a line in dots, none twice; equal ones make equal charts, which are painted once."""
    is_fine = _MARKERS[line.name] == "braille"
    for stretch in line.stretches:
        dots = ((plane.x(dot.when), plane.y(dot.users)) for dot in stretch)
        yield tuple(dict.fromkeys(dots if is_fine else ((_middle(x // 2, 2), _middle(y // 4, 4)) for x, y in dots)))


@lru_cache(maxsize=8)
def _plot(frame: Frame, lines: tuple[tuple[str, tuple[Dots, ...]], ...]) -> tuple[tuple[tuple[str, str], ...], ...]:
    """What plotext makes of it, as rows of cells: a sign and its style."""
    width = frame.width + max(len(label) for _, label in frame.upwards) + 1
    plot = Plot()
    plot.theme("clear")
    plot.plotsize(width, frame.height + 2)
    plot._set_size(width, frame.height + 2)  # else it is cut to the size of the terminal, as textual-plotext found
    plot.xaxes(True, False)
    plot.yaxes(True, False)
    plot.xlim(0, 2 * frame.width - 1)
    plot.ylim(0, 4 * frame.height - 1)
    plot.xticks([_middle(column, 2) for column, _ in frame.across], [label for _, label in frame.across])
    plot.yticks([_middle(row, 4) for row, _ in frame.upwards], [label for _, label in frame.upwards])
    plot.plot([0], [0], marker=" ", color=0)  # without any line there would be no axes
    for name, stretches in reversed(lines):
        for dots in stretches:
            x, y = zip(*dots, strict=True)
            plot.plot(x, y, marker=_MARKERS[name], color=1 + NAMES.index(name))
    return tuple(tuple(_cells(line)) for line in plot.build().rstrip("\n").split("\n"))


def _cells(line: str) -> Iterable[tuple[str, str]]:
    """A line of a terminal as cells; a colour stands for the line that was drawn with it."""
    style = MUTED
    for index, part in enumerate(_COLOR.split(line)):
        if index % 2:
            number = part.removeprefix("38;5;")
            style = STYLES[NAMES[int(number) - 1]] if number != part and int(number) else MUTED
        else:
            yield from ((sign, style) for sign in part)


def _lay_over(grid: Grid, plane: Plane, left: int) -> None:
    """Put gaps and new databases where nothing is drawn, and months' ends on top."""
    course, height = plane.course, plane.frame.height
    for gap in course.gaps:
        start, end = plane.column(gap.since) + 1, plane.column(gap.until)
        for row in range(height):
            _put(grid, row, left + start, SHADE * (end - start), _SHADED)
        words = f" gap {length(gap)} "
        if len(words) <= end - start:
            _put(grid, height // 2, left + (start + end - len(words)) // 2, words, MUTED, over=SHADE)
    for mark in course.marks:
        for row in range(height):
            _put(grid, row, left + plane.column(mark.when), CHANGE, MUTED, over=SHADE)
        _put(grid, 0, left + plane.column(mark.when) + 1, "GeoIP", MUTED, whole=True)
    for month in course.ends:
        grid[plane.row(month.users)][left + plane.column(month.when)] = (ENDS[month.quality], STYLES["month users"])


def _put(grid: Grid, row: int, column: int, text: str, style: str, over: str = "", whole: bool = False) -> None:
    """Write where there is nothing, or but `over`; a `whole` text only where there is room for all of it."""
    cells = grid[row][column : column + len(text)]
    is_free = [sign in (" ", over) for sign, _ in cells]
    if whole and (len(cells) < len(text) or not all(is_free)):
        return
    for index, free in enumerate(is_free):
        if free:
            grid[row][column + index] = (text[index], style)


def _row(cells: Sequence[tuple[str, str]]) -> Content:
    """The cells as one line, with a span for each run of one style."""
    runs: list[tuple[str, str]] = []
    for sign, style in cells:
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + sign, style)
        else:
            runs.append((sign, style))
    return Content.assemble(*runs)


def _names(course: Course, width: int) -> dict[str, Content]:
    """What stands at the right end of each line: its name, and its users where there is room."""
    found = {}
    for line in course.lines:
        if line.last is None or width < 44:
            continue
        mark = course.quality.mark if course.quality and line.name == "month users" else ""
        users = f" {mark + ' ' if mark in ('=', '≥') else ''}{short(line.last.users)}" if width >= 72 else ""
        sign = Content.styled(f" {_SIGNS[line.name]} ", STYLES[line.name])
        found[line.name] = Content.assemble(sign, (line.name, STYLES[line.name]), (users, STRONG))
    return found


def _places(course: Course, plane: Plane) -> dict[str, int]:
    """The row of each line's name: that of its end, or the nearest that no other has taken."""
    ends = sorted((-line.last.users, line.name) for line in course.lines if line.last is not None)
    found: dict[str, int] = {}
    lowest = plane.frame.height - len(ends)
    free = 0
    for index, (users, name) in enumerate(ends):
        found[name] = max(0, min(max(plane.row(-users), free), lowest + index))
        free = found[name] + 1
    return found
