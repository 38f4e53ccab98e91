"""The months as a table of years: what it says, how its cursor moves, and that it agrees with the month shown."""

import re

import pytest
from samples import NOW, SAMPLE, hostile, snapshot
from screens import Seen, screen
from textual.geometry import Size

from headcount.figures.filters import Filter, Term
from headcount.snapshot import Cell, HostCounts, MonthCounts, Place, Quality, Snapshot
from headcount_tui.asked.shown import Asked, Shown, Tab, look
from headcount_tui.drawing.dates import MONTHS
from headcount_tui.drawing.years_table import beside, draw_years, grid_of, year_beside, years_of
from headcount_tui.widgets.heat_table import HeatTable
from headcount_tui.widgets.live_table import LiveTable


def cursor(seen: Seen) -> str:
    """The month under the cursor; the list of months agrees wherever it is seen."""
    heat, table = seen.app.screen.query_one(HeatTable), seen.app.screen.query_one(LiveTable)
    if table.display:
        assert table.row.month == heat.cursor
    return heat.cursor


def told(seen: Seen) -> str:
    """The line under the years."""
    return next(line.strip() for line in seen.lines if re.match(r" \d{4}-\d\d.* month users|.*cannot answer", line))


def of_months(months: dict[str, int], *terms: Term, flat: frozenset[str] = frozenset()) -> Shown:
    """What is shown of a host with these users, by month; those in `flat` know two lists alone."""
    return look(one_host(months, flat), Asked(Filter(terms), tab=Tab.MONTHS))


def one_host(months: dict[str, int], flat: frozenset[str] = frozenset()) -> Snapshot:
    """A host with these users, by month, all of them in Germany."""
    counts = {}
    for month, users in months.items():
        counts[month] = MonthCounts.of(Quality.EXACT, {Cell(Place("DE"), "IOS"): users})
        if month in flat:
            counts[month] = MonthCounts(Quality.IMPORTED, users, None, {Place("DE"): users}, {"IOS": users})
    return snapshot(hosts={"example.com": HostCounts(1, {}, counts)})


def drawn(shown: Shown, width: int = 98, height: int = 9, at: str = "") -> list[str]:
    """The table as lines of text."""
    return draw_years(shown, years_of(shown), Size(width, height), at or shown.month).plain.split("\n")


def thirty_years() -> dict[str, int]:
    """Every month from 1997 to the one that is going on."""
    return {f"{1997 + nth // 12}-{nth % 12 + 1:02}": 1_000 + nth for nth in range(30 * 12 - 1)}


async def test_years_and_months_and_how_true_they_are() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("4")
        head = next(index for index, line in enumerate(seen.lines) if "Jan" in line and "Dec" in line)
        assert seen.lines[head + 1].startswith(" 2026 ░i236k")
        assert "▓≥281k ▓ 284k" in seen.lines[head + 1]
        assert seen.lines[head + 1].rstrip().endswith("▸≥259k…")
        assert seen.lines[head + 2].split() == ["2025", "░i228k"]
        assert told(seen) == "2026-11 so far  ≥ 259,120 month users  14 countries  6 clients"
        assert "Month ▼" in seen.text  # the list stands under it


async def test_the_cursor_moves_over_the_months_known() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("4", "left")
        assert cursor(seen) == "2026-10"
        assert told(seen) == "2026-10  = 305,625 month users  ▼ −0.3 %  14 countries  6 clients"
        assert "no filter" in seen.text  # the month shown is another thing
        await seen.press("right", "right")
        assert cursor(seen) == "2026-11"
        await seen.press("home")
        assert cursor(seen) == "2025-12"
        await seen.press("left", "down")
        assert cursor(seen) == "2025-12"
        await seen.press("up")
        assert cursor(seen) == "2026-11"
        await seen.press("j", "k", "g", "G")
        assert cursor(seen) == "2026-11"


async def test_enter_sets_the_month_as_in_the_list() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("4", "left", "left", "enter")
        assert "month 2026-09 ✕" in await seen.until("1 Countries")
        assert "Country" in seen.text
        await seen.press("escape")
        assert "4 Months" in seen.text
        assert "no filter" in seen.text
        assert cursor(seen) == "2026-11"


async def test_the_month_shown_and_the_cursor_agree() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("4", "[", "[")
        assert cursor(seen) == "2026-09"
        assert "▸ 307k" in seen.text
        await seen.press("]")
        assert cursor(seen) == "2026-10"
        await seen.press("m", *"2026-03", "enter")
        assert cursor(seen) == "2026-03"
        await seen.press("1", "[", "4")
        assert cursor(seen) == "2026-02"
        await seen.put(snapshot(generated_at=NOW + 60), "13:34")
        assert cursor(seen) == "2026-02"
        await seen.press("left")
        await seen.put(snapshot(generated_at=NOW + 120), "13:35")
        assert cursor(seen) == "2026-01"  # a newer snapshot moves nothing


async def test_the_list_and_the_years_go_together() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("4")
        await seen.pilot.click(LiveTable, offset=(5, 4))
        assert isinstance(seen.app.focused, LiveTable)
        assert cursor(seen) == "2026-08"
        await seen.press("down")
        assert cursor(seen) == "2026-07"
        assert told(seen).startswith("2026-07")
        await seen.press("enter")
        await seen.until("month 2026-07 ✕")


async def test_a_click_moves_and_a_second_one_chooses() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("4")
        row = next(index for index, line in enumerate(seen.lines) if line.startswith(" 2026 ░"))
        at = (seen.lines[row].index("273k"), row)
        await seen.pilot.click(offset=at)
        await seen.pilot.pause()
        assert cursor(seen) == "2026-05"
        await seen.pilot.click(offset=at)
        await seen.until("month 2026-05 ✕")


async def test_small_the_years_alone() -> None:
    async with screen(SAMPLE, size=(60, 15)) as seen:
        await seen.press("4", "left")
        assert "Month ▼" not in seen.text
        assert " 2026  .2M .2M" in seen.text
        assert told(seen).startswith("2026-10  = 305,625 month users")
        assert cursor(seen) == "2026-10"


async def test_thirty_years_scroll_with_the_cursor() -> None:
    async with screen(one_host(thirty_years()), size=(60, 15)) as seen:
        await seen.press("4")
        assert "2026" in seen.text
        assert "1997" not in seen.text
        assert "▼" in next(line for line in seen.lines if "2018" in line)
        await seen.press("home")
        assert "1997" in seen.text
        assert " 2026 " not in seen.text
        await seen.press(*["up"] * 8)
        assert cursor(seen) == "2005-01"
        assert sum(re.match(r" \d{4}[ ▲▼] ", line) is not None for line in seen.lines) == 9


async def test_a_filter_holds_and_what_cannot_answer_says_so() -> None:
    flat = one_host({"2026-09": 9, "2026-10": 40, "2026-11": 50}, frozenset({"2026-09"}))
    both = Filter((Term("country", "DE"), Term("client", "IOS")))
    async with screen(flat, initial_filter=both) as seen:
        await seen.press("4", "left", "left")
        assert cursor_of(seen) == "2026-09"
        assert "2026-09  what was imported cannot answer this filter." in seen.text
        await seen.press("enter")
        await seen.until("month 2026-09 ✕")


def cursor_of(seen: Seen) -> str:
    """The month under the cursor, which the list need not have."""
    return seen.app.screen.query_one(HeatTable).cursor


async def test_hostile_texts_and_no_host_at_all() -> None:
    async with screen(hostile(), size=(100, 30)) as seen:
        await seen.press("4", "left", "enter")
        await seen.until("month 2026-10 ✕")
    async with screen(snapshot(hosts={})) as seen:
        await seen.press("4", "left", "up", "home", "enter")
        assert "2026-11" in seen.text


def test_where_a_year_is_too_wide_the_cursors_months_are_there() -> None:
    shown = of_months(thirty_years())
    for month, others in (("2026-11", "May"), ("2026-01", "Aug"), ("2020-06", "Feb")):
        head = drawn(shown, 40, at=month)[0].split()
        assert len(head) == 8
        assert MONTHS[int(month[5:]) - 1] in head
        assert others in head
    years = years_of(shown)
    assert grid_of(years, Size(40, 9), "2026-11").month_at(5, 1) == "2026-05"
    assert grid_of(years, Size(40, 9), "2026-11").month_at(39, 1) is None


def test_a_gap_is_a_dot_and_what_is_still_to_come_is_blank() -> None:
    row = drawn(of_months({"2026-02": 5, "2026-04": 8, "2026-11": 9}))[1]
    cells = [row[5 + 7 * nth : 12 + 7 * nth].strip() for nth in range(12)]
    assert cells == ["", "░    5", "·", "█    8", *"······", "▸    9…", ""]


def test_a_month_that_cannot_answer_is_a_question_mark() -> None:
    terms = (Term("country", "DE"), Term("client", "IOS"))
    row = drawn(of_months({"2026-10": 5, "2026-11": 9}, *terms, flat=frozenset({"2026-10"})))[1]
    assert "?" in row
    assert row.count("9") == 1


def test_one_month_and_none() -> None:
    assert drawn(of_months({"2026-11": 1}))[1].split() == ["2026", "▸", "1…"]
    assert drawn(of_months({}))[1].split() == ["2026", "▸", "≥0…"]


@pytest.mark.parametrize("width", [53, 58, 66, 78, 98, 138, 200])
def test_it_fits_its_width(width: int) -> None:
    for line in drawn(of_months({"2026-09": 999_499, "2026-10": 312_440, "2026-11": 1_204_331}), width):
        assert len(line) <= width
    row = drawn(of_months({"2026-10": 312_440, "2026-11": 1_204_331}), width)[1]
    assert (".3M" if width < 65 else "312k") in row


def test_the_more_users_the_darker_and_a_sign_says_it() -> None:
    row = drawn(of_months({f"2026-{nth:02}": 1_000 * nth for nth in range(1, 11)}))[1]
    signs = [sign for sign in row if sign in "░▒▓█"]
    assert signs == sorted(signs, key="░▒▓█".index)
    assert set(signs) == set("░▒▓█")


def test_beside_and_years_apart() -> None:
    years = years_of(of_months({"2024-03": 1, "2024-11": 1, "2026-01": 1, "2026-11": 2}))
    assert beside(years, "2026-01", -1) == "2024-11"
    assert beside(years, "2024-03", -1) == "2024-03"
    assert year_beside(years, "2026-11", -1) == "2024-11"
    assert year_beside(years, "2024-03", 1) == "2026-01"
    assert year_beside(years, "2026-01", 1) == "2026-01"
