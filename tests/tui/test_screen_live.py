"""What happens now: a quiet feed, rows that are lit for a moment, figures that stand still at a key."""

from dataclasses import replace

from samples import NAMES, SAMPLE
from screens import Seen, screen

from headcount.snapshot import Cell, MonthCounts, Phase, Place, ProblemGroup, Progress, Snapshot
from headcount_tui.drawing.render import LIT_FOR
from headcount_tui.widgets.live_table import LiveTable

FRANKFURT = next(place for place in NAMES if place.city == 2925533)


def with_visitors(snapshot: Snapshot, place: Place, client: str, users: int = 1, later: float = 4) -> Snapshot:
    """The same, with more users counted this month on the first host."""
    name, host = next(iter(snapshot.hosts.items()))
    counts = host.months[snapshot.month]
    cells = {**(counts.cells or {})}
    cells[Cell(place, client)] = cells.get(Cell(place, client), 0) + users
    months = {**host.months, snapshot.month: MonthCounts.of(counts.quality, cells)}
    hosts = {**snapshot.hosts, name: replace(host, months=months)}
    return replace(snapshot, generated_at=snapshot.generated_at + later, hosts=hosts)


async def test_a_new_visitor_is_told_of_and_not_named() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        assert "Nothing yet." in await seen.press("7")
        came = with_visitors(SAMPLE, FRANKFURT, "ANDROID")
        shown = await seen.put(came, "a new visitor from Hesse, DE, with ANDROID")
        assert "13:33:04" in shown
        assert "Frankfurt" not in shown  # no finer than a region
        unknown = with_visitors(came, Place(), "?", users=3)
        await seen.put(unknown, "3 new visitors from an unknown place")


async def test_the_newest_is_on_top() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("7")
        one = with_visitors(SAMPLE, Place("FR"), "DINO")
        await seen.put(one, "from France with DINO")
        shown = await seen.put(with_visitors(one, Place("JP"), "WEB"), "from Japan with WEB")
        assert shown.index("Japan") < shown.index("France")


async def test_what_just_came_is_lit_for_a_moment() -> None:
    def ground(seen: Seen, words: str) -> object:
        at = next(index for index, line in enumerate(seen.lines) if words in line)
        strip = seen.app.screen._compositor.render_strips()[at]
        return {segment.style.bgcolor for segment in strip if segment.style and segment.text.strip()}

    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("7")
        one = with_visitors(SAMPLE, Place("FR"), "DINO")
        timers = seen.timers_of("LiveFeed")
        await seen.put(one, "from France")
        await timers.fire(LIT_FOR)
        await seen.put(with_visitors(one, Place("JP"), "WEB"), "from Japan")
        assert ground(seen, "from Japan") != ground(seen, "from France")
        await timers.fire(LIT_FOR)
        assert ground(seen, "from Japan") == ground(seen, "from France")


async def test_the_feed_obeys_the_filters() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("7")
        one = with_visitors(SAMPLE, Place("FR"), "DINO")
        await seen.put(one, "from France with DINO")
        await seen.put(with_visitors(one, Place("JP"), "WEB"), "from Japan with WEB")
        shown = await seen.press("c", "j", "a", "p", "enter")
        assert "from Japan" in shown
        assert "from France" not in shown
        assert "from France" in await seen.press("escape")


async def test_the_newest_stands_beside_the_filters_where_there_is_room() -> None:
    async with screen(SAMPLE, size=(120, 30)) as seen:
        await seen.put(with_visitors(SAMPLE, Place("FR"), "DINO"), "a new visitor from France with DINO")


async def test_space_lets_the_figures_stand_still_and_go_on() -> None:
    async with screen(SAMPLE) as seen:
        assert "‖ paused" in await seen.press("space")
        later = with_visitors(SAMPLE, Place("DE"), "DINO", users=1000)
        seen.feed.put(later)
        await seen.until_so(lambda: seen.app._main._snapshot is later)
        assert "93,682" in seen.text
        assert "93,682" in await seen.press("s", "s", "s", "1")  # whatever else is asked
        shown = await seen.press("space")
        assert "94,682" in shown
        assert "● live" in shown


async def test_a_pause_hides_no_failure() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("space")
        await seen.put(OSError("gone"), "✖ Headcount failed")


def lit(seen: Seen) -> set[object]:
    return seen.app.screen.query_one(LiveTable)._lit


async def test_a_row_that_changed_is_lit_for_a_moment() -> None:
    async with screen(SAMPLE) as seen:
        timers = seen.timers_of("LiveTable")
        await seen.put(with_visitors(SAMPLE, Place("FR"), "DINO"), "29,278")
        assert lit(seen) == {Place("FR")}
        row = next(index for index, line in enumerate(seen.lines) if "France" in line)
        strips = seen.app.screen._compositor.render_strips()
        other = next(index for index, line in enumerate(seen.lines) if "Brazil" in line)
        colors = [{s.style.bgcolor for s in strips[at] if s.style and s.text.strip()} for at in (row, other)]
        assert colors[0] != colors[1]
        await timers.fire(LIT_FOR)
        assert lit(seen) == set()


async def test_another_filter_lights_nothing() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("h", "down", "enter")
        assert lit(seen) == set()


async def test_a_scan_shows_its_progress_and_growing_figures() -> None:
    scan = replace(SAMPLE, phase=Phase.SCANNING, progress=Progress(431_000, 1_000_000), hosts={})
    async with screen(scan) as seen:
        await seen.until("scanning  431,000 of 1,000,000")
        assert "43 %" in seen.text
        shown = await seen.put(replace(SAMPLE, phase=Phase.SCANNING, progress=Progress(700_000, 1_000_000)), "700,000")
        assert "93,682" in shown
        assert lit(seen) == set()
        await seen.put(SAMPLE, "● live")
        assert "scanning" not in seen.text


async def test_what_stops_all_figures_is_a_banner_and_the_last_ones_stay() -> None:
    gone = ProblemGroup("no data directory", 1, "/var/lib/prosody", "It is gone. Figures go on when it is back.", True)
    async with screen(SAMPLE) as seen:
        shown = await seen.put(replace(SAMPLE, problems=(gone,)), "✖ no data directory: /var/lib/prosody")
        assert "Figures go on when it is back." in shown
        assert "✖ problem" in shown
        assert "93,682" in shown
        assert seen.app.screen.has_class("-unsettled")
        await seen.put(SAMPLE, "● live")
        assert "✖" not in seen.text.replace("✕", "")
        assert not seen.app.screen.has_class("-unsettled")
