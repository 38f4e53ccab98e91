"""The pieces that the screen is made of, without a screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from headcount_tui.drawing import render
from headcount_tui.drawing.render import (
    Piece,
    bar,
    change,
    fit,
    number,
    number_in,
    outside,
    percent,
    share_known,
    sparkline,
)


def test_numbers() -> None:
    assert number(1_204_331) == "1,204,331"
    assert number(0) == "0"
    assert number(None) == "–"
    assert percent(0.3141) == "31.4 %"
    assert percent(None) == "–"


@pytest.mark.parametrize(
    ("value", "in_four", "in_three"),
    [
        (0, "0", "0"),
        (980, "980", "980"),
        (1_000, "1k", "1k"),
        (9_949, "9.9k", "10k"),
        (99_499, "99k", "99k"),
        (99_500, "100k", ".1M"),
        (312_440, "312k", ".3M"),
        (999_499, "999k", ".9M"),
        (999_500, "1M", "1M"),
        (1_204_331, "1.2M", "1M"),
    ],
)
def test_numbers_where_there_is_little_room(value: int, in_four: str, in_three: str) -> None:
    assert (number_in(value, 4), number_in(value, 3)) == (in_four, in_three)


@given(st.integers(0, 10**15), st.sampled_from([3, 4]))
def test_no_number_is_too_wide(value: int, width: int) -> None:
    assert 1 <= len(number_in(value, width)) <= width


def test_known_says_0_and_100_of_nothing_less() -> None:
    assert [share_known(share) for share in (0, 0.001, 0.5, 0.999, 1, None)] == [
        "0 %",
        "1 %",
        "50 %",
        "99 %",
        "100 %",
        "–",
    ]


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (110, 100, "▲ +10.0 %"),
        (90, 100, "▼ −10.0 %"),
        (100, 100, "= unchanged"),
        (5, 0, "▲ +5"),
        (0, 0, "= unchanged"),
        (2_000, 100, "▲ +20×"),
        (None, 3, ""),
        (3, None, ""),
    ],
)
def test_change_is_told_in_signs_and_not_by_colour_alone(now: int | None, before: int | None, words: str) -> None:
    assert change(now, before)[0] == words


def test_bars() -> None:
    assert bar(1, 4) == "████"
    assert bar(0.5, 4) == "██"
    assert bar(0.53125, 4) == "██▏"
    assert bar(0, 4) == ""
    assert bar(0.0001, 4) == "▏"
    assert bar(7, 4) == "████"


def test_sparklines() -> None:
    assert sparkline([0, 50, None, 100], 10) == ["▁▅ █"]
    assert sparkline([1, 2, 3, 0, 100], 2) == ["▁█"]
    assert sparkline([0, 100], 2, height=2) == [" █", "▁█"]
    assert sparkline([None, None], 5) == [""]
    assert sparkline([4], 5) == [""]
    assert sparkline([1000, 1001], 5) == ["██"]  # hardly any change looks like none
    assert sparkline([0, 0], 5) == ["██"]
    assert sparkline([1, 2], 0) == [""]


def test_big_digits_are_as_wide_as_they_say() -> None:
    for text in ("0", "1,204,331", "-"):
        lines = render.big(text)
        assert len(lines) == 3
        assert {len(line) for line in lines} == {render.big_width(text)}


@pytest.mark.parametrize(
    "text", ["[/nope]", "[@click=app.quit]x[/]", "a[b]c", "\x1b]52;c;x\x07", "\x9b31m", "a\nb", "\u202eb"]
)
def test_text_from_outside_is_text(text: str) -> None:
    content = outside(text, render.MUTED)
    assert len(content.plain) == len(text)
    assert content.plain.isprintable()
    assert [span.style for span in content.spans] == [render.MUTED]


def test_a_line_gives_up_its_cheapest_pieces_first() -> None:
    pieces = [Piece(2, Content("aaaa")), Piece(1, Content("bb")), Piece(3, Content("cccc")), Piece(9, Content(""))]
    assert [content.plain for content in fit(pieces, 20)] == ["aaaa", "bb", "cccc"]
    assert [content.plain for content in fit(pieces, 10)] == ["aaaa", "cccc"]
    assert [content.plain for content in fit(pieces, 5)] == ["cccc"]
    assert [content.plain for content in fit(pieces, 1)] == ["cccc"]


def test_wide_characters_are_counted_by_cells() -> None:
    assert render.cell(Content("東京都"), 5, left=True).plain == "東京…"
    assert render.cell(Content("東京"), 6).plain == "  東京"
