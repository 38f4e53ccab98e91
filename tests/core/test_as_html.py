"""The page: it says what the figures are, runs and fetches nothing, and tells no more than other exports."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from made_up import FRANKFURT, MUNICH, PARIS, WIESBADEN, host, host_with, snapshot, snapshots
from made_up import MONTH as FEW

from headcount.figures.anonymity import to_report
from headcount.figures.filters import Filter, Term
from headcount.outputs.as_html import MOST, POLICY, to_html
from headcount.snapshot import Active, Cell, HostCounts, MonthCounts, Place, PlaceName, Quality, Snapshot
from page_reader import Page

CELLS = {
    Cell(FRANKFURT, "Dino"): 40,
    Cell(MUNICH, "Gajim"): 30,
    Cell(WIESBADEN, "Dino"): 2,
    Cell(PARIS, "Cheogram"): 3,
    Cell(Place("SG"), "Dino"): 1,
}
NAMES = {
    FRANKFURT: PlaceName("Germany", "Hesse", "Frankfurt am Main"),
    MUNICH: PlaceName("Germany", "Bavaria", "Munich"),
    WIESBADEN: PlaceName("Germany", "Hesse", "Wiesbaden"),
    PARIS: PlaceName("France", "Île-de-France", "Paris"),
    Place("DE"): PlaceName("Germany"),
    Place("FR"): PlaceName("France"),
    Place("SG"): PlaceName("Singapore"),
}
SMALL = snapshot(
    {
        "example.com": HostCounts(
            200,
            {cell: Active(users // 4, users // 2, users) for cell, users in CELLS.items()},
            {
                "2026-11": MonthCounts.of(Quality.EXACT, CELLS),
                "2026-10": MonthCounts.of(Quality.LOWER_BOUND, {Cell(FRANKFURT, "Dino"): 60}),
                "2026-09": MonthCounts.of(Quality.IMPORTED, {Cell(FRANKFURT, "Dino"): 4}),
            },
        )
    },
    names=NAMES,
)
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "]]><svg onload=alert(1)>",
    "</title><a href='javascript:alert(1)'>",
    "&lt;b&gt;",
)


def page(of: Snapshot, asked: Filter | None = None, min_count: int | None = None) -> Page:
    asked = asked or Filter()
    return Page(to_html(to_report(of, asked, min_count), asked.value("month"), asked))


def test_it_says_whose_figures_these_are_and_when() -> None:
    found = page(SMALL)
    assert "Users of example.com" in found.texts
    assert any(text.startswith("2026-11-22 05:00 UTC") for text in found.texts)
    assert ("html", {"lang": "en"}) in found.attributes
    assert "small groups may tell of single users" in found.text


def test_the_figures_of_the_month() -> None:
    found = page(SMALL)
    assert "76" in found.texts
    assert found.tables["Countries"] == [
        ["country", "month users", "share", "", "24 h", "7 d", "30 d"],
        ["Germany", "72", "94.7%", "", "17", "36", "72"],
        ["France", "3", "3.9%", "", "0", "1", "3"],
        ["Singapore", "1", "1.3%", "", "0", "0", "1"],
    ]
    assert found.tables["Clients"][1:3] == [["Dino", "43", "56.6%", ""], ["Gajim", "30", "39.5%", ""]]
    assert found.tables["Places"][1] == ["Frankfurt am Main, Hesse, Germany", "40", "52.6%", ""]


def test_the_months_with_what_they_are() -> None:
    assert page(SMALL).tables["Month users by month"] == [
        ["month", "month users", "", "change"],
        ["2026-11 so far", "= 76", "", "–"],
        ["2026-10", "≥ 60", "", "–"],
        ["2026-09", "4 imported", "", "–"],
    ]


def test_a_month_that_is_asked_for_stands_alone() -> None:
    found = page(SMALL, Filter().having("month", "2026-10"))
    assert "Month users by month" not in found.tables
    assert found.tables["Countries"] == [["country", "month users", "share", ""], ["Germany", "60", "100.0%", ""]]
    assert "a lower bound: at least so many" in found.text


def test_it_says_what_it_is_narrowed_to() -> None:
    found = page(SMALL, Filter().having("country", "DE").having("text", "<b>"))
    assert "Only users with country Germany , text <b> ." in found.text
    assert "users known" not in found.text


def test_several_hosts_stand_side_by_side() -> None:
    two = replace(SMALL, hosts={**SMALL.hosts, "example.org": host(_2026_11=FEW)})
    rows = page(two).tables["Hosts in 2026-11"]
    assert rows[0] == ["host", "month users", "DAU", "WAU", "MAU", "users known"]
    assert [row[0] for row in rows[1:]] == ["example.com", "example.org"]
    assert not any(caption.startswith("Hosts") for caption in page(SMALL).tables)


def test_what_is_hidden_is_said_to_be_not_told() -> None:
    found = page(host_with(100, 2, 30, 60, _2026_11=60), min_count=5)
    assert found.texts.count("withheld") == 1
    assert "k-anonymous, min_count 5:" in found.text
    assert "Nobody, or too few users to tell." in page(host_with(100, 2, 30, 60, _2026_11=3), min_count=5).text


def test_k_anonymous_it_names_no_small_group_and_no_path() -> None:
    exact, folded = page(SMALL), page(SMALL, min_count=5)
    for text in ("Wiesbaden", "Paris", "Cheogram", "Singapore", "/var/lib/prosody", "2026-09"):
        assert text in exact.text
        assert text not in folded.text
    for caption, rows in folded.tables.items():
        for row in rows[1:]:
            users = [int(cell.replace(",", "").split()[0]) for cell in row[1:] if re.match(r"[\d,]+( |$)", cell)]
            assert all(count >= 5 for count in users), (caption, row)


def test_a_filter_that_finds_no_told_group_does_not_say_that_there_is_nobody() -> None:
    """The fold comes first: what is asked for may be in it."""
    for field, value in (("text", "paris"), ("country", "SG"), ("city", "2809346")):
        asked = Filter((Term(field, value),))  # type: ignore[arg-type]
        found = page(SMALL, asked, min_count=5)
        assert found.texts.count("withheld") == 3
        assert "Nobody, or too few users to tell." in found.texts
        assert "0" not in found.texts


def test_a_long_table_ends_with_the_sum_of_the_rest() -> None:
    many = {Cell(Place("DE", None, number), "Dino"): 5 for number in range(1, MOST + 21)}
    rows = page(snapshot({"a": HostCounts(0, {}, {"2026-11": MonthCounts.of(Quality.EXACT, many)})})).tables["Places"]
    assert len(rows) == 1 + MOST + 1
    assert rows[-1][:2] == ["… 20 more", "100"]


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_from_outside_is_more_than_text(text: str) -> None:
    place = Place(text, text, 1)
    month = MonthCounts.of(Quality.EXACT, {Cell(place, text): 9})
    one = HostCounts(9, {Cell(place, text): Active(1, 2, 3, 4)}, {"2026-11": month})
    evil = snapshot({text: one, text + "2": one}, source=text, geo=text, names={place: PlaceName(text, text, text)})
    asked = Filter().having("text", text[:3]).having("client", text)
    for min_count in (None, 5):
        found = page(evil, asked, min_count)  # it is read strictly: see page_reader
        assert text in found.text
        assert found.tables["Clients"][1][0] == text


def test_a_browser_is_told_to_fetch_nothing() -> None:
    text = to_html(SMALL)
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}) in Page(text).attributes
    assert "http" not in re.sub('http-equiv="Content-Security-Policy"', "", text)
    assert "url(" not in text


@settings(max_examples=40)
@given(snapshots)
def test_any_snapshot_makes_a_page(of: Snapshot) -> None:
    for min_count in (None, 5):
        page(of, None, min_count)
        page(of, Filter().having("month", "2026-10").having("client", "Dino"), min_count)
