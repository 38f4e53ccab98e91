"""A terminal with ASCII alone sees the same screen, cell by cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from samples import SAMPLE
from screens import screen

from headcount.screen import ScreenOptions
from headcount_tui.drawing.ascii import in_ascii, is_needed


@given(st.text())
def test_any_text_becomes_ascii_of_the_same_width(text: str) -> None:
    assert in_ascii(text).isascii()
    assert cell_len(in_ascii(text)) == cell_len(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("▲ +3.1 %", "^ +3.1 %"),
        ("≥ 12", "> 12"),
        ("╭─╮│╰─╯", "+-+|+-+"),
        ("Île-de-France", "Ile-de-France"),
        ("東京", "????"),
        ("⣿⠀⠁", "@ ."),
    ],
)
def test_signs_have_a_twin(text: str, plain: str) -> None:
    assert in_ascii(text) == plain


def test_no_two_heights_of_a_bar_look_alike() -> None:
    assert len({in_ascii(sign) for sign in "▁▂▃▄▅▆▇█"}) == 8


@pytest.mark.parametrize(
    ("term", "encoding", "needed"),
    [("linux", "utf-8", True), ("xterm-256color", "UTF-8", False), ("xterm", "ANSI_X3.4-1968", True)],
)
def test_a_terminal_says_what_it_has(term: str, encoding: str, needed: bool) -> None:
    assert is_needed({"TERM": term}, encoding) is needed


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (140, 45)])
async def test_every_view_is_painted_in_ascii(size: tuple[int, int]) -> None:
    async with screen(SAMPLE, size=size, options=ScreenOptions(ascii=True)) as seen:
        assert "Germany" in seen.text
        for key in ("1", "2", "3", "4", "5", "6", "7", "m", "escape", "question_mark", "escape", "enter"):
            await seen.press(key)
            painted = [line for widget in seen.app.screen.walk_children() for line in _painted(widget)]
            assert painted
            assert all(line.isascii() for line in painted), [line for line in painted if not line.isascii()]


def _painted(widget: object) -> list[str]:
    strips = widget.render_lines(widget.region.reset_offset) if widget.region.area else []  # type: ignore[attr-defined]
    return [strip.text for strip in strips]
