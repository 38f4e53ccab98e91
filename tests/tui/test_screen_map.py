"""The map of the world: what it shows, how its light moves, and that Enter does what it does in the table."""

import re
from dataclasses import replace

import pytest
from samples import SAMPLE, hostile, snapshot
from screens import Seen, screen
from textual.geometry import Size

from headcount.figures.filters import Filter, Term
from headcount.snapshot import Active, Cell, HostCounts, MonthCounts, Place, PlaceName, Quality
from headcount_tui.asked.shown import Asked, Shown, Tab, look
from headcount_tui.drawing.world_map import Selection, countries_of, draw_world
from headcount_tui.widgets.live_table import LiveTable
from headcount_tui.widgets.world_map import SideMap, WorldMap


def told(seen: Seen) -> str:
    """The line under the legend."""
    return next(line for line in reversed(seen.lines) if "month users" in line or "Arrow keys" in line)


def one_month(users: dict[str | None, int]) -> HostCounts:
    """A host whose users of this month and the one before are in these countries."""
    cells = {Cell(Place(code), "IOS"): count for code, count in users.items()}
    months = {month: MonthCounts.of(Quality.EXACT, cells) for month in ("2026-10", "2026-11")}
    return HostCounts(100, {cell: Active(1, 2, 3) for cell in cells}, months)


def shown_of(users: dict[str | None, int], *terms: Term) -> Shown:
    """The map on those users."""
    names = {Place(code): PlaceName(f"Land {code}") for code in users if code}
    of_them = snapshot(hosts={"example.com": one_month(users)}, names=names)
    return look(of_them, Asked(Filter(terms), tab=Tab.MAP))


def drawn(shown: Shown, size: Size = Size(98, 20), selected: Selection = Selection()) -> str:  # noqa: B008
    """The map as text."""
    return draw_world(shown, countries_of(shown), size, selected, True).plain


async def test_the_world_its_legend_and_what_is_nowhere() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        text = await seen.press("6")
        assert "US" in text
        assert "⣿" in text
        assert "20,000+" in text
        assert "? unknown 14,562 (5.6 %)" in text
        assert "Arrow keys select a country" in text
        assert "1 shows the same as a table" in text


async def test_the_light_begins_at_the_greatest_and_moves() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("6", "right")
        assert told(seen).startswith(" Germany  ≥ 93,682 month users  36.2 %")
        await seen.press("right")
        assert "Austria" in told(seen)
        await seen.press("left", "left")
        assert "Austria" not in told(seen)
        for _ in range(12):
            await seen.press("left")
        assert "United States" in told(seen) or "Canada" in told(seen)  # there is nobody further west
        await seen.press("down", "down")
        assert "Brazil" in told(seen)


async def test_by_users() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("6", "n", "n")
        assert "United States" in told(seen)
        await seen.press("pagedown")
        assert "France" in told(seen)
        await seen.press("p", "pageup", "p")
        assert "Germany" in told(seen)
        for _ in range(20):
            await seen.press("n")
        assert "Canada" in told(seen)


async def test_enter_drills_in_as_in_the_table_and_escape_comes_back() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("6", "n", "n", "n", "enter")
        on_map = await seen.until("country France ✕")
        await seen.press("escape", "1", "down", "down", "enter")
        in_table = await seen.until("country France ✕")
        assert on_map == in_table
        await seen.press("escape", "6", "n", "enter", "escape")
        assert "6 Map" in seen.text
        assert "Arrow keys" not in told(seen)  # the light is where it was
        assert "no filter" in seen.text


async def test_enter_without_a_light_does_nothing() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("6", "enter")
        assert "no filter" in seen.text


async def test_every_filter_holds() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("c", "f", "r", "enter", "6")
        assert "France" in told(seen)  # it is the one that is lit
        assert "100.0 %" in told(seen)
        assert "? unknown" not in seen.text
        assert seen.app.screen.query_one("#map", WorldMap).row.users == 29_277
        before = told(seen)
        await seen.press("[")
        assert "≥" not in told(seen)
        assert told(seen) != before
        await seen.press("escape", "escape", "h", *"chat", "enter")
        assert "? unknown 4" in seen.text


async def test_enlarged_all_countries_are_named() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("6", "n")
        assert "CH" not in seen.text
        text = await seen.press("+", "+")
        assert "×4" in text
        for code in ("DE", "FR", "PL", "IT", "AT", "SE"):
            assert code in text
        assert "US" not in text.split("5 Trend")[1]
        await seen.press("-", "-", "-")
        assert "×" not in told(seen)


async def test_the_mouse_lights_and_chooses() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("6")
        row = next(index for index, line in enumerate(seen.lines) if "⣿US⣿" in line)
        at = (seen.lines[row].index("US"), row)
        await seen.pilot.click(offset=at)
        await seen.until("United States")
        await seen.pilot.click(offset=at)
        await seen.until("country United States ✕")


async def test_beside_the_table_it_lights_the_row_under_the_cursor() -> None:
    async with screen(SAMPLE, size=(140, 45)) as seen:
        side = seen.app.screen.query_one(SideMap)
        assert not side.can_focus
        assert side.row.label == "Germany"
        await seen.press("down", "down")
        assert side.row.label == "France"
        assert "France  ≥ 29,277 month users" in seen.text
        await seen.press("enter")
        assert side.row.label == "France"  # its regions are in it
        await seen.press("3")
        assert isinstance(seen.app.focused, LiveTable)


async def test_small_it_is_there_and_smaller_it_is_a_line() -> None:
    async with screen(SAMPLE, size=(60, 15)) as seen:
        text = await seen.press("6", "n")
        assert "⣿" in text
        assert "Germany  ≥ 93,682 month users  36.2 %" in text
    assert drawn(shown_of({"DE": 3}), Size(20, 9)) == drawn(shown_of({"DE": 3}), Size(20, 1))


async def test_nowhere_teaches_why() -> None:
    nobody = snapshot(geo="", hosts={"example.com": one_month({None: 44})})
    async with screen(nobody, size=(100, 30)) as seen:
        text = await seen.press("6", "right", "n", "enter")
        assert "Places are unknown because no GeoIP database was found" in text
        assert "? unknown 44 (100.0 %)" in text
        assert "No user of 2026-11 is on the map." in text
        await seen.put(replace(nobody, geo="GeoLite2", generated_at=nobody.generated_at + 1), "does not log addresses")


async def test_why_nobody_is_there_is_told_to_its_end() -> None:
    async with screen(snapshot(hosts={}), waiting_for="No host") as seen:
        assert "logs in." in await seen.press("6")


async def test_hostile_names_are_text() -> None:
    async with screen(hostile()) as seen:
        text = await seen.press("6", "n", "right", "+")
        assert re.search(r"not on the map: \d countries, ", text), text
        assert "Arrow keys" not in text  # there is none to light


def test_tiny_countries_are_lit_at_every_size() -> None:
    tiny = {"MT": 5, "SG": 4, "LU": 3, "HK": 2, "NR": 1, "XK": 6, "GP": 7}
    for size in (Size(40, 8), Size(78, 12), Size(136, 32)):
        for code in tiny:
            text = drawn(shown_of(tiny), size, Selection(code))
            assert code in text
            assert f"Land {code}" in text
        assert "not on the map" not in drawn(shown_of(tiny), size)


def test_who_is_on_no_map_is_named() -> None:
    assert "not on the map: Land AQ 3, Land EU 2" in drawn(shown_of({"DE": 9, "AQ": 3, "EU": 2}))
    many = {"DE": 1, **{f"X{index}": 2 for index in range(9)}}
    assert "not on the map: 9 countries, 18" in drawn(shown_of(many))


def test_a_month_that_is_over_tells_its_change() -> None:
    text = drawn(shown_of({"DE": 9}, Term("month", "2026-10")), selected=Selection("DE"))
    assert "24 h" not in text
    assert "Sep 2026 –" in text


@pytest.mark.parametrize("shade", range(1, 5))
def test_each_shade_is_told_without_colour(shade: int) -> None:
    users = {"BR": 10, "AU": 100, "CN": 500, "US": 10_000}
    countries = countries_of(shown_of(users))
    assert countries.shade(list(users)[shade - 1]) == shade
    text = drawn(shown_of(users))
    assert ("⢕", "⡽", "⣯", "⣿")[shade - 1] * 2 in text
    assert "⠡⠡" in text  # land without users


def test_few_users_have_the_last_shade_too() -> None:
    countries = countries_of(shown_of({"US": 1}))
    assert countries.shade("US") == 4
    assert "⣿US 1+" in drawn(shown_of({"US": 1}))
