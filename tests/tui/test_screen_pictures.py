"""Pictures of the screen, compared to the letter: three sizes, four states, dark and light, and each view once.

Look at them before taking new ones: `pytest tests/tui/test_screen_pictures.py --snapshot-update` (not where secrets are
in the environment: the report of a failure holds all of it)."""

from dataclasses import replace
from typing import Any

import pytest
from fake_feed import screen_on
from samples import SAMPLE
from screens import until_so
from textual.pilot import Pilot

from headcount.screen import ScreenOptions
from headcount.snapshot import Phase, ProblemGroup, Progress, Snapshot

SIZES = {"small": (60, 15), "normal": (80, 24), "wide": (140, 45)}
GONE = ProblemGroup("no data directory", 1, "/var/lib/prosody", "Figures go on as soon as it is back.", True)
STATES = {
    "live": SAMPLE,
    "scanning": replace(SAMPLE, phase=Phase.SCANNING, progress=Progress(431_000, 1_000_000)),
    "empty": replace(SAMPLE, hosts={}, problems=()),
    "error": replace(SAMPLE, problems=(GONE,)),
}
THEMES = {"dark": "textual-dark", "light": "textual-light"}
VIEWS = {
    "regions": ["down", "down", "enter"],
    "places": ["2"],
    "clients": ["3"],
    "months": ["4", "left"],
    "trend": ["5", "z"],
    "map": ["6", "right"],
    "live": ["7"],
    "picking-a-country": ["c", "u"],
    "exporting": ["e"],
    "typing-a-filter": ["slash", *"country:de cl"],
    "help": ["question_mark"],
}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The box for exports names the current directory."""
    monkeypatch.chdir("/")


def compare(snap_compare: Any, shown: Snapshot, size: tuple[int, int], keys: list[str], **options: Any) -> None:
    screen = screen_on(shown, options=ScreenOptions(**options))

    async def settle(pilot: Pilot[int]) -> None:
        await until_so(pilot, lambda: screen._main.shown is not None)
        await pilot.press(*keys)
        await pilot.pause()

    assert snap_compare(screen, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZES)
def test_every_state(snap_compare: Any, size: str, state: str, theme: str) -> None:
    compare(snap_compare, STATES[state], SIZES[size], [], theme=THEMES[theme])


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(snap_compare: Any, view: str) -> None:
    compare(snap_compare, SAMPLE, SIZES["normal"], VIEWS[view])


@pytest.mark.parametrize("theme", ["safe-dark", "safe-light", "ansi-dark", "ansi-light"])
def test_every_other_theme(snap_compare: Any, theme: str) -> None:
    compare(snap_compare, SAMPLE, SIZES["normal"], ["6", "right"], theme=theme)


def test_in_ascii(snap_compare: Any) -> None:
    compare(snap_compare, SAMPLE, SIZES["normal"], [], ascii=True)
