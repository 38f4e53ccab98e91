"""The trend: which points are drawn, where lines break, what is told of them, and that it costs little."""

from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import DAY, HOUR, NOW, SAMPLE, snapshot
from screens import screen
from textual.geometry import Size

from headcount.figures.filters import Filter, Term
from headcount.snapshot import (
    Cell,
    History,
    HistoryKey,
    HistoryPoint,
    HostCounts,
    Mark,
    MonthCounts,
    Past,
    Place,
    Quality,
    Snapshot,
)
from headcount_tui.asked.shown import Asked, Shown, Zoom, look
from headcount_tui.drawing.render import short
from headcount_tui.drawing.trend_chart import draw_course, moments, notes, steps
from headcount_tui.drawing.trend_data import Course, Dot, Gap, Line, MonthEnd, Sums, course, pick
from headcount_tui.widgets.trend import draw_trend

ZONE = ZoneInfo("Europe/Berlin")


def shown_of(snapshot: Snapshot, zoom: Zoom = Zoom.MONTH, **terms: str) -> Shown:
    return look(snapshot, Asked(filter=Filter(tuple(Term(field, terms[field]) for field in terms)), zoom=zoom))


def line_of(found: Course, name: str) -> Line:
    return next(line for line in found.lines if line.name == name)


def hourly(hours: int, missing: range = range(0)) -> History:
    """A point an hour, oldest first, that counts its own hours from now; none in the hours missing."""
    return History(
        tuple(
            HistoryPoint(NOW - back * HOUR, {"example.com": {HistoryKey("DE", "?"): Past(back, back, back, back)}})
            for back in range(hours, 0, -1)
            if back not in missing
        )
    )


# What is drawn


def test_the_lines_end_with_the_users_now() -> None:
    found = course(shown_of(SAMPLE), 200)
    assert line_of(found, "DAU").last == Dot(NOW, 82_907)
    assert line_of(found, "month users").last == Dot(NOW, 259_120)
    assert found.quality is Quality.LOWER_BOUND


def test_of_each_slot_the_last_point_is_drawn_and_no_mean() -> None:
    dots = [
        dot
        for stretch in line_of(course(shown_of(snapshot(history=hourly(240))), 10), "DAU").stretches
        for dot in stretch
    ]
    assert len(dots) <= 13  # ten slots, a month's end, now
    assert {dot.users for dot in dots[:-1]} <= set(range(1, 241))


@given(st.lists(st.integers(0, 900), min_size=1, unique=True), st.integers(1, 40))
def test_picked_points_are_some_of_those_there_are_in_their_order(hours: list[int], slots: int) -> None:
    points = [HistoryPoint(NOW - hour * HOUR, {}) for hour in sorted(hours, reverse=True)]
    picked = pick(points, NOW - 900 * HOUR, NOW, slots, [], ZONE)
    assert picked[-1] is points[-1]
    assert [point for point in points if point in picked] == picked
    assert len(picked) <= slots + 4  # the slots, and the ends of at most three months


def test_a_line_breaks_where_nothing_is_known() -> None:
    found = course(shown_of(snapshot(history=hourly(240, missing=range(100, 130)))), 200)
    assert [gap.until - gap.since for gap in found.gaps] == [31 * HOUR]
    first, second = line_of(found, "MAU").stretches
    assert first[-1].when == found.gaps[0].since
    assert second[0].when == found.gaps[0].until


def test_points_a_day_apart_are_no_gaps_where_they_are_old() -> None:
    old = tuple(HistoryPoint(NOW - back * DAY, {}) for back in range(200, 40, -1))
    points = (*old, *hourly(40 * 24).points)
    assert course(shown_of(snapshot(history=History(points)), Zoom.ALL), 200).gaps == ()


def test_month_users_begin_again_with_each_month() -> None:
    stretches = line_of(course(shown_of(snapshot(history=hourly(30 * 24))), 400), "month users").stretches
    assert len(stretches) == 2
    assert stretches[1][0].when >= 1_793_487_600  # 2026-11-01 in Berlin


def test_a_filter_holds_in_the_lines_and_a_city_has_none() -> None:
    france = line_of(course(shown_of(SAMPLE, country="FR"), 200), "MAU")
    whole = line_of(course(shown_of(SAMPLE), 200), "MAU")
    assert france.last.users < whole.last.users / 5
    assert france.stretches[0][0].users < whole.stretches[0][0].users / 5
    words = draw_trend(shown_of(SAMPLE, country="FR", city="2988507"), Size(90, 20)).plain
    assert "kept by host, country and client only" in words.replace("\n", " ")


def test_a_past_month_is_where_the_chart_ends() -> None:
    found = course(shown_of(SAMPLE, month="2026-09"), 200)
    assert found.until == 1_790_805_600  # 2026-10-01 in Berlin
    assert line_of(found, "DAU").last.when < found.until
    assert "2026-09-01 – 2026-09-30" in draw_trend(shown_of(SAMPLE, month="2026-09"), Size(90, 20)).plain


def test_months_before_the_history_stand_at_their_ends_with_their_quality() -> None:
    found = course(shown_of(snapshot(history=History()), Zoom.ALL), 200)
    assert [end.quality.mark for end in found.ends] == ["imported"] * 6 + ["≥"] + ["="] * 4
    text = draw_trend(shown_of(snapshot(history=History()), Zoom.ALL), Size(90, 24)).plain
    assert text.count("◇") == 7  # and once in the legend
    assert text.count("◆") == 5
    assert "◇ month users, imported" in text
    assert "The history begins when Headcount does" in text


def test_a_host_that_cannot_tell_makes_a_month_a_lower_bound() -> None:
    flat = MonthCounts(Quality.IMPORTED, 30, None, {Place("DE"): 30}, {"ANDROID": 30})
    full = MonthCounts.of(Quality.EXACT, {Cell(Place("DE"), "ANDROID"): 7})
    hosts = {name: HostCounts(30, {}, {"2026-10": counts}) for name, counts in (("a", flat), ("b", full))}
    shown = shown_of(snapshot(hosts=hosts, history=History()), Zoom.ALL, country="DE", client="ANDROID")
    assert [(end.users, end.quality) for end in course(shown, 99).ends] == [(7, Quality.LOWER_BOUND)]


def test_nothing_known_teaches() -> None:
    bare = snapshot(hosts={"example.com": HostCounts(1)}, history=History())
    assert "the first line comes with the second hour" in draw_trend(shown_of(bare), Size(90, 20)).plain
    assert "No host was found" in draw_trend(shown_of(snapshot(hosts={})), Size(90, 20)).plain


# How it is drawn


@pytest.mark.parametrize("zoom", Zoom)
@pytest.mark.parametrize("size", [(98, 22), (78, 10), (58, 10), (28, 7), (20, 3), (200, 50)])
def test_it_fills_its_size_and_no_more(size: tuple[int, int], zoom: Zoom) -> None:
    drawn = draw_trend(shown_of(SAMPLE, zoom), Size(*size))
    assert len(drawn.split("\n")) <= size[1]
    assert max(line.cell_length for line in drawn.split("\n")) <= size[0]


def test_lines_are_told_apart_without_colour() -> None:
    rows = draw_trend(shown_of(SAMPLE), Size(98, 22)).plain.split("\n")
    ends = {name: next(row for row in rows if f" {name} " in row) for name in ("MAU", "month users", "WAU", "DAU")}
    assert "─ MAU 415k" in ends["MAU"]
    assert "• month users ≥ 259k" in ends["month users"]
    assert len(set(ends.values())) == 4


def test_gaps_and_new_databases_are_shown_and_explained() -> None:
    text = draw_trend(shown_of(replace(SAMPLE, marks=(Mark(NOW - 20 * DAY, "[b]GeoLite2"),))), Size(98, 22)).plain
    assert "░" in text
    assert "gap 4 d: no data 10 Nov – 14 Nov" in text
    assert "┊GeoIP" in text
    assert "┊ 2 Nov: places from [b]GeoLite2" in text


def test_colours_are_names_of_the_theme() -> None:
    styles = {str(span.style) for span in draw_trend(shown_of(SAMPLE), Size(98, 22)).spans}
    assert not [style for style in styles if "rgb" in style or "#" in style]
    assert {"$text-primary", "$text-accent", "$text-success"} <= styles


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**9)), max_size=20),
    st.integers(28, 160),
    st.integers(5, 40),
    st.integers(2, 10**8),
)
def test_any_course_can_be_drawn(dots: list[tuple[int, int]], width: int, height: int, span: int) -> None:
    stretch = tuple(Dot(NOW + when % span, users) for when, users in sorted(dots))
    drawn = draw_course(
        Course(
            NOW,
            NOW + span,
            (Line("DAU", (stretch,) if stretch else ()), Line("month users", ())),
            (Gap(NOW, NOW + span / 2),),
            (MonthEnd(NOW + span, 3, Quality.IMPORTED),),
            (Mark(NOW + span, "x"),),
        ),
        ZONE,
        width,
        height,
    )
    assert len(drawn.split("\n")) == height
    assert max(line.cell_length for line in drawn.split("\n")) <= width


@given(st.integers(0, 10**10), st.integers(2, 20))
def test_steps_are_even_from_nothing_to_the_greatest(greatest: int, room: int) -> None:
    found = steps(greatest, room)
    assert found[0] == 0
    assert found[-1] >= greatest
    assert len(found) <= max(room, 2) + 1
    assert len({later - earlier for earlier, later in pairwise(found)}) == 1


@given(st.integers(0, 10**11))
def test_short_numbers_are_short_and_near(value: int) -> None:
    text = short(value)
    assert len(text) <= 5
    unit = {"k": 10**3, "M": 10**6, "G": 10**9}.get(text[-1], 1)
    assert float(text.rstrip("kMG")) * unit == pytest.approx(value, rel=0.06)


@given(st.floats(HOUR, 20 * 365 * DAY), st.integers(20, 160))
def test_moments_lie_within_and_have_room(span: float, room: int) -> None:
    found = moments(Course(NOW - span, NOW), ZONE, room)
    assert all(NOW - span <= when <= NOW for when, _ in found)
    assert len(found) <= max(2, room // 5 + 1)


def test_many_gaps_are_summed_up() -> None:
    gaps = tuple(Gap(NOW + back * DAY, NOW + back * DAY + 5 * HOUR) for back in range(9))
    assert "and 7 more" in notes(Course(NOW, NOW + 10 * DAY, gaps=gaps), ZONE, 98, 3)[0].plain


# On the screen


async def test_z_goes_from_30_days_to_a_year_to_all() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        assert "2026-10-23 – 2026-11-22" in await seen.press("5")
        assert "2025-11-22 – 2026-11-22" in await seen.press("z")
        assert "2025-10-18 – 2026-11-22" in await seen.press("z")
        assert "2026-10-23 – 2026-11-22" in await seen.press("z")
        await seen.pilot.click("#trend", offset=(15, 0))
        await seen.until("2025-11-22 – 2026-11-22")


async def test_it_stands_beside_the_table_where_there_is_room() -> None:
    async with screen(SAMPLE, size=(160, 45)) as seen:
        assert "MAU" in await seen.until("30 days")
        assert "Germany" in seen.text
        assert "2025-11-22 – 2026-11-22" in await seen.press("z")


async def test_the_trend_has_no_rows_to_count() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        assert "countries ──" in seen.text
        assert "countries ──" not in await seen.press("5")


async def test_what_does_not_change_is_neither_summed_nor_painted_again() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("5")
        panel = seen.app.screen.query_one("#trend")
        sums, painted = panel._sums, []
        refresh = panel.refresh
        panel.refresh = lambda *regions, **how: painted.append(regions) or refresh(*regions, **how)
        await seen.put(replace(SAMPLE, generated_at=NOW + 60), "13:34")
        assert painted == []
        assert panel._sums is sums


async def test_hidden_it_draws_nothing_and_seen_again_it_is_up_to_date() -> None:
    async with screen(SAMPLE, size=(100, 30)) as seen:
        await seen.press("5")
        await seen.press("1")
        panel = seen.app.screen.query_one("#trend")
        drawn = []
        draw = panel.draw
        panel.draw = lambda *seen: drawn.append(1) or draw(*seen)
        await seen.put(replace(SAMPLE, generated_at=NOW + 60), "13:34")
        await seen.put(
            replace(SAMPLE, generated_at=NOW + 120, hosts={"example.org": SAMPLE.hosts["example.org"]}), "13:35"
        )
        assert drawn == []
        shown = await seen.press("5")
        assert "─ MAU" in shown
        assert "415k" not in shown


def test_what_was_added_up_is_known_as_long_as_filter_and_history_stay() -> None:
    asked = Asked(filter=Filter((Term("country", "FR"),)))
    first = look(SAMPLE, asked)
    second = look(replace(SAMPLE, generated_at=NOW + 1), asked, last=first)
    assert second.cut.history is first.cut.history
    assert (
        look(SAMPLE, Asked(filter=Filter((Term("country", "DE"),))), last=second).cut.history is not first.cut.history
    )
    newer = replace(SAMPLE, history=History(SAMPLE.history.points[1:]))
    assert look(newer, asked, last=second).cut.history.points == newer.history.points
    assert [first.cut.history.sum_of(point) for point in SAMPLE.history.points[:3]] == [
        asked.filter.apply(SAMPLE).history.sum_of(point) for point in SAMPLE.history.points[:3]
    ]


def test_a_repaint_that_changes_nothing_sums_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {HistoryKey(f"{index:02}", "ANDROID"): Past(1, 2, 3, 4) for index in range(400)}
    points = tuple(HistoryPoint(NOW - back * HOUR, {"example.com": keys}) for back in range(1300, 0, -1))
    shown = shown_of(snapshot(history=History(points)))
    summed: list[int] = []
    sum_of = History.sum_of
    monkeypatch.setattr(History, "sum_of", lambda history, point: summed.append(point.when) or sum_of(history, point))
    sums = Sums(shown.cut.history)
    first = draw_trend(shown, Size(98, 22), sums)
    assert 0 < len(summed) <= 2 * 98 + 2, "of the points those are summed that are drawn"
    assert len(summed) == len(set(summed))
    summed.clear()
    assert draw_trend(shown, Size(98, 22), sums) == first
    assert summed == []
