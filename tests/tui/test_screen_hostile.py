"""Nothing from outside is parsed as markup, runs an action, or reaches the terminal as an escape."""

from dataclasses import replace

import pytest
from samples import HOSTILE, NOW, hostile
from screens import Seen, screen

from headcount.errors import HeadcountError
from headcount.figures.filters import Filter
from headcount.snapshot import MonthCounts, ProblemGroup, Quality


def assert_harmless(seen: Seen) -> None:
    """No control character is painted, and the app still runs."""
    assert seen.app.is_running
    assert seen.app.return_value is None
    for line in seen.lines:
        assert not [char for char in line if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or char == "\u202e"]


@pytest.mark.parametrize("size", [(140, 45), (80, 24), (60, 15)])
async def test_every_panel(size: tuple[int, int]) -> None:
    async with screen(hostile(), size=size) as seen:
        assert "[/nope]" in seen.text
        for key in ("2", "3", "4", "5", "6", "7", "1"):
            await seen.press(key)
            assert_harmless(seen)


async def test_news_of_what_is_hostile() -> None:
    before = hostile()
    one = next(iter(before.hosts.values()))
    cells = {cell: users + 1 for cell, users in (one.months["2026-11"].cells or {}).items()}
    first = dict(list(cells.items())[:1])
    for grown in ({**(one.months["2026-11"].cells or {}), **first}, cells):
        counts = replace(one, months={**one.months, "2026-11": MonthCounts.of(Quality.EXACT, grown)})
        after = replace(before, hosts=dict.fromkeys(HOSTILE, counts), geo=HOSTILE[4], generated_at=NOW + 7)
        after = replace(after, problems=(*before.problems, ProblemGroup(HOSTILE[1], 1, HOSTILE[1], HOSTILE[1], True)))
        async with screen(before, size=(120, 40)) as seen:
            await seen.press("7")
            await seen.put(after, "new visitor")
            assert_harmless(seen)
            await seen.press("1")
            assert_harmless(seen)


async def test_notifications_of_what_is_hostile() -> None:
    async with screen(hostile(), size=(120, 40)) as seen:
        for index in range(len(HOSTILE)):
            await seen.press(*["down"] * index, "y", "home")
            assert_harmless(seen)


@pytest.mark.parametrize("key", ["h", "m", "c", "exclamation_mark", "question_mark"])
async def test_every_box(key: str) -> None:
    async with screen(hostile(), size=(100, 40)) as seen:
        shown = await seen.press(key)
        assert_harmless(seen)
        if key in ("h", "c", "exclamation_mark"):
            assert "[@click=app.quit]x[/]" in shown
        await seen.press("down", "down", "enter")
        assert_harmless(seen)


@pytest.mark.parametrize("tab", ["1", "2", "3"])
async def test_every_row_as_a_filter(tab: str) -> None:
    async with screen(hostile(), size=(100, 30)) as seen:
        for index in range(len(HOSTILE)):
            await seen.press(tab, *["down"] * index, "enter")
            assert_harmless(seen)
            await seen.press(*["escape"] * 4)


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_host_as_a_filter_and_an_error_as_a_banner(text: str) -> None:
    asked = Filter().having("host", text).having("client", text).having("text", text[:3])
    async with screen(hostile(), size=(140, 30), initial_filter=asked) as seen:
        assert_harmless(seen)
        await seen.put(HeadcountError(text, text), "✖")
        assert_harmless(seen)


async def test_what_is_typed() -> None:
    async with screen(hostile()) as seen:
        await seen.press("slash", *"[/nope]")
        assert "/ [/nope]" in seen.text
        await seen.press("enter")
        assert "text [/nope] ✕" in seen.text
        await seen.press("c", *"[@click=app.quit]")
        assert_harmless(seen)


async def test_a_click_on_data_presses_no_button_of_ours() -> None:
    async with screen(hostile(), size=(140, 45)) as seen:
        for index, line in enumerate(seen.lines):
            if "[@click" in line:
                await seen.pilot.click(offset=(line.index("[@click") + 18, index))
                await seen.pilot.click(offset=(line.index("[@click") + 2, index))
        await seen.pilot.pause()
        assert_harmless(seen)
