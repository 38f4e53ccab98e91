"""The gate: whatever comes from outside can be shown in a terminal without harm."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.text import REPLACEMENT, clean


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J\x1b]0;owned\x07",
        "\x9b31m",
        "one\ntwo\r\nthree",
        "one\u2028two\u2029three\x85four\x0bfive\x0csix",
        "\u202egpj.exe",
        "\u2066abc\u2069 \u061c \u200e\u200f",
        "pay\u200bpal\ufeff",
        "\x00\x08\x7f",
        "\ud800 \udfff",
        "\ufffe\uffff",
        "plain\U000e0041\U000e007f",
    ],
)
def test_what_could_move_hide_or_reorder_text_is_replaced(hostile: str) -> None:
    text = clean(hostile)
    assert REPLACEMENT in text
    assert len(text.splitlines()) == 1
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in "\ufffe\uffff"]
    assert clean(hostile.encode("utf-8", "surrogatepass")).replace(REPLACEMENT, "") == text.replace(REPLACEMENT, "")


@pytest.mark.parametrize("name", ["alice", "zoë", "日本", "Île-de-France", "[red]markup[/]", "a b", "🙂", ""])
def test_ordinary_text_is_left_alone(name: str) -> None:
    assert clean(name) == name
    assert clean(name.encode()) == name


def test_bytes_that_are_no_utf8_are_replaced_and_not_refused() -> None:
    assert clean(b"caf\xe9 \xff") == f"caf{REPLACEMENT} {REPLACEMENT}"


def test_a_path_that_is_no_text_is_cleaned_too() -> None:
    assert clean("/srv/\udcff") == f"/srv/{REPLACEMENT}"


def test_long_text_is_cut_and_says_so() -> None:
    assert clean("x" * 200) == "x" * 200
    assert clean("x" * 201) == "x" * 199 + "…"
    assert clean("abcdef", 3) == "ab…"


@pytest.mark.parametrize("character", ["x", "é", "日", "🙂"])
def test_bytes_are_cut_as_their_text_is(character: str) -> None:
    for length in (199, 200, 201, 1000):
        text = character * length
        assert clean(text.encode()) == clean(text), (character, length)


@given(st.one_of(st.text(st.characters()), st.binary()), st.integers(1, 20))
def test_the_result_is_one_line_of_text_within_the_limit(anything: str | bytes, limit: int) -> None:
    text = clean(anything, limit)
    assert len(text) <= limit
    assert len(text.splitlines()) <= 1
    assert not {unicodedata.category(c) for c in text} & {"Cc", "Cs"}
    assert clean(text, limit) == text
