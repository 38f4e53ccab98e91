"""The clients' shares of each month as stacked bars."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import SAMPLE, snapshot
from screens import screen
from textual.content import Content

from headcount.figures.filters import Filter, Term
from headcount.snapshot import OTHER, Cell, HostCounts, MonthCounts, Place, Quality, Snapshot
from headcount_tui.asked.shown import Asked, Shown, Tab, look
from headcount_tui.drawing.client_shares import draw_stacks, letters, order, stacks, widths

FLAT = MonthCounts(Quality.IMPORTED, 30, None, {Place("DE"): 30}, {"ANDROID": 30})


def shown_of(snapshot: Snapshot, **terms: str) -> Shown:
    asked = Filter(tuple(Term(field, value) for field, value in terms.items()))
    return look(snapshot, Asked(filter=asked, tab=Tab.CLIENTS))


def one_host(**months: MonthCounts) -> Snapshot:
    by_name = {name.removeprefix("m").replace("_", "-"): counts for name, counts in months.items()}
    return snapshot(hosts={"example.com": HostCounts(30, {}, by_name)})


def month_of(**clients: int) -> MonthCounts:
    return MonthCounts.of(Quality.EXACT, {Cell(Place("DE"), client): users for client, users in clients.items()})


def drawn(shown: Shown, width: int = 98, height: int = 9) -> list[str]:
    return [line.plain for line in draw_stacks(shown, width, height)]


def test_a_bar_a_month_the_newest_first_and_the_shown_one_marked() -> None:
    lines = drawn(shown_of(SAMPLE, month="2026-10"))
    assert [line[:9].strip() for line in lines[1:4]] == ["2026-11", "▸2026-10", "2026-09"]
    assert "▏ANDROID 46 %" in lines[1]
    assert lines[1].endswith(" ≥ 259,120")
    assert lines[2].endswith(" = 305,625")
    assert "  imported 2" in lines[8]


def test_an_older_month_that_is_shown_has_its_bar() -> None:
    assert [stack.month for stack in stacks(shown_of(SAMPLE, month="2026-03"), 3)] == ["2026-05", "2026-04", "2026-03"]


def test_all_months_have_the_clients_in_one_order_with_the_unknown_at_the_end() -> None:
    found = stacks(shown_of(one_host(m2026_10=month_of(B=9, A=5), m2026_11=month_of(A=3, B=1, **{"?": 99}))), 9)
    assert order(found) == ["B", "A", "?"]


def test_the_many_small_clients_are_one() -> None:
    found = stacks(
        shown_of(one_host(m2026_11=month_of(**{f"C{index}": 20 - index for index in range(12)}, other=1))), 9
    )
    assert order(found) == ["C0", "C1", "C2", "C3", "C4", "C5", OTHER]


def test_what_has_no_room_for_its_name_is_told_by_a_letter_of_its_own() -> None:
    lines = drawn(shown_of(SAMPLE), width=78, height=4)
    assert "M  MONAL" in lines[0]
    assert "▏M" in lines[1]
    assert letters(["DINO", "DINOSAUR", "D", "?", "東京"]) == {
        "DINO": "D",
        "DINOSAUR": "I",
        "D": "1",
        "?": "?",
        "東京": "2",
    }


def test_the_title_gives_way_to_what_the_letters_mean() -> None:
    clients = {name: 100 - index for index, name in enumerate(("Conversations", "Profanity", "Monal iOS", "Snikket"))}
    shown = shown_of(one_host(m2026_11=month_of(**clients, Gajim=2000)), country="DE")
    wide, narrow, least = (drawn(shown, width, 4)[0] for width in (120, 90, 78))
    assert wide.startswith("shares of the clients by month · Germany")
    assert narrow.startswith("shares by month · Germany")
    assert least.startswith("shares · Germany")
    for line in (wide, narrow, least):
        assert line.rstrip().endswith("Snikket")


def test_a_filter_holds_and_the_title_says_so() -> None:
    lines = drawn(shown_of(SAMPLE, country="FR"))
    assert "by month · France" in lines[0]
    assert " ≥ 29,277" in lines[1]
    assert drawn(shown_of(SAMPLE, client="IOS"))[1].count("▏") == 1


def test_what_cannot_be_told_is_not_known_and_not_nobody() -> None:
    full = MonthCounts.of(Quality.EXACT, {Cell(Place("DE"), "ANDROID"): 7})
    lines = drawn(shown_of(one_host(m2026_10=FLAT, m2026_11=full), country="DE"))
    assert "not known by client under this filter" in lines[2]
    assert "ANDROID 100 %" in lines[1]
    assert "no users" in drawn(shown_of(one_host(m2026_11=full), country="FR"))[1]
    both = shown_of(one_host(m2026_11=FLAT), country="DE", client="ANDROID")
    assert "not known" in drawn(both)[1]
    assert "–" in drawn(both)[1]


def test_names_of_clients_are_text() -> None:
    lines = draw_stacks(shown_of(one_host(m2026_11=month_of(**{"[b]\x1b[2J": 5, "東京東京": 5}))), 60, 5)
    assert all(line.cell_length <= 60 for line in lines)
    assert "\x1b" not in Content("\n").join(lines).plain
    assert "[b]" in lines[1].plain


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.integers(0, 200))
def test_the_cells_add_up_and_are_at_most_one_off(users: list[int], width: int) -> None:
    shares = [count / sum(users) for count in users]
    cells = widths(shares, width)
    assert sum(cells) == width
    assert all(abs(cell - share * width) < 1 + 1e-6 for cell, share in zip(cells, shares, strict=True))


@given(
    st.dictionaries(st.text(min_size=1, max_size=12), st.integers(1, 999), min_size=1, max_size=9), st.integers(24, 150)
)
def test_any_clients_fill_the_width_and_no_more(clients: dict[str, int], width: int) -> None:
    lines = draw_stacks(shown_of(one_host(m2026_11=month_of(**clients))), width, 6)
    assert all(line.cell_length <= width for line in lines)


@pytest.mark.parametrize(
    ("size", "months", "rows"), [((60, 15), 0, 8), ((80, 24), 3, 8), ((100, 30), 8, 8), ((140, 45), 12, 8)]
)
async def test_they_leave_the_table_its_room(size: tuple[int, int], months: int, rows: int) -> None:
    async with screen(SAMPLE, size=size) as seen:
        await seen.press("3")
        assert seen.text.count("▏ANDROID") == months
        assert "? unknown" in seen.text
        assert seen.app.screen.query_one("LiveTable").size.height >= rows


async def test_they_come_with_the_months_and_go_with_the_tab() -> None:
    async with screen(one_host(m2026_11=month_of(ANDROID=7)), size=(100, 30)) as seen:
        assert (await seen.press("3")).count("▏ANDROID") == 1
        two = one_host(m2026_11=month_of(ANDROID=7), m2026_10=month_of(ANDROID=6))
        shown = await seen.put(two, "2026-10 ▏ANDROID")
        assert shown.count("▏ANDROID") == 2
        assert "▏ANDROID" not in await seen.press("1")
