"""Filters: each way to set one, that every panel obeys it, and how to take it away."""

from dataclasses import replace

from samples import SAMPLE
from screens import Seen, screen

from headcount.figures.filters import Filter
from headcount.figures.totals import figures
from headcount_tui.drawing.render import number


def filter_line(seen: Seen) -> str:
    """The line above the line of keys."""
    return seen.lines[-2]


def figure_texts(asked: Filter) -> list[str]:
    """DAU, WAU and MAU that pass, as the line of figures writes them."""
    return [number(figure.users) for figure in figures(asked.apply(SAMPLE))]


async def test_no_filter_says_so() -> None:
    async with screen(SAMPLE) as seen:
        assert "no filter" in filter_line(seen)


async def test_brackets_step_through_the_months() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("[")
        assert "month 2026-10 ✕" in filter_line(seen)
        await seen.press("[")
        assert "month 2026-09 ✕" in filter_line(seen)
        await seen.press("]", "]")
        assert "no filter" in filter_line(seen)
        assert "No later month" in await seen.press("]")
        for _ in range(12):
            await seen.press("[")
        assert "month 2025-12 ✕" in filter_line(seen)
        assert "No earlier month" in seen.text


async def test_the_month_picker() -> None:
    async with screen(SAMPLE) as seen:
        assert "imported 273,130" in await seen.press("m")
        await seen.press(*"2026-08", "enter")
        assert "month 2026-08 ✕" in filter_line(seen)
        await seen.press("m")
        await seen.press("up", "up", "up", "enter")
        assert "no filter" in filter_line(seen)


async def test_a_country_is_typed_by_name_or_code() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("c")
        offered = await seen.press("f", "r")
        assert "France" in offered
        assert "DE  " not in offered
        await seen.press("enter")
        assert "country France ✕" in filter_line(seen)
        await seen.press("c", *"united k", "enter")
        assert "country United Kingdom ✕" in filter_line(seen)
        await seen.press("c", "j", "p", "enter")
        assert "country Japan ✕" in filter_line(seen)
        await seen.press("c", "question_mark", "enter")
        assert "country ? unknown ✕" in filter_line(seen)
        assert "nothing by that name" in await seen.press("c", "z", "z")
        await seen.press("enter", "escape")
        assert "country ? unknown ✕" in filter_line(seen)
        await seen.press("c", *"all c", "enter")
        assert "no filter" in filter_line(seen)


async def test_a_host_is_picked() -> None:
    async with screen(SAMPLE) as seen:
        offered = await seen.press("h")
        assert "All hosts" in offered
        assert "360 users" in offered
        await seen.press("down", "down", "enter")
        assert "host example.org ✕" in filter_line(seen)
        assert "example.org" in seen.lines[0]
        assert "259,120" not in seen.text
        await seen.press("h", *"all", "enter")
        assert "no filter" in filter_line(seen)


async def test_a_text_filters_while_it_is_typed() -> None:
    async with screen(SAMPLE) as seen:
        shown = await seen.press("slash", *"paris")
        assert "/ paris" in shown
        assert "France" in shown
        assert "Germany" not in shown
        await seen.press("enter")
        assert "text paris ✕" in filter_line(seen)
        await seen.press("slash", *" x")
        assert "Nobody in 2026-11 passes these filters" in seen.text
        await seen.press("escape")
        assert "text paris ✕" in filter_line(seen)
        assert "France" in seen.text
        await seen.press("slash", *["backspace"] * 6, "enter")
        assert "no filter" in filter_line(seen)
        assert "Germany" in seen.text


async def test_keys_typed_into_a_text_are_text() -> None:
    async with screen(SAMPLE) as seen:
        assert "/ qsh1!?" in await seen.press("slash", "q", "s", "h", "1", "exclamation_mark", "question_mark")
        assert seen.app.is_running


async def test_every_filter_applies_to_every_panel() -> None:
    for keys, asked in (
        (["c", "f", "r", "enter"], Filter().having("country", "FR")),
        (["h", "down", "down", "enter"], Filter().having("host", "example.org")),
        (["3", "enter"], Filter().having("client", "ANDROID")),
        (["slash", *"berlin", "enter"], Filter().having("text", "berlin")),
    ):
        async with screen(SAMPLE, size=(60, 15)) as seen:
            before = seen.text
            await seen.press(*keys)
            shown = seen.text
            for users, unfiltered in zip(figure_texts(asked), figure_texts(Filter()), strict=True):
                assert users != unfiltered
                assert f" {users}" in shown
                assert f" {unfiltered}" in before
            assert "259,120 month users" not in shown
            assert "259,120" not in await seen.press("4")


async def test_the_boxes_say_whom_they_are_narrowed_to() -> None:
    async with screen(SAMPLE, size=(160, 45)) as seen:
        await seen.press("c", "f", "r", "enter")
        await seen.press("3", "enter")
        assert "DAU last 24 h · France · ANDROID" in seen.text


async def test_enter_drills_from_a_country_to_a_region_to_a_city_and_escape_comes_back() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("down", "down", "enter")
        assert "country France ✕" in filter_line(seen)
        assert "Île-de-France" in seen.text
        assert "Germany" not in seen.text
        await seen.press("enter")
        assert "subdivision Île-de-France ✕" in filter_line(seen)
        assert " City " in seen.text
        assert "Paris" in seen.text
        await seen.press("enter")
        assert "city Paris ✕" in filter_line(seen)
        assert "ANDROID" in seen.text
        assert "Paris" in await seen.press("escape")
        assert "Auvergne-Rhône-Alpes" in await seen.press("escape")
        await seen.press("escape")
        assert filter_line(seen).strip() == "no filter"
        await seen.press("enter")  # the cursor is back where it was
        assert "country France ✕" in filter_line(seen)


async def test_the_unknown_drill_no_deeper() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("down", "down", "down", "down", "down", "enter")
        assert "country ? unknown ✕" in filter_line(seen)
        assert "? unknown" in seen.text
        assert "Country" in seen.text


async def test_enter_on_a_place_filters_by_its_parts() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("2", "enter")
        line = filter_line(seen)
        assert "country Germany" in line
        assert "subdivision Hesse" in line
        assert "city Frankfurt am Main" in line
        assert "ANDROID" in seen.text
        await seen.press("escape")  # one Enter, one Escape
        assert filter_line(seen).strip() == "no filter"
        assert "Place " in seen.text


async def test_enter_on_a_client_and_on_a_month() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("3", "down", "enter")
        assert "client IOS ✕" in filter_line(seen)
        await seen.press("4", "left", "enter")
        assert "client IOS ✕   month 2026-10 ✕" in filter_line(seen)
        assert "Country" in seen.text
        await seen.press("4", "end", "enter")
        assert "client IOS ✕" in filter_line(seen)
        assert "month" not in filter_line(seen)


async def test_escape_takes_the_last_filter_away() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("[")
        await seen.press("c", "d", "e", "enter")
        await seen.press("slash", *"bav", "enter")
        assert "month 2026-10 ✕   country Germany ✕   text bav ✕" in filter_line(seen)
        await seen.press("escape")
        assert "month 2026-10 ✕   country Germany ✕" in filter_line(seen)
        await seen.press("escape")
        assert "month 2026-10 ✕" in filter_line(seen)
        await seen.press("escape")
        assert "no filter" in filter_line(seen)
        await seen.press("escape")
        assert seen.app.is_running


async def test_a_click_on_the_cross_takes_that_filter_away() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("[", "3", "enter")
        line = filter_line(seen)
        await seen.pilot.click(offset=(line.index("✕"), 22))
        await seen.until("month 2026-10", gone=True)
        assert "client ANDROID ✕" in filter_line(seen)


async def test_the_filter_that_the_command_was_given() -> None:
    asked = Filter().having("host", "example.org").having("month", "2026-09")
    async with screen(SAMPLE, initial_filter=asked) as seen:
        assert "host example.org ✕   month 2026-09 ✕" in filter_line(seen)
        assert "2026-09  = " in seen.text


async def test_a_host_that_is_not_there() -> None:
    async with screen(SAMPLE, initial_filter=Filter().having("host", "nope.example")) as seen:
        assert "Unknown host nope.example" in seen.text


async def test_a_filter_outlives_newer_figures() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("c", "f", "r", "enter")
        await seen.put(replace(SAMPLE, generated_at=SAMPLE.generated_at + 60), "13:34")
        assert "country France ✕" in filter_line(seen)
        assert "Germany" not in seen.text
