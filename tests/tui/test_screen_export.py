"""What leaves the screen: a row by `y`, a file by `e`: what it holds, what it hides, and what may hinder it."""

import base64
import csv
import io
import json
import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from samples import HOSTILE, SAMPLE, hostile
from screens import Seen, screen

from headcount.errors import HeadcountError, TakenError, UsageError
from headcount.figures.filters import Filter
from headcount.screen import ScreenOptions
from headcount.snapshot import (
    Active,
    Cell,
    HostCounts,
    MonthCounts,
    Phase,
    Place,
    ProblemGroup,
    Progress,
    Quality,
    Snapshot,
)
from headcount_tui.app import HeadcountApp
from headcount_tui.asked.shown import Asked, Shown, Tab, look
from headcount_tui.drawing.tables import table_of
from headcount_tui.running.exporting import (
    FORMATS,
    Wish,
    as_text,
    content,
    default_name,
    default_path,
    drawable,
    full_path,
    next_name,
    save,
    with_end,
)
from headcount_tui.running.picture import picture
from page_reader import Page

CELLS = {
    Cell(Place("DE", "HE", 2925533), "IOS"): 4_321,
    Cell(Place("DE", "BY", 2867714), "ANDROID"): 2_345,
    Cell(Place("US"), "ANDROID"): 1_234,
    Cell(Place("FR", "IDF", 2988507), "Obscure"): 3,
    Cell(Place("JP"), "IOS"): 4,
}
SMALL = replace(
    SAMPLE,
    hosts={
        "example.com": HostCounts(
            9_000,
            {cell: Active(users // 4, users // 2, users) for cell, users in CELLS.items() if users > 4},
            {"2026-11": MonthCounts.of(Quality.EXACT, CELLS), "2026-10": MonthCounts.of(Quality.EXACT, CELLS)},
        )
    },
    source="/home/alice/prosody",
)
ALL = [form.end for form in FORMATS]


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def drawn(snapshot: Snapshot, asked: Asked | None = None) -> str:
    """The picture that a screen of 140x45 would draw."""
    return picture(snapshot, lambda feed: HeadcountApp(feed, asked=asked), (140, 45))


def text_of(end: str, snapshot: Snapshot, asked: Filter | None = None, min_count: int | None = 5) -> str:
    asked = asked or Filter()
    return content(Wish(end, "", asked, min_count), snapshot, lambda told: drawn(told, Asked(asked, tab=Tab.COUNTRIES)))


def words_of(svg: str) -> str:
    """The text of a picture; it must be well-formed, and hold nothing that runs or fetches."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in {
            *("svg", "style", "defs", "clipPath", "rect", "text", "g", "circle"),
        }
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    return " ".join("".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text"))


def rows_of(shown: Shown) -> list[Any]:
    """The rows of the table that is shown."""
    table = table_of(shown.asked)
    assert table is not None
    return list(table.rows(shown))


# Copying


async def copied(seen: Seen, monkeypatch: pytest.MonkeyPatch, *keys: str) -> str:
    """What `y` hands to the clipboard, which takes one write of one escape sequence."""
    found: list[str] = []
    driver = seen.app._driver
    assert driver is not None
    monkeypatch.setattr(driver, "write", found.append)
    await seen.press(*keys, "y")
    assert len(found) == 1
    start, _, end = found[0].partition("\x1b]52;c;")
    assert not start
    assert end.endswith("\a")
    return base64.b64decode(end[:-1]).decode()


async def test_y_copies_the_row_under_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    async with screen(SAMPLE) as seen:
        assert await copied(seen, monkeypatch) == "Germany\t93682\t109472\t29999\t75046\t150138"
        assert "allow it" in await seen.until("Copied by OSC 52")
        assert (await copied(seen, monkeypatch, "3", "down")).startswith("IOS\t36619\t")


async def test_without_a_row_y_copies_the_three_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    async with screen(SAMPLE) as seen:
        assert await copied(seen, monkeypatch, "7") == "DAU\t82907\tWAU\t207520\tMAU\t415271"


async def test_on_the_map_y_copies_the_country_that_is_lit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        assert (await copied(seen, monkeypatch, "6")).startswith("DAU\t")  # none is lit yet
        assert (await copied(seen, monkeypatch, "n", "n")).startswith("United States\t42298\t")


def test_what_is_copied_is_clean_and_short() -> None:
    shown = look(hostile(), Asked())
    for tab in (Tab.COUNTRIES, Tab.CLIENTS):
        for row in rows_of(replace(shown, asked=Asked(tab=tab))):
            text = as_text(shown, replace(row, label=row.label * 500))
            assert len(text) <= 1_000
            assert not [char for char in text.replace("\t", "") if not char.isprintable() and char != "\ufffd"]
    months = rows_of(replace(shown, asked=Asked(tab=Tab.MONTHS)))
    assert re.fullmatch(r"2026-11\t\d+\texact\t\d+\t\d+", as_text(shown, months[0]))


# The box


async def test_e_writes_what_is_shown() -> None:
    async with screen(SAMPLE, initial_filter=Filter().having("country", "FR").having("month", "2026-10")) as seen:
        shown = await seen.press("e")
        assert "● CSV  ○ JSON  ○ SVG picture  ○ HTML page" in shown
        assert "● k-anonymous  ○ exact" in shown
        assert "no group under 5 users follows from it" in shown
        assert "headcount-2026-10.csv" in shown
        assert "country:FR month:2026-10" in shown
        assert f"in {os.getcwd()}"[:60] in shown
        await seen.press("enter")
        await seen.until("Wrote")
    rows = list(csv.DictReader(io.StringIO(Path("headcount-2026-10.csv").read_text())))
    assert {row["country"] for row in rows} == {"FR"}
    assert {row["min_count"] for row in rows} == {"5"}
    assert {row["period"] for row in rows if row["figure"] == "month users"} == {"2026-10"}
    assert stat.S_IMODE(os.stat("headcount-2026-10.csv").st_mode) == 0o600


async def test_a_format_and_exact_figures_are_chosen_by_keys() -> None:
    async with screen(SAMPLE, initial_filter=Filter().having("host", "example.org")) as seen:
        shown = await seen.press("e", "right")
        assert "○ CSV  ● JSON" in shown
        assert "headcount-all-example.org.json" in shown
        assert "○ k-anonymous  ● exact" in await seen.press("down", "space")
        await seen.press("enter")
        await seen.until("Wrote")
    found = json.loads(Path("headcount-all-example.org.json").read_text())
    assert "anonymity" not in found
    assert found["hosts"]["example.org"]["users_known"] == 27_000


async def test_and_by_the_mouse() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("e")
        line = next(index for index, line in enumerate(seen.lines) if "HTML page" in line)
        await seen.pilot.click(offset=(seen.lines[line].index("HTML"), line))
        await seen.until("● HTML page")
        assert "headcount-all.html" in seen.text
        await seen.press("enter")
        await seen.until("Wrote")
    assert "k-anonymous, min_count 5:" in Page(Path("headcount-all.html").read_text()).text


async def test_a_picture_is_drawn_while_the_screen_runs() -> None:
    async with screen(SMALL, size=(100, 30)) as seen:
        await seen.press("3", "e", "left", "left", "enter")
        await seen.until("Wrote")
        assert "ANDROID" in await seen.press("3")  # the screen goes on as it was
        assert seen.app.is_running
    words = words_of(Path("headcount-all-example.com.svg").read_text())
    assert "k-anonymous, min_count 5" in words.replace("\xa0", " ")
    assert "ANDROID" in words
    assert "Obscure" not in words


@pytest.mark.parametrize("size", [(60, 15), (40, 10)])
async def test_nothing_is_overwritten(size: tuple[int, int]) -> None:
    Path("headcount-all.csv").write_text("mine")
    async with screen(SAMPLE, size=size) as seen:
        await seen.press("e", "enter")
        await seen.until("That file is there already.")
        assert "headcount-all-2.csv." in seen.text
        await seen.press("enter")
        await seen.until("Wrote")
    assert Path("headcount-all.csv").read_text() == "mine"
    assert Path("headcount-all-2.csv").exists()


async def test_what_hinders_it_is_told_in_the_box() -> None:
    async with screen(SAMPLE) as seen:
        await seen.press("e", "down", "down", *["backspace"] * 20, *"nowhere/x.csv", "enter")
        await seen.until("There is no directory")
        await seen.press(*["backspace"] * 13, *"~", "enter")
        await seen.until("is a directory. Add a name to it.")
        assert "Export what is shown" in seen.text
        assert "Export what is shown" not in await seen.press("escape")
    assert os.listdir() == []


async def test_hostile_names_do_no_harm_in_the_box() -> None:
    for host in HOSTILE:
        async with screen(hostile(), initial_filter=Filter().having("host", host).having("text", host[:5])) as seen:
            await seen.press("e", "right")
            assert seen.app.is_running
            assert not [char for line in seen.lines for char in line if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0]
            await seen.press("enter")
            await seen.until("Wrote")
    assert all(re.fullmatch(r"headcount-all-[\w.-]+\.json", name, re.ASCII) for name in os.listdir())


# Files


def test_an_exact_file_is_not_mistaken_for_one_to_hand_on() -> None:
    assert "min_count" in text_of("csv", SMALL).splitlines()[0]
    assert "min_count" not in text_of("csv", SMALL, min_count=None).splitlines()[0]


@pytest.mark.parametrize("end", ALL)
def test_no_group_of_too_few_is_in_any_file(end: str) -> None:
    exact, folded = text_of(end, SMALL, min_count=None), text_of(end, SMALL)
    if end == "svg":
        exact, folded = words_of(exact).replace("\xa0", " "), words_of(folded).replace("\xa0", " ")
    for secret in ("Japan", "JP"), ("France", "FR"), ("alice",):
        assert any(word in exact for word in secret) or end == "csv", secret
        for word in secret:
            assert not re.search(rf"\b{word}\b", folded), word
    assert "other" in folded
    assert "DE" in folded or "Germany" in folded
    assert "7907" in folded.replace(",", "") or end == "csv"


def test_in_a_picture_every_number_of_a_table_is_of_enough_users() -> None:
    told = drawable(SMALL, Filter(), 5)
    for tab in (Tab.COUNTRIES, Tab.PLACES, Tab.CLIENTS):
        shown = look(told, Asked(tab=tab))
        for row in rows_of(shown):
            assert row.users is None or row.users >= 5
            assert row.before is None or row.before >= 5
        svg = words_of(drawn(told, Asked(tab=tab))).replace("\xa0", " ")
        for secret in ("Obscure", "Paris", "Japan", "alice"):
            assert secret not in svg


@pytest.mark.parametrize("asked", [Filter().having("country", "FR"), Filter().having("text", "paris")])
def test_a_picture_of_hidden_users_says_neither_none_nor_how_many(asked: Filter) -> None:
    words = words_of(text_of("svg", SMALL, asked)).replace("\xa0", " ")
    assert "withheld" in words
    assert "there is nobody here, or a group of fewer than 5 users" in words
    assert not re.search(r"\b[0-4] month users", words)


@pytest.mark.parametrize("end", ALL)
@pytest.mark.parametrize("min_count", [5, None])
def test_hostile_names_are_text_in_every_file(end: str, min_count: int | None) -> None:
    evil = hostile()
    host = "<script>alert(1)</script>"
    evil = replace(evil, hosts={**evil.hosts, host: next(iter(evil.hosts.values()))})
    for asked in (Filter(), Filter().having("host", host)):
        text = text_of(end, evil, asked, min_count)
        assert not [char for char in text if ord(char) < 0x20 and char not in "\n\r\t"]
        assert not re.search("[\x7f-\x9f\u202e]", text)
        if end == "csv":
            for row in csv.reader(io.StringIO(text)):
                assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]
        elif end == "json":
            assert host in json.loads(text)["hosts"]
        elif end == "html":
            assert host in Page(text).text
        else:
            assert "script" not in {element.tag for element in ElementTree.fromstring(text).iter()}
            words_of(text)


def test_the_directory_of_the_server_is_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    told = replace(SAMPLE, source=str(tmp_path / "data"))
    with pytest.raises(UsageError, match="never writes"):
        save(Wish("csv", str(tmp_path / "data" / "x.csv"), Filter(), 5), told, drawn)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_screen_that_was_opened_there_offers_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As who logs in as the server's own user is: their home is the data directory on Debian."""
    told = replace(SAMPLE, source=str(tmp_path))
    (tmp_path / "within").mkdir()
    for place in (tmp_path, tmp_path / "within"):
        monkeypatch.chdir(place)
        assert os.path.dirname(default_path(Filter(), told, "csv")) == "/tmp"
    assert default_path(Filter(), SAMPLE, "csv") == default_name(Filter(), list(SAMPLE.hosts), "csv")


def test_a_file_that_comes_into_being_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    def draw(_: Snapshot) -> str:
        (tmp_path / "x.svg").write_text("theirs")
        return "<svg/>"

    with pytest.raises(TakenError):
        save(Wish("svg", str(tmp_path / "x.svg"), Filter(), 5), SAMPLE, draw)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir() if file.is_file()] == [("x.svg", "theirs")]


def test_what_is_wanted_no_longer_is_not_written(tmp_path: Path) -> None:
    assert save(Wish("csv", str(tmp_path / "x.csv"), Filter(), 5), SAMPLE, drawn, lambda: False) == ""
    assert not (tmp_path / "x.csv").exists()


def test_a_picture_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def run(self, publish: object, stop: object) -> None:
            """Nothing comes."""

    monkeypatch.setattr("headcount_tui.running.picture.PATIENCE", 0.5)
    with pytest.raises(HeadcountError, match="took too long"):
        picture(SAMPLE, lambda feed: HeadcountApp(Silent()), (80, 24))


def test_names() -> None:
    asked = Filter().having("host", "../../etc/x\x1b[2J y").having("month", "2026-10")
    assert default_name(asked, [], "csv") == "headcount-2026-10-_.._etc_x_2J_y.csv"
    assert default_name(Filter(), ["only.example"], "svg") == "headcount-all-only.example.svg"
    assert default_name(Filter(), ["a", "b"], "svg") == "headcount-all.svg"
    assert with_end("a.b.csv", "html") == "a.b.html"
    assert with_end("a.txt", "html") == "a.txt"
    assert next_name("headcount-2026-10.csv") == "headcount-2026-10-2.csv"
    assert next_name("x-2.csv") == "x-3.csv"
    assert next_name("x") == "x-2"
    assert full_path("~/x") == os.path.expanduser("~/x")
    assert full_path(" x ") == os.path.join(os.getcwd(), "x")


async def test_the_smallest_group_is_that_of_the_settings() -> None:
    async with screen(SMALL, options=ScreenOptions(min_count=50)) as seen:
        assert "no group under 50 users" in await seen.press("e")


@pytest.mark.parametrize("end", ["json", "csv", "html"])
def test_figures_of_those_read_so_far_are_not_handed_on(end: str) -> None:
    scan = replace(SAMPLE, phase=Phase.SCANNING, progress=Progress(9_000, 1_000_000))
    with pytest.raises(UsageError, match="Not everything is read yet"):
        text_of(end, scan)
    assert text_of(end, replace(scan, progress=Progress(9_000, 1_000_000, active_done=True)))


@pytest.mark.parametrize("min_count", [None, 5])
@pytest.mark.parametrize("end", ALL)
def test_no_file_names_a_user_exact_or_not(end: str, min_count: int | None) -> None:
    problem = ProblemGroup("unreadable record", 3, "example.com/lastlog2/mallory.dat", "it is cut", is_urgent=True)
    shown = replace(SMALL, problems=(problem,))
    text = text_of(end, shown, min_count=min_count)
    assert "mallory" not in (words_of(text) if end == "svg" else text)
    if end == "json" and min_count is None:
        assert json.loads(text)["problems"][0] == {
            "what": "unreadable record",
            "count": 3,
            "example": None,
            "why": "it is cut",
        }
