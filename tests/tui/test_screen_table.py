"""The table: order, cursor, scrolling, mouse, and as many rows as there may be."""

from dataclasses import replace

from samples import SAMPLE, snapshot
from screens import Seen, screen

from headcount.screen import ScreenOptions
from headcount.snapshot import Cell, HostCounts, MonthCounts, Place, PlaceName, Quality
from headcount_tui.widgets.live_table import LiveTable


def labels(seen: Seen) -> list[str]:
    """The first words of the rows on screen."""
    lines = seen.lines
    head = next(index for index, line in enumerate(lines) if "users" in line and "share" in line)
    rows = [line[1:22].strip() for line in lines[head + 1 :]]
    return rows[: next(index for index, row in enumerate(rows) if not row or row.startswith("no filter"))]


def cursor(seen: Seen) -> str:
    """The label under the cursor."""
    return str(seen.app.screen.query_one(LiveTable).row.label)


async def test_sort_and_reverse() -> None:
    async with screen(SAMPLE) as seen:
        assert labels(seen)[:3] == ["Germany", "United States", "France"]
        assert "users ▼" in seen.text
        assert "users ▲" in await seen.press("r")
        assert labels(seen)[0] == "Canada"
        await seen.press("s", "s")
        assert "vs 22 Oct ▼" in seen.text
        await seen.press("s")
        assert "Country ▲" in seen.text
        assert labels(seen)[:3] == ["? unknown", "Austria", "Brazil"]


async def test_the_cursor_moves_and_stays_in_sight() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("down", "j", "j", "k")
        assert cursor(seen) == "France"
        await seen.press("end")
        assert cursor(seen) == "Canada"
        assert labels(seen)[-1] == "Canada"
        await seen.press("down", "pageup")
        assert cursor(seen) == "Brazil"  # a page of eleven rows above the last
        await seen.press("home")
        assert cursor(seen) == "Germany"
        assert labels(seen)[0] == "Germany"


async def test_the_cursor_stays_on_its_row_when_rows_move() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("down", "down")
        assert cursor(seen) == "France"
        name, host = next(iter(SAMPLE.hosts.items()))
        month = host.months["2026-11"]
        cells = {**month.cells, Cell(Place("FR"), "DINO"): 90_000}
        changed = replace(host, months={**host.months, "2026-11": MonthCounts.of(month.quality, cells)})
        await seen.put(replace(SAMPLE, hosts={**SAMPLE.hosts, name: changed}), "118,")
        assert labels(seen)[0] == "France"
        assert cursor(seen) == "France"


async def test_the_cursor_that_never_moved_stays_on_top() -> None:
    async with screen(SAMPLE) as seen:
        name, host = next(iter(SAMPLE.hosts.items()))
        month = host.months["2026-11"]
        cells = {**month.cells, Cell(Place("FR"), "DINO"): 90_000}
        changed = replace(host, months={**host.months, "2026-11": MonthCounts.of(month.quality, cells)})
        await seen.put(replace(SAMPLE, hosts={**SAMPLE.hosts, name: changed}), "118,")
        assert cursor(seen) == "France"


async def test_the_cursor_is_not_its_colour_alone() -> None:
    async with screen(SAMPLE) as seen:
        assert "▸Germany" in seen.text
        assert "▸United States" in await seen.press("down")
        assert "▸Germany" not in seen.text


async def test_in_the_terminals_own_colours_the_cursor_swaps_them() -> None:
    async with screen(SAMPLE, options=ScreenOptions(theme="ansi-dark")) as seen:
        table = seen.app.screen.query_one(LiveTable)
        assert all(segment.style and segment.style.reverse for segment in table._line(1))
        assert not any(segment.style and segment.style.reverse for segment in table._line(2))


async def test_the_mouse_moves_chooses_and_sorts() -> None:
    async with screen(SAMPLE) as seen:
        await seen.pilot.click(LiveTable, offset=(5, 3))
        await seen.pilot.pause()
        assert cursor(seen) == "France"
        await seen.pilot.click(LiveTable, offset=(5, 3))
        await seen.until("country France ✕")
        await seen.press("escape", "1")
        head = next(line for line in seen.lines if "Country" in line)
        await seen.pilot.click(LiveTable, offset=(head.index("Country"), 0))
        await seen.until("Country ▲")
        await seen.pilot.click(LiveTable, offset=(head.index("Country"), 0))
        await seen.until("Country ▼")


async def test_tabs_month_and_keys_can_be_clicked() -> None:
    async with screen(SAMPLE) as seen:
        tabs = next(index for index, line in enumerate(seen.lines) if "1 Countries" in line)
        await seen.pilot.click(offset=(seen.lines[tabs].index("3 Clients") + 2, tabs))
        await seen.until("ANDROID")
        await seen.pilot.click(offset=(seen.lines[tabs].index("[ 2026"), tabs))
        await seen.until("month 2026-10")
        await seen.pilot.click(offset=(seen.lines[-1].index("? help"), 23))
        await seen.until("What is shown")


async def test_twenty_thousand_places() -> None:
    places = {Place("DE", "BE", index): PlaceName("Germany", "Berlin", f"City {index}") for index in range(1, 20_001)}
    cells = {Cell(place, "?"): 20_001 - place.city for place in places if place.city}
    host = HostCounts(1, {}, {"2026-11": MonthCounts.of(Quality.EXACT, cells)})
    async with screen(snapshot(hosts={"example.com": host}, names=places), size=(120, 30)) as seen:
        await seen.press("2")
        assert "20,000 places" in await seen.until("City 1,")
        drawn: list[int] = []
        table = seen.app.screen.query_one(LiveTable)
        line = table._line
        table._line = lambda y: drawn.append(y) or line(y)  # type: ignore[func-returns-value,method-assign]
        assert "City 20000" in await seen.press("end")
        assert "City 19970" in await seen.press("pageup", "pageup")
        assert 30 < len(drawn) < 300, "lines are drawn where they are seen, whatever else there is"


async def test_rows_that_go_take_the_cursor_to_their_neighbour() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("end")
        few = {name: replace(host, active={}, months={}) for name, host in SAMPLE.hosts.items()}
        await seen.put(replace(SAMPLE, hosts=few), "No user was seen in 2026-11")
        await seen.press("enter", "down", "end", "s", "r")
        await seen.put(SAMPLE, "Canada")


async def test_what_is_no_table_is_not_sorted() -> None:
    async with screen(SAMPLE) as seen:
        for view in "567":
            await seen.press(view, "s", "r")
        assert "users ▼" in await seen.press("1")
