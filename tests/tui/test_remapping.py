"""Keys bound again: they work, they are told everywhere, and what can't be is refused in words."""

import pytest
from fake_feed import FakeFeed
from samples import SAMPLE
from screens import screen
from textual.command import CommandList

from headcount.errors import UsageError
from headcount.screen import ScreenOptions
from headcount_tui.app import HeadcountApp, run
from headcount_tui.asked.keys import ACTIONS, Where, as_markdown, remapped


async def test_a_key_bound_again_works_and_the_old_one_does_not() -> None:
    async with screen(SAMPLE, options=ScreenOptions(keys={"country": "f", "pause": "o,f9"})) as seen:
        assert "f country" in seen.lines[-1]
        assert "type to find" in await seen.press("f")
        await seen.press("escape")
        assert "type to find" not in await seen.press("c")
        assert "‖ paused" in await seen.press("f9")
        assert "‖ paused" not in await seen.press("o")
        assert "f           one country" in await seen.press("question_mark")


async def test_two_keys_may_change_places() -> None:
    async with screen(SAMPLE, options=ScreenOptions(keys={"country": "h", "host": "c"})) as seen:
        assert "All countries" in await seen.press("h")
        await seen.press("escape")
        assert "All hosts" in await seen.press("c")


async def test_ctrl_c_always_quits() -> None:
    async with screen(SAMPLE, options=ScreenOptions(keys={"quit": "x"})) as seen:
        await seen.press("q")
        assert seen.app.return_value is None
        await seen.press("slash", "x")
        assert seen.app.return_value is None  # a letter that is typed
        await seen.press("ctrl+c")
        assert seen.app.return_value == 0


@pytest.mark.parametrize(
    ("keys", "message", "hint"),
    [
        ({"cuntry": "f"}, "Unknown action cuntry", "Did you mean: country."),
        ({"[/x]\x1b": "f"}, "Unknown action", "Available"),
        ({"country": "nokey"}, "nokey is not a valid key for country", "Write a key as"),
        ({"country": ""}, "An empty name is not a valid key for country", "Write a key as"),
        ({"country": "m"}, "The key m would do two things", ""),
        ({"country": "f", "host": "f"}, "The key f would do two things", ""),
    ],
)
def test_what_cannot_be_is_refused(keys: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        run(FakeFeed(), ScreenOptions(keys=keys))
    assert refused.value.message.startswith(message)
    assert hint in (refused.value.hint or "")
    assert "\x1b" not in str(refused.value)


def test_a_theme_that_there_is_not_is_told_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="Unknown theme pink") as refused:
        run(FakeFeed(), ScreenOptions(theme="pink"))
    assert "safe-dark" in (refused.value.hint or "")


def test_every_action_but_moves_and_boxes_can_be_bound_again() -> None:
    ids = [action.id for action in ACTIONS if action.id]
    assert len(ids) == len(set(ids))
    fixed = {action.name for action in ACTIONS if not action.id and action.where in (Where.LOOK, Where.FILTER)}
    assert not fixed


def test_the_table_of_keys_tells_what_was_bound_again() -> None:
    assert "| `f` | one country" in as_markdown(remapped({"country": "f"}))


async def test_the_palette_offers_every_action_and_runs_it() -> None:
    async with screen(SAMPLE, size=(100, 40)) as seen:
        commands = {command.title for command in seen.app.get_system_commands(seen.app.screen)}
        assert {f"{a.id.replace('-', ' ').capitalize()}  ({a.sign})" for a in ACTIONS if a.id} == commands
        await seen.press("ctrl+p", *"clients")
        found = seen.app.screen.query_one(CommandList)
        await seen.until_so(lambda: [str(hit.prompt) for hit in found.options] == ["Clients  (3)\nclients"])
        await seen.press("enter")
        await seen.until("ANDROID")
        assert isinstance(seen.app, HeadcountApp)


@pytest.mark.parametrize("theme", ["textual-light", "safe-dark", "safe-light", "ansi-dark", "ansi-light"])
async def test_every_theme_that_is_offered_first_shows_everything(theme: str) -> None:
    async with screen(SAMPLE, options=ScreenOptions(theme=theme)) as seen:
        for key in ("2", "3", "4", "5", "6", "7", "1"):
            await seen.press(key)
        assert "Germany" in seen.text


async def test_the_colours_are_chosen_from_a_list() -> None:
    async with screen(SAMPLE) as seen:
        assert "for every eye" in await seen.press("t")
        await seen.press(*"safe-l", "enter")
        assert seen.app.theme == "safe-light"
