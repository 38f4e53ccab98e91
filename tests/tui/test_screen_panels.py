"""What stands on the screen: head, figures, tables, problems, help; at every size."""

from dataclasses import replace

import pytest
from samples import NOW, SAMPLE, host, snapshot
from screens import screen

from headcount.snapshot import (
    Active,
    Cell,
    History,
    HostCounts,
    MonthCounts,
    Phase,
    Place,
    ProblemGroup,
    Progress,
    Quality,
)
from headcount_tui.asked.shown import Asked, Tab, look
from headcount_tui.drawing.trend_data import course
from headcount_tui.widgets.figure_box import draw_figure


async def test_the_head_tells_host_source_state_problems_and_time_zone() -> None:
    async with screen(SAMPLE) as seen:
        head = seen.lines[0]
    assert "all 3 hosts" in head
    assert "/var/lib/prosody" in head
    assert "● live" in head
    assert "2 problems" in head
    assert "Europe/Berlin 13:33" in head


async def test_a_box_each_for_dau_wau_mau_with_digits_change_and_bars() -> None:
    async with screen(SAMPLE) as seen:
        shown = seen.text
    for title in ("DAU last 24 h", "WAU last 7 days", "MAU last 30 days"):
        assert title in shown
    assert "vs yesterday" in shown
    assert "vs last week" in shown
    assert "vs last month" in shown
    assert "▲ +" in shown
    assert "stickiness 20.0 %" in shown
    assert "50.0 % of MAU" in shown
    assert "█" in seen_line(shown, "of MAU", -1)
    assert "╭─╮" in shown or "┏━┓" in shown


async def test_the_month_has_a_box_where_there_is_room() -> None:
    async with screen(SAMPLE, size=(120, 30)) as seen:
        shown = seen.text
        assert "Month 2026-11 so far" in shown
        assert "▼ −1.0 % vs 22 Oct" in shown
        assert "~20,600 open sessions" in shown
        rule = next(line for line in seen.lines if "month users" in line)
        assert "22 Oct" not in rule  # the box tells it
        shown = await seen.press("[")
        assert "Month 2026-10" in shown
        assert "vs 2026-09" in shown
        assert "31k new · 31k lost" in shown
        assert "open sessions" not in shown  # nothing tells how many there were


async def test_without_the_box_the_months_facts_stand_elsewhere() -> None:
    async with screen(SAMPLE) as seen:
        assert "Month 2026-11" not in seen.text
        assert "≥ 259,120 month users  ▼ −1.0 % vs 22 Oct" in seen.text
        assert "~20,600 open sessions" in seen.text
        assert "31k new · 31k lost" in await seen.press("[")


async def test_who_came_and_went_is_told_of_exact_months_alone() -> None:
    async with screen(SAMPLE, size=(160, 30)) as seen:
        assert "returning" not in seen.lines[6]
        await seen.press("[")
        assert "31k new · 275k returning · 31k lost" in seen.lines[6]
        await seen.press("c", "f", "r", "enter")
        assert "returning" not in seen.lines[6]


def seen_line(shown: str, words: str, by: int) -> str:
    """The line that stands `by` lines below the one with the words."""
    lines = shown.split("\n")
    return lines[next(index for index, line in enumerate(lines) if words in line) + by]


async def test_without_history_nothing_is_compared() -> None:
    async with screen(snapshot(history=History())) as seen:
        assert seen.text.count("no history yet") == 3
        assert "▲" not in seen.text


async def test_a_past_month_shows_its_end_and_says_what_is_not_known_of_it() -> None:
    async with screen(SAMPLE) as seen:
        assert "end of 2026-10" in await seen.press("[")
        assert "no history of then" in await seen.press("[", "[", "[")


def test_what_a_past_day_is_compared_with_is_told_in_any_width() -> None:
    for figure, words in zip(look(SAMPLE, Asked()).figures, ("day", "week", "30 d"), strict=True):
        assert f" % vs {words} before" in draw_figure(figure, False, 24, 5).plain
    assert " % vs the day before" in draw_figure(look(SAMPLE, Asked()).figures[0], False, 30, 5).plain


async def test_the_months_title_says_users_quality_and_what_is_known() -> None:
    async with screen(SAMPLE) as seen:
        assert "2026-11 so far  ≥ 259,120 month users  ▼ −1.0 % vs 22 Oct" in seen.text
        await seen.pilot.resize_terminal(120, 30)
        await seen.until("≥ 259,120 month users  places known 94 %  clients 94 %")
        assert "2026-10  = 305,625 month users" in await seen.press("[")
        assert "month users, imported" in await seen.press(*["["] * 6)


async def test_the_four_tables() -> None:
    async with screen(SAMPLE) as seen:
        assert "Germany" in seen.text
        assert "Frankfurt am Main, Hesse" in await seen.press("2")
        assert "ANDROID" in await seen.press("3")
        months = await seen.press("4")
        assert "2026-10" in months
        assert "imported" in months
        assert "12 months" in months
        assert "30 days" in await seen.press("tab")
        assert "imported" in await seen.press("shift+tab")


async def test_the_number_of_rows_where_there_is_room() -> None:
    async with screen(SAMPLE, size=(120, 30)) as seen:
        assert "14 countries ──" in seen.text
        await seen.press("c", "f", "r", "enter", "1")
        assert "2 subdivisions ──" in seen.text


async def test_unknown_is_a_row() -> None:
    async with screen(SAMPLE) as seen:
        assert "? unknown" in seen.text


@pytest.mark.parametrize(
    ("width", "there", "not_there"),
    [
        (60, ["Country", "users"], ["share", "Oct 2026", "24 h "]),
        (80, ["Country", "users", "share", "vs 22 Oct"], ["Oct 2026", "30 d"]),
        (140, ["Country", "users", "share", "Oct 2026", "24 h", "7 d", "30 d"], []),
    ],
)
async def test_columns_come_with_the_width(width: int, there: list[str], not_there: list[str]) -> None:
    async with screen(SAMPLE, size=(width, 30)) as seen:
        head = next(line for line in seen.lines if "Country" in line and "users" in line)
    assert [name for name in there if name not in head] == []
    assert [name for name in not_there if name in head] == []


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (140, 45), (40, 10), (200, 60), (20, 5)])
async def test_no_size_breaks_it(size: tuple[int, int]) -> None:
    async with screen(SAMPLE, size=size, waiting_for="") as seen:
        await seen.until("Germany" if size[1] > 5 else "")
        for keys in ("2", "3", "4", "question_mark", "escape", "h", "escape", "exclamation_mark", "escape"):
            await seen.press(keys)
        assert all(len(line) <= size[0] for line in seen.lines)


async def test_at_60x15_the_figures_are_one_line() -> None:
    async with screen(SAMPLE, size=(60, 15)) as seen:
        lines = seen.lines
    assert lines[1].split() == ["DAU", "82,907", "▲", "WAU", "207,520", "▲", "MAU", "415,271", "▲", "~20,600", "open"]
    assert "2026-11" in lines[2]
    assert "≥ 259,120 month users" in lines[3]
    assert "Germany" in lines[5]
    assert "no filter" in lines[-1]


async def test_the_month_beside_the_tabs_is_told_whole_or_not_at_all() -> None:
    async with screen(SAMPLE, size=(60, 15)) as seen:
        assert "[ 2026-11 ]" in seen.lines[2]
        for width, told in ((44, "[ 2026-11 ]"), (40, " 2026-11 "), (36, None)):
            await seen.pilot.resize_terminal(width, 15)
            await seen.pilot.pause()
            assert (told in seen.lines[2]) if told else ("20" not in seen.lines[2])
            assert "…" not in seen.lines[2]


async def test_the_screen_follows_its_size() -> None:
    async with screen(SAMPLE, size=(140, 45)) as seen:
        await seen.pilot.resize_terminal(60, 15)
        await seen.until("DAU 82,907")
        await seen.pilot.resize_terminal(80, 24)
        await seen.until("DAU last 24 h")
        assert "Germany" in seen.text


async def test_a_scan_shows_a_bar_and_counts_that_grow() -> None:
    first = replace(SAMPLE, phase=Phase.SCANNING, progress=Progress(431_000, 1_000_000), hosts={})
    async with screen(first, waiting_for="scanning") as seen:
        shown = await seen.until("431,000 of 1,000,000 users")
        assert "43 %" in shown
        assert "░" in shown
        assert seen.app.screen.has_class("-unsettled")
        grown = replace(first, progress=Progress(900_000, 1_000_000), hosts=SAMPLE.hosts)
        shown = await seen.put(grown, "900,000 of 1,000,000")
        assert "93,682" in shown
        whole = replace(first, progress=Progress(950_000, 1_000_000, active_done=True), hosts=SAMPLE.hosts)
        shown = await seen.put(whole, "950,000 of 1,000,000")
        assert "older months" in shown
        shown = await seen.put(SAMPLE, "● live")
        assert "scanning" not in shown
        assert not seen.app.screen.has_class("-unsettled")


async def test_a_scan_of_unknown_length_shows_its_count() -> None:
    first = replace(SAMPLE, phase=Phase.SCANNING, progress=Progress(1_234, None))
    async with screen(first) as seen:
        await seen.until("1,234 users so far")


async def test_waiting_says_for_what() -> None:
    async with screen(replace(SAMPLE, phase=Phase.WAITING, hosts={}, history=History())) as seen:
        assert "○ waiting" in seen.text
        assert "Waiting for /var/lib/prosody" in seen.text
        assert "╺━╸" in seen_line(seen.text, "DAU", 2)  # a dash: nothing counted is not nobody


async def test_problems_are_counted_told_and_kept_up_to_date() -> None:
    async with screen(SAMPLE) as seen:
        shown = await seen.press("exclamation_mark")
        assert "3 × unreadable record" in shown
        assert "example.com/lastlog2/bob.dat" in shown
        assert "it is no Lua table" in shown
        more = replace(SAMPLE, problems=(ProblemGroup("lost name", 7, "a/b", "no UTF-8"),))
        assert "7 × lost name" in await seen.put(more, "lost name")
        assert "1 problem !" in await seen.press("escape")
        await seen.put(replace(SAMPLE, problems=()), "no problems")
        assert "everything that was found could be read" in await seen.press("exclamation_mark")


async def test_all_of_why_something_is_a_problem_is_told_with_what_fixes_it() -> None:
    why = f"{'The clock may be wrong. ' * 20}Start it again with --trust-clock."
    async with screen(replace(SAMPLE, problems=(ProblemGroup("clock in doubt", 1, "", why),))) as seen:
        assert "--trust-clock" in await seen.press("exclamation_mark")


async def test_help_tells_every_key_and_what_the_words_mean() -> None:
    async with screen(SAMPLE, size=(100, 120)) as seen:
        shown = await seen.press("question_mark")
        for words in ("the month before", "take the last filter away", "sort by the next column", "≥ lower"):
            assert words in shown
        assert "Germany" in await seen.press("question_mark")


def unknown_everywhere(quality: Quality = Quality.LOWER_BOUND, **changes: object) -> object:
    cells = {Cell(Place(), "?"): 50}
    one = HostCounts(50, {Cell(Place(), "?"): Active(1, 2, 3)}, {"2026-11": MonthCounts.of(quality, cells)})
    return snapshot(hosts={"example.com": one}, **changes)


async def test_empty_tables_teach() -> None:
    async with screen(unknown_everywhere(), size=(120, 30)) as seen:
        await seen.until("set lastlog_ip_address = true")
        await seen.press("3")
        await seen.until("companion module")
        await seen.press("4")
        await seen.until("companion module", gone=True)
    async with screen(unknown_everywhere(geo=""), size=(120, 30)) as seen:
        await seen.until("set mmdb_path")
    async with screen(snapshot(hosts={})) as seen:
        assert "No host was found in /var/lib/prosody" in seen.text


async def test_a_month_of_two_lists_says_what_it_cannot_tell() -> None:
    flat = MonthCounts(Quality.IMPORTED, 30, None, {Place("DE"): 30}, {"ANDROID": 30})
    hosts = {"example.com": HostCounts(30, {}, {"2026-11": flat})}
    async with screen(snapshot(hosts=hosts), size=(100, 30)) as seen:
        assert "30 month users, imported" in seen.text
        await seen.press("enter")
        shown = await seen.press("3")
        assert "was imported and says where its users were" in shown
        shown = await seen.press("escape", "3", "enter", "1")
        assert "under this filter the table is not known" in shown


async def test_a_host_that_cannot_answer_the_filter_is_named() -> None:
    flat = MonthCounts(Quality.IMPORTED, 30, None, {Place("DE"): 30}, {"ANDROID": 30})
    full = MonthCounts.of(Quality.EXACT, {Cell(Place("DE"), "ANDROID"): 7})
    hosts = {
        "old.example": HostCounts(30, {}, {"2026-11": flat}),
        "new.example": HostCounts(7, {}, {"2026-11": full}),
    }
    async with screen(snapshot(hosts=hosts), size=(100, 30)) as seen:
        await seen.press("enter")
        await seen.press("c", "escape", "slash", *"android", "enter", "3")
        await seen.until("Without old.example: what was imported there cannot answer this filter")


async def test_what_does_not_change_is_not_painted_again() -> None:
    async with screen(SAMPLE) as seen:
        await seen.until("Germany")
        painted = []
        table = seen.app.screen.query_one("LiveTable")
        refresh = table.refresh
        table.refresh = lambda *regions, **how: painted.append(regions) or refresh(*regions, **how)
        later = replace(SAMPLE, generated_at=NOW + 60)
        await seen.put(later, "13:34")
        assert painted == []
        name, host = next(iter(SAMPLE.hosts.items()))
        month = host.months["2026-11"]
        cells = {**month.cells, Cell(Place("CA"), "ANDROID"): month.cells[Cell(Place("CA"), "ANDROID")] + 1}
        changed = replace(host, months={**host.months, "2026-11": MonthCounts.of(month.quality, cells)})
        await seen.put(replace(later, hosts={**SAMPLE.hosts, name: changed}), "259,121")
        assert painted == []  # Canada is below the table's end
        await seen.press("end")
        assert "2,604" in seen.text


@pytest.mark.parametrize("size", [(80, 24), (120, 30), (60, 15)])
async def test_figures_of_those_read_so_far_have_no_change_no_stickiness_and_no_dot(size: tuple[int, int]) -> None:
    """They would be a fall of nearly all."""
    few = {"example.com": host(4_000, 0)}
    scan = replace(SAMPLE, phase=Phase.SCANNING, progress=Progress(9_000, 1_000_000), hosts=few)
    async with screen(scan, waiting_for="scanning", size=size) as seen:
        shown = await seen.until("9,000 of 1,000,000")
        assert "▼" not in shown.replace("users ▼", "")
        assert "of MAU" not in shown
        assert "stickiness" not in shown
        assert "no history yet" not in shown
        assert ("those read so far" in shown) is (size != (60, 15))
        dot = look(scan, Asked(tab=Tab.TREND))
        assert all(line.last is None or line.last.when < NOW for line in course(dot, 99).lines)
        shown = await seen.put(replace(scan, progress=Progress(9_500, 1_000_000, active_done=True)), "9,500 of")
        assert "▼" in shown.replace("users ▼", "")
        assert "those read so far" not in shown
