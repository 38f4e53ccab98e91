"""How the command opens a screen: what is set, by a flag, a variable or the file, is what the screen is asked for."""

import importlib.metadata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from headcount import cli
from headcount.commands import screen, terminal
from headcount.engine import assemble
from headcount.figures.filters import Filter
from headcount.screen import ScreenOptions

FEED = object()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ScreenOptions]]:
    """The feed and the options that the screen's entry point was called with; nothing is opened."""
    seen: list[tuple[Any, ScreenOptions]] = []

    def show(feed: Any, options: ScreenOptions) -> int:
        seen.append((feed, options))
        return 7

    @contextmanager
    def look(*_: object) -> Iterator[object]:
        yield FEED

    class Entry:
        def load(self) -> Any:
            return show

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Entry()] if group == screen.SCREEN else [])
    monkeypatch.setattr(terminal, "is_there", lambda: True)
    monkeypatch.setattr(assemble, "open_look", look)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return seen


def test_by_default_the_terminal_decides(asked: list[tuple[Any, ScreenOptions]], tmp_path: Path) -> None:
    assert cli.main([]) == 7
    assert asked == [(FEED, ScreenOptions(memory=tmp_path / "state" / "headcount" / "screen.json"))]


def test_flags_reach_the_screen(asked: list[tuple[Any, ScreenOptions]]) -> None:
    cli.main(["--ascii", "--no-mouse", "--no-color", "--theme", "safe-dark", "--host", "example.com"])
    options = asked[0][1]
    assert (options.ascii, options.mouse, options.color, options.theme) == (True, False, False, "safe-dark")
    assert options.initial_filter == Filter().having("host", "example.com")


def test_the_file_and_variables_reach_the_screen(
    asked: list[tuple[Any, ScreenOptions]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config" / "headcount" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('theme = "nord"\nremember = true\nmin_count = 9\nkeys = { country = "f" }\nascii = false\n')
    monkeypatch.setenv("HEADCOUNT_MOUSE", "false")
    monkeypatch.setenv("HEADCOUNT_THEME", "safe-light")
    monkeypatch.setenv("NO_COLOR", "1")
    cli.main([])
    options = asked[0][1]
    assert (options.theme, options.remember, options.min_count) == ("safe-light", True, 9)
    assert (options.keys, options.ascii, options.mouse, options.color) == ({"country": "f"}, False, False, False)
