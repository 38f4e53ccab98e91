"""The trend's axes and what is drawn between them: a value stands in its tick's row, a moment in its tick's column."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from samples import DAY, HOUR, NOW

from headcount.snapshot import Quality
from headcount_tui.drawing.trend_chart import draw_course, moments, steps
from headcount_tui.drawing.trend_data import Course, Dot, Line, MonthEnd

ZONE = ZoneInfo("Europe/Berlin")
BRAILLE = range(0x2800, 0x2900)

widths, heights = st.integers(28, 200), st.integers(5, 60)
picks = st.integers(0, 10**6)


def ticks(greatest: int, height: int) -> list[int]:
    """The values that the upright axis of a chart has ticks for, no greater than the greatest that is drawn."""
    return [value for value in steps(greatest, max(2, (height - 2) // 2)) if value <= greatest]


def row_of_tick(rows: list[str], index: int) -> int:
    """The row of the tick with that index, counted from the lowest."""
    return [row for row, text in enumerate(rows) if "┤" in text][::-1][index]


@given(widths, heights, st.integers(1, 10**9), picks)
def test_a_marker_at_a_ticks_value_stands_in_its_row(width: int, height: int, greatest: int, pick: int) -> None:
    values = ticks(greatest, height)
    index = pick % len(values)
    value = values[index]
    ends = (MonthEnd(NOW + DAY, value, Quality.EXACT), MonthEnd(NOW + 2 * DAY, greatest, Quality.IMPORTED))
    rows = draw_course(Course(NOW, NOW + 3 * DAY, ends=ends), ZONE, width, height).plain.split("\n")
    assert "◆" in rows[row_of_tick(rows, index)]


@given(widths, heights, st.integers(1, 10**9), picks, st.sampled_from(["DAU", "month users"]))
def test_so_does_a_line(width: int, height: int, greatest: int, pick: int, name: str) -> None:
    values = ticks(greatest, height)
    index = pick % len(values)
    value = values[index]
    line = Line(name, ((Dot(NOW, value), Dot(NOW + DAY, value)),))
    course = Course(NOW, NOW + 3 * DAY, (line,), ends=(MonthEnd(NOW + 3 * DAY, greatest, Quality.IMPORTED),))
    rows = draw_course(course, ZONE, width, height).plain.split("\n")
    painted = {
        at
        for at, row in enumerate(rows)
        if any(
            ord(sign) in BRAILLE or sign == "•" for sign in row.partition("┤" if "┤" in row else "│")[2][: width // 3]
        )
    }
    assert painted == {row_of_tick(rows, index)}


@given(widths, heights, st.floats(2 * HOUR, 20 * 365 * DAY), picks)
def test_a_marker_at_a_ticks_moment_stands_in_its_column(width: int, height: int, span: float, pick: int) -> None:
    course = Course(NOW - span, NOW, ends=(MonthEnd(NOW, 1, Quality.EXACT),))
    axis = next(row for row in draw_course(course, ZONE, width, height).plain.split("\n") if "└" in row)
    found = [when for when, _ in moments(course, ZONE, len(axis.partition("└")[2]))]
    if not found:
        return
    course = course._replace(ends=(MonthEnd(found[pick % len(found)], 1, Quality.EXACT),))
    rows = draw_course(course, ZONE, width, height).plain.split("\n")
    column = next(row.index("◆") for row in rows if "◆" in row)
    assert axis[column] == "┬" or axis.count("┬") < len(found)  # a label without room has no tick either


@given(st.integers(72, 200), st.integers(6, 60), st.integers(1, 10**9), picks)
def test_a_lines_name_stands_in_the_row_of_its_end(width: int, height: int, greatest: int, pick: int) -> None:
    values = ticks(greatest, height)
    index = pick % len(values)
    value = values[index]
    line = Line("MAU", ((Dot(NOW, greatest), Dot(NOW + DAY, value)),))
    rows = draw_course(Course(NOW, NOW + DAY, (line,)), ZONE, width, height).plain.split("\n")
    assert "─ MAU" in rows[row_of_tick(rows, index)]
