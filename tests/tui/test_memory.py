"""What is remembered between starts: the theme, and only if the user wants it what they asked for; never trusted."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import SAMPLE
from screens import screen

from headcount.errors import HeadcountError
from headcount.figures.filters import Filter
from headcount.screen import ScreenOptions
from headcount_tui.app import run
from headcount_tui.asked.shown import Asked, Sort, Tab, Zoom
from headcount_tui.running.remembered import LARGEST, Kept, Memory

ASKED = Asked(
    Filter().having("country", "DE").having("text", "frankfurt am"),
    Tab.CLIENTS,
    {Tab.CLIENTS: Sort("label", False)},
    Zoom.YEAR,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "headcount" / "screen.json"


def holding(file: Path, text: str | bytes) -> Memory:
    """What is made of a file that holds this."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return Memory.load(file)


# The file


def test_what_is_kept_is_there_at_the_next_start(file: Path) -> None:
    memory = Memory.load(file, by_setting=True)
    memory.keep(memory.with_asked(ASKED, "nord"))
    again = Memory.load(file, by_setting=True)
    assert again.theme == "nord"
    assert again.asked(Filter()) == ASKED


def test_without_the_users_wish_the_theme_alone_is_kept(file: Path) -> None:
    memory = Memory.load(file)
    memory.keep(memory.with_asked(ASKED, "nord"))
    assert json.loads(file.read_text()) == {"theme": "nord"}
    assert Memory.load(file, by_setting=True).asked(Filter()) == Asked()


def test_it_is_for_its_owner_alone(file: Path) -> None:
    os.umask(os.umask(0o022))
    Memory.load(file).keep(Kept(theme="nord"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in file.parent.iterdir()] == ["screen.json"]


def test_it_is_written_only_when_something_changed(file: Path) -> None:
    memory = Memory.load(file)
    memory.keep(memory.with_asked(ASKED, None))
    assert not file.exists()
    memory.keep(Kept(theme="nord"))
    file.unlink()
    memory.keep(Kept(theme="nord"))
    assert not file.exists()


def test_what_the_user_said_on_the_screen_goes_before_the_setting(file: Path) -> None:
    memory = Memory.load(file, by_setting=True)
    memory.keep(memory.with_asked(ASKED, None, remember=False))
    assert json.loads(file.read_text()) == {"remember": False}
    assert not Memory.load(file, by_setting=True).remembers
    memory.keep(memory.with_asked(ASKED, None, remember=True))
    assert Memory.load(file, by_setting=False).asked(Filter()) == ASKED


def test_a_filter_of_the_command_wins(file: Path) -> None:
    memory = Memory.load(file, by_setting=True)
    memory.keep(memory.with_asked(ASKED, None))
    first = Filter().having("host", "example.org")
    assert memory.asked(first).filter == first
    assert memory.asked(first).tab is Tab.CLIENTS


def test_a_place_that_cannot_be_written_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory.load(tmp_path / "file" / "screen.json")
    assert not memory.is_writable()
    with pytest.raises(HeadcountError, match="can't be written"):
        memory.keep(Kept(theme="nord"))
    assert memory.theme == "nord"
    assert Memory.load(tmp_path / "not" / "yet" / "screen.json").is_writable()


def test_without_a_place_nothing_is_kept() -> None:
    memory = Memory.load(None, by_setting=True)
    memory.keep(memory.with_asked(ASKED, "nord"))
    assert not memory.remembers


# What is in it is not trusted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"x"',
        "[" * 100_000,
        '{"theme": ' + "9" * 5_000 + "}",
        b"\xff\xfe\x00",
        '{"theme": 1, "remember": "yes", "filter": {}, "tab": [], "zoom": {}, "sorts": []}',
        '{"theme": "\\u001b]0;x", "tab": "nope", "zoom": "\\ud800", "filter": 3}',
        '{"theme": "nord"' + " " * LARGEST + "}",
    ],
)
def test_what_is_none_of_ours_is_nothing(file: Path, text: str | bytes) -> None:
    assert holding(file, text).kept == Kept()


def test_each_field_is_taken_or_left_by_itself(file: Path) -> None:
    terms = [
        ["country", "DE"],
        ["month", "2026-13"],
        ["nope", "x"],
        ["client", "\u001b[2J"],
        ["host", ""],
        ["text", "x" * 300],
        ["country", "FR"],
        ["city", 7],
        7,
        ["host"],
        ["host", "example.org"],
    ]
    kept = {"remember": True, "theme": "[/nope]", "filter": terms, "tab": "map", "zoom": "all"}
    kept["sorts"] = {"clients": ["users", True], "nope": ["users", True], "places": ["users", 1], "months": "users"}
    assert holding(file, json.dumps(kept)).kept == Kept(
        None,
        True,
        Filter().having("country", "DE").having("host", "example.org"),
        Tab.MAP,
        Zoom.ALL,
        {Tab.CLIENTS: Sort("users", True)},
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.dictionaries(st.sampled_from(["theme", "remember", "filter", "tab", "zoom", "sorts"]), values))
def test_anything_in_it_is_harmless(file: Path, found: object) -> None:
    memory = holding(file, json.dumps(found))
    memory.keep(memory.with_asked(memory.asked(Filter()), None))


def test_a_pipe_or_a_directory_in_its_place_is_left_alone(file: Path) -> None:
    file.parent.mkdir(parents=True)
    os.mkfifo(file)
    assert Memory.load(file).kept == Kept()
    file.unlink()
    file.mkdir()
    assert Memory.load(file).kept == Kept()


# On the screen


async def test_r_turns_it_on_and_the_next_screen_begins_where_this_one_ended(file: Path) -> None:
    options = ScreenOptions(memory=file)
    async with screen(SAMPLE, options=options) as seen:
        await seen.press("R")
        await seen.until("Remember filters between starts: on")
        await seen.press("slash", *"country:fr", "enter")
        await seen.press("3", "s")
    async with screen(SAMPLE, options=options) as seen:
        assert "country France ✕" in seen.text
        assert "ANDROID" in seen.text
        assert seen.app.memory.kept.sorts == {Tab.CLIENTS: Sort("share", True)}


async def test_r_turns_it_off_and_what_was_kept_is_gone_at_once(file: Path) -> None:
    options = ScreenOptions(memory=file, remember=True)
    async with screen(SAMPLE, options=options, size=(100, 30)) as seen:
        await seen.press("slash", *"secret words", "enter")
    assert "secret words" in file.read_text()
    async with screen(SAMPLE, options=options, size=(100, 30)) as seen:
        assert "text secret words ✕" in seen.text
        await seen.press("R")
        await seen.until("Remember filters between starts: off")
        await seen.until_so(lambda: "secret" not in file.read_text())
        assert json.loads(file.read_text()) == {"remember": False}
    async with screen(SAMPLE, options=options) as seen:
        assert "no filter" in seen.text


async def test_a_theme_that_was_chosen_is_kept_and_one_that_is_gone_is_not_missed(file: Path) -> None:
    options = ScreenOptions(memory=file)
    async with screen(SAMPLE, options=options) as seen:
        seen.app.theme = "nord"
        await seen.press("1")
    assert json.loads(file.read_text()) == {"theme": "nord"}
    async with screen(SAMPLE, options=options) as seen:
        assert seen.app.theme == "nord"
    file.write_text('{"theme": "gone"}')
    async with screen(SAMPLE, options=options) as seen:
        assert seen.app.theme != "gone"
    async with screen(SAMPLE, options=ScreenOptions(memory=file, theme="dracula")) as seen:
        assert seen.app.theme == "dracula"
    assert json.loads(file.read_text()) == {"theme": "gone"}


@pytest.mark.parametrize("length", [1, *range(81, 88), 200])
async def test_a_place_that_cannot_be_written_is_told_on_the_screen(tmp_path: Path, length: int) -> None:
    """Whatever its name is broken into, what follows from it is read at once."""
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "a" / "screen.json"
    place = tmp_path / "file" / ("a" * max(1, 1 + length - len(str(place)))) / "screen.json"
    options = ScreenOptions(memory=place, remember=True)
    async with screen(SAMPLE, options=options, size=(100, 30)) as seen:
        await seen.until("Nothing will be kept")
        await seen.press("3")
        assert seen.app.is_running


async def test_what_cannot_be_kept_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    options = ScreenOptions(memory=tmp_path / "file" / "screen.json")
    async with screen(SAMPLE, options=options) as seen:
        await seen.press("R")
        await seen.until("Nothing is kept")


async def test_without_a_home_it_is_said_that_there_is_no_place() -> None:
    async with screen(SAMPLE, size=(140, 45)) as seen:
        await seen.press("R")
        await seen.until("Nothing can be remembered")


def test_what_could_not_be_kept_at_the_end_is_told_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fake_feed import FakeFeed

    from headcount_tui.app import HeadcountApp

    async def run_and_quit(app: HeadcountApp, mouse: bool) -> int:
        app.not_kept = "x can't be written: No space left on device."
        return 0

    monkeypatch.setattr(HeadcountApp, "run_async", run_and_quit)
    assert run(FakeFeed(SAMPLE), ScreenOptions()) == 0
    assert capsys.readouterr().err == "headcount: x can't be written: No space left on device.\n"
