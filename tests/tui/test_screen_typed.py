"""Filters that are typed: terms and words, completed, told where they can't be read, kept or put back."""

from samples import HOSTILE, SAMPLE, hostile
from screens import Seen, screen
from test_screen_hostile import assert_harmless

from headcount.figures.filters import Filter


def filter_line(seen: Seen) -> str:
    return seen.lines[-2]


def typed(seen: Seen) -> str:
    """What stands in the line, and below it."""
    return "\n".join(seen.lines[-2:])


async def test_terms_filter_while_they_are_typed() -> None:
    async with screen(SAMPLE) as seen:
        shown = await seen.press("slash", *"country:de")
        assert "Germany" in shown
        assert "France" not in shown
        await seen.press(*" client:ios month:2026-10 bav", "enter")
        assert "country Germany ✕   client IOS ✕   month 2026-10 ✕   text bav ✕" in filter_line(seen)


async def test_the_beginning_of_a_field_is_looked_for_only_once_it_is_kept() -> None:
    async with screen(SAMPLE) as seen:
        assert "Germany" in await seen.press("slash", *"country")
        assert "Nobody" in await seen.press("enter")
        assert "text country ✕" in filter_line(seen)


async def test_it_opens_with_the_filter_that_holds_written_out() -> None:
    asked = Filter().having("country", "DE").having("text", "bav")
    async with screen(SAMPLE, initial_filter=asked) as seen:
        assert "/ country:DE bav " in await seen.press("slash")
        await seen.press(*["backspace"] * 4, *"client:gajim", "enter")
        assert "country Germany ✕   client GAJIM ✕" in filter_line(seen)


async def test_escape_puts_back_what_was_there() -> None:
    async with screen(SAMPLE, initial_filter=Filter().having("country", "FR")) as seen:
        await seen.press("slash", *"client:ios host:example.org")
        await seen.press("escape")
        assert "country France ✕" in filter_line(seen)
        assert "client" not in filter_line(seen)


async def test_what_cannot_be_read_is_told_and_the_last_good_filter_stays() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("slash", *"country:fr")
        shown = await seen.press(*" contry:x")
        assert "There is no field contry. Did you mean country:?" in typed(seen)
        assert "Germany" not in shown
        await seen.press("enter")  # it is not left while it can't be read
        assert "There is no field contry." in typed(seen)
        await seen.press(*["backspace"] * 8, *"month:2026-1")
        assert "2026-1 is no month. Write YYYY-MM, such as 2026-11." in typed(seen)
        await seen.press("0")
        assert "Enter keep" in typed(seen)
        await seen.press("enter")
        assert "country France ✕   month 2026-10 ✕" in filter_line(seen)


async def test_the_last_word_is_completed_by_right_or_tab() -> None:
    async with screen(SAMPLE) as seen:
        assert "/ country:" in await seen.press("slash", "c", "o")
        assert "/ country:" in await seen.press("right")
        assert "country:ger" in await seen.press(*"ger")
        await seen.until("/ country:germany")
        assert "/ country:DE " in await seen.press("tab")
        await seen.press(*"client:an")
        await seen.until("client:anDROID")
        await seen.press("right", "enter")
        assert "country Germany ✕   client ANDROID ✕" in filter_line(seen)


async def test_right_moves_where_nothing_is_offered() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("slash", *"ac", "left", "right", "left", "b")
        assert "/ abc" in seen.text


async def test_what_was_typed_before_comes_back() -> None:
    async with screen(SAMPLE) as seen:
        for line in ("country:de", "client:ios"):
            await seen.press("slash", *line, "enter")
            await seen.press("escape")
        await seen.press("slash", *"dra")
        assert "/ client:ios" in await seen.press("up")
        assert "/ country:de" in await seen.press("up", "up")
        assert "/ client:ios" in await seen.press("down")
        assert "/ dra" in await seen.press("down", "down")
        await seen.press("up", "up", "enter")
        assert "country Germany ✕" in filter_line(seen)


async def test_it_fits_a_small_terminal() -> None:
    async with screen(SAMPLE, size=(60, 15)) as seen:
        await seen.press("slash", *"foo:bar")
        assert seen.lines[-2].startswith(" / foo:bar")
        assert seen.lines[-1].startswith(" There is no field foo.")
        assert "DAU" in seen.text
        await seen.press("escape")
        assert "no filter" in seen.lines[-1]


async def test_values_from_outside_are_offered_and_written_harmlessly() -> None:
    async with screen(hostile(), size=(100, 30)) as seen:
        for start in ("host:", "client:", "country:"):
            for first in {text[0] for text in HOSTILE if text[0].isprintable()}:
                await seen.press("slash", *start, first)
                assert_harmless(seen)
                await seen.press("right", "enter")
                assert_harmless(seen)
                await seen.press("slash")
                assert_harmless(seen)
                await seen.press("escape", "escape")
