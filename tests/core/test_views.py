"""Figures and tables: what the snapshot says, summed, compared and ordered, and nothing that it does not say."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from made_up import (
    ACTIVE,
    DAY,
    FLAT,
    FRANCE,
    FRANKFURT,
    GERMANY,
    MONTH,
    MUNICH,
    NAMES,
    NOW,
    NOWHERE,
    PARIS,
    SINGAPORE,
    host,
    point,
    snapshot,
    snapshots,
)

from headcount.engine.history import HistoryKeeper
from headcount.figures.anonymity import anonymous
from headcount.figures.filters import Filter
from headcount.figures.tables import client_rows, country_rows, known_with_users, month_rows, name_of, place_rows
from headcount.figures.totals import (
    Pace,
    active_by_country,
    figures,
    month_counts,
    month_names,
    pace,
    sum_active,
    total_active,
)
from headcount.months import end_of, month_of, shift, start_of
from headcount.snapshot import (
    Active,
    Cell,
    History,
    HistoryKey,
    HistoryPoint,
    HostCounts,
    MonthCounts,
    Past,
    Place,
    PlaceName,
    Quality,
    Snapshot,
)

FEWER = MonthCounts.of(Quality.LOWER_BOUND, {Cell(FRANKFURT, "Dino"): 2, Cell(PARIS, "Gajim"): 6})
ONE = snapshot({"example.com": host(_2026_11=MONTH, _2026_10=FEWER)})
TWO = snapshot({"a.example": host(_2026_11=MONTH), "b.example": host(_2026_11=FLAT, _2026_10=FEWER)})


def utc(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]


def test_the_figures_of_now_are_the_active_users() -> None:
    assert [(f.window.name, f.users, f.as_of) for f in figures(ONE)] == [
        ("DAU", 3, NOW),
        ("WAU", 5, NOW),
        ("MAU", 12, NOW),
    ]


def test_without_a_history_nothing_is_compared() -> None:
    for figure in figures(ONE, days=3):
        assert figure.before is None
        assert figure.series == (None, None, figure.users)


def with_points(of: Snapshot, *ago: tuple[int, int]) -> Snapshot:
    """The snapshot with points so many seconds ago, with so many users."""
    points = sorted((point(int(of.generated_at) - s, {"example.com": {("DE", "?"): n}}) for s, n in ago), key=when_of)
    return replace(of, history=History(tuple(points)))


def when_of(of: object) -> int:
    return of.when  # type: ignore[attr-defined, no-any-return]


def test_each_window_is_compared_with_the_same_one_before() -> None:
    found = figures(with_points(ONE, (DAY, 10), (7 * DAY, 70), (30 * DAY, 300)), days=8)
    assert [figure.before for figure in found] == [10, 70, 300]
    assert found[0].series == (70, None, None, None, None, None, 10, 3)
    assert found[2].series == (70, None, None, None, None, None, 10, 12)


def test_a_series_has_a_value_a_day_and_ends_now() -> None:
    assert all(len(figure.series) == 30 and figure.series[-1] == figure.users for figure in figures(ONE))


def test_a_past_month_is_as_of_its_end() -> None:
    past = with_points(ONE, (NOW - utc(2026, 11, 1), 5), (NOW - utc(2026, 10, 31), 4), (NOW - utc(2026, 10, 2), 3))
    found = figures(past, "2026-10")
    assert {figure.as_of for figure in found} == {utc(2026, 11, 1)}
    assert [(figure.users, figure.before) for figure in found] == [(5, 4), (5, None), (5, 3)]
    assert found[0].series[-2:] == (4, 5)


def test_a_past_month_without_history_has_no_figures() -> None:
    for figure in figures(ONE, "2026-09"):
        assert (figure.users, figure.before, set(figure.series)) == (None, None, {None})


@pytest.mark.parametrize("month", [None, "2026-11", "2027-01"])
def test_the_current_month_and_one_to_come_are_as_of_now(month: str | None) -> None:
    assert figures(ONE, month) == figures(ONE)


def test_the_figures_of_a_past_month_are_filtered_like_the_rest() -> None:
    history = History((point(utc(2026, 11, 1), {"example.com": {("DE", "Dino"): 5, ("FR", "Dino"): 2}}),))
    german = Filter().having("country", "DE").apply(replace(ONE, history=history))
    assert figures(german, "2026-10")[0].users == 5


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("UTC", "2026-06"),
        ("Europe/Berlin", "2026-03"),
        ("Europe/Berlin", "2026-04"),
        ("America/New_York", "2026-03"),
        ("Asia/Kathmandu", "2026-06"),
        ("Australia/Adelaide", "2026-04"),
        ("Australia/Lord_Howe", "2026-04"),
        ("America/St_Johns", "2026-03"),
        ("Africa/Cairo", "2026-04"),
    ],
)
def test_each_day_of_a_past_month_is_known_where_the_engine_never_stopped(name: str, month: str) -> None:
    """Also where the clocks changed in it, and long after only a point a day is left."""
    zone = ZoneInfo(name)
    keeper = HistoryKeeper([], zone)
    first, last = int(start_of(shift(month, -1), UTC)) // 3600 * 3600, int(end_of(shift(month, 1), UTC)) + 12 * DAY
    for hour in range(first, last, 3600):
        keeper.add(hour + 60, {"example.com": HostCounts(active={Cell(GERMANY, "?"): Active(hour, hour, hour)})})
    now = float(keeper.until(math.inf).points[-1].when)
    later = replace(
        ONE, generated_at=now, timezone=name, month=month_of(now, zone) or "", history=keeper.until(math.inf), hosts={}
    )
    found = figures(later, month)
    for figure in found:
        assert None not in (figure.users, figure.before, *figure.series), figure
    days = [datetime.fromtimestamp(hour or 0, zone) for hour in found[0].series]
    assert [day.toordinal() for day in days] == list(range(days[0].toordinal(), days[0].toordinal() + 30))
    assert days[-1].strftime("%Y-%m-%d") == f"{shift(month, 1)}-01"


def test_active_users_add_up_over_hosts_and_cells() -> None:
    assert total_active(TWO) == Active(6, 10, 24, 4)
    assert sum_active([]) == Active()
    assert total_active(snapshot({})) == Active()


def test_active_users_by_country() -> None:
    assert active_by_country(ACTIVE) == {
        "DE": Active(2, 4, 6, 1),
        "FR": Active(1, 1, 1, 1),
        None: Active(0, 0, 5, 0),
    }


def test_the_months_are_those_of_any_host_and_the_current_one() -> None:
    assert month_names(TWO) == ["2026-10", "2026-11"]
    assert month_names(snapshot({})) == ["2026-11"]
    assert month_names(snapshot({"a": host(_2024_02=MONTH)})) == ["2024-02", "2026-11"]


def test_a_month_of_one_host_is_that_hosts() -> None:
    assert month_counts(ONE, "2026-10") is FEWER
    assert month_counts(ONE, "2026-09") is None


def test_a_month_of_many_hosts_is_their_sum() -> None:
    both = month_counts(snapshot({"a": host(_2026_11=MONTH), "b": host(_2026_11=FEWER)}), "2026-11")
    assert both is not None
    assert (both.users, both.quality) == (20, Quality.LOWER_BOUND)
    assert both.cells is not None
    assert both.cells[Cell(FRANKFURT, "Dino")] == 6
    assert both == MonthCounts.of(Quality.LOWER_BOUND, both.cells)


def test_a_month_of_which_one_host_knows_the_margins_alone_has_margins_alone() -> None:
    both = month_counts(TWO, "2026-11")
    assert both is not None
    assert (both.users, both.cells, both.quality) == (24, None, Quality.LOWER_BOUND)
    assert both.places == {FRANKFURT: 10, MUNICH: 4, PARIS: 6, NOWHERE: 4}
    assert both.clients == {"Dino": 14, "?": 8, "Gajim": 2}


@pytest.mark.parametrize("quality", list(Quality))
def test_a_quality_that_all_hosts_share_stays(quality: Quality) -> None:
    month = replace(MONTH, quality=quality)
    both = month_counts(snapshot({"a": host(_2026_11=month), "b": host(_2026_11=month)}), "2026-11")
    assert both is not None
    assert both.quality is quality


def test_countries() -> None:
    rows = country_rows(ONE, "2026-11")
    assert [(row.key, row.label, row.users, row.before, row.active.month) for row in rows] == [
        (GERMANY, "Germany", 7, 2, 6),
        (FRANCE, "France", 3, 6, 1),
        (NOWHERE, "?", 2, 0, 5),
    ]
    assert [row.share for row in rows] == [7 / 12, 3 / 12, 2 / 12]


def test_places_and_clients() -> None:
    assert [(row.label, row.users, row.before) for row in place_rows(ONE, "2026-11")] == [
        ("Frankfurt am Main, Hesse, Germany", 5, 2),
        ("Paris, Île-de-France, France", 3, 6),
        ("?", 2, 0),  # more users active than in the next
        ("Munich, Bavaria, Germany", 2, 0),
    ]
    assert [(row.label, row.users, row.before) for row in client_rows(ONE, "2026-11")] == [
        ("Dino", 7, 2),
        ("?", 3, 0),
        ("Gajim", 2, 6),
    ]


def test_a_month_that_nobody_was_in_lists_who_is_active() -> None:
    rows = country_rows(ONE, "2026-12")
    assert [(row.label, row.users, row.share, row.before) for row in rows] == [
        ("Germany", 0, None, 7),
        ("?", 0, None, 2),
        ("France", 0, None, 3),
    ]


def test_what_a_filter_leaves_unknown_has_no_number() -> None:
    flat = Filter().having("client", "Dino").apply(snapshot({"a": host(_2026_11=FLAT, _2026_10=FLAT)}))
    assert [(row.label, row.users, row.share, row.before) for row in country_rows(flat, "2026-11")] == [
        ("Germany", None, None, None),
        ("France", None, None, None),
    ]
    assert [(row.label, row.users, row.before) for row in client_rows(flat, "2026-11")] == [("Dino", 7, 7)]


def test_the_unknown_comes_last_among_equals() -> None:
    month = MonthCounts.of(Quality.EXACT, {Cell(NOWHERE, client): 1 for client in ("b", "?", "a")})
    rows = client_rows(snapshot({"a": HostCounts(3, {}, {"2026-11": month})}), "2026-11")
    assert [row.key for row in rows] == ["a", "b", "?"]


def test_rows_that_look_alike_stand_in_one_order() -> None:
    here, there = Place("DE", "BY", 1), Place("DE", "BY", 2)
    names = dict.fromkeys((here, there), PlaceName("Germany", "Bavaria", "Neustadt"))
    orders = []
    for places in ((here, there), (there, here)):
        month = MonthCounts.of(Quality.EXACT, {Cell(place, "?"): 1 for place in places})
        shown = snapshot({"a": HostCounts(2, {}, {"2026-11": month})}, names=names)
        orders.append([row.key for row in place_rows(shown, "2026-11")])
    assert orders[0] == orders[1]


def test_months_newest_first_with_their_change() -> None:
    september = MonthCounts.of(Quality.EXACT, {})
    rows = month_rows(snapshot({"a": host(_2026_11=MONTH, _2026_10=FEWER, _2026_09=september, _2026_06=FLAT)}))
    assert [(row.month, row.users, row.quality.mark, row.change, row.countries, row.clients) for row in rows] == [
        ("2026-11", 12, "=", None, 2, 2),  # it goes on
        ("2026-10", 8, "≥", None, 2, 2),  # nobody in the month before: no change that a number could tell
        ("2026-09", 0, "=", None, 0, 0),
        ("2026-06", 12, "imported", None, 2, 1),
    ]


def test_the_unknown_and_those_without_users_are_no_countries_and_no_clients() -> None:
    month = MonthCounts.of(
        Quality.EXACT,
        {Cell(PARIS, "Dino"): 3, Cell(MUNICH, "?"): 2, Cell(NOWHERE, "?"): 2, Cell(SINGAPORE, "Gajim"): 0},
    )
    shown = snapshot({"a": HostCounts(7, {Cell(Place("JP"), "Monal"): Active(0, 0, 1)}, {"2026-11": month})})
    countries, clients = country_rows(shown, "2026-11"), client_rows(shown, "2026-11")
    assert [(row.label, row.users) for row in countries][-2:] == [("JP", 0), ("SG", 0)]
    assert (known_with_users(countries), known_with_users(clients)) == (2, 1)
    assert [(row.countries, row.clients) for row in month_rows(shown)] == [(2, 1)]


def test_those_who_are_told_together_are_no_country_and_no_client() -> None:
    month = MonthCounts.of(
        Quality.EXACT, {Cell(PARIS, "Dino"): 9, Cell(MUNICH, "Dino"): 2, Cell(SINGAPORE, "Gajim"): 4}
    )
    shown = anonymous(snapshot({"a": HostCounts(99, {}, {"2026-11": month})}), 5)
    assert [row.label for row in country_rows(shown, "2026-11")] == ["France", "other"]
    assert known_with_users(country_rows(shown, "2026-11")) == 1
    assert [(row.countries, row.clients) for row in month_rows(shown)] == [(1, 1)]


def test_months_are_compared_where_both_are_over_and_whole() -> None:
    exact = MonthCounts.of(Quality.EXACT, {Cell(PARIS, "Dino"): 8})
    least = replace(exact, quality=Quality.LOWER_BOUND)
    for months, change in (
        ({"_2026_10": exact, "_2026_09": MONTH}, -1 / 3),
        ({"_2026_10": exact, "_2026_09": FLAT}, -1 / 3),
        ({"_2026_10": least, "_2026_09": MONTH}, None),
        ({"_2026_10": MONTH, "_2026_09": least}, None),
        ({"_2026_11": MONTH, "_2026_10": exact}, None),
        ({"_2026_12": MONTH, "_2026_11": exact}, None),
        ({"_2026_10": MONTH, "_2026_08": exact}, None),
    ):
        found = month_rows(snapshot({"a": host(**months)}))[0].change
        assert found == (None if change is None else pytest.approx(change))


def test_what_a_month_cannot_tell_is_no_number() -> None:
    flat = Filter().having("country", "DE").apply(snapshot({"a": host(_2026_11=FLAT)}))
    assert [(row.users, row.countries, row.clients) for row in month_rows(flat)] == [(7, 1, None)]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (FRANKFURT, "Frankfurt am Main, Hesse, Germany"),
        (GERMANY, "Germany"),
        (NOWHERE, "?"),
        (Place("JP", "13", 1850147), "city 1850147, 13, JP"),
        (Place("JP", None, 1850147), "city 1850147, JP"),
        (Place(None, "HE", 5), "?"),
    ],
)
def test_a_place_in_words(place: Place, name: str) -> None:
    assert name_of(place, NAMES) == name


@given(snapshots)
def test_rows_sum_to_the_totals(shown: Snapshot) -> None:
    for month in month_names(shown):
        counts = month_counts(shown, month)
        for rows in (country_rows(shown, month), place_rows(shown, month), client_rows(shown, month)):
            assert sum(row.users or 0 for row in rows) == (counts.users if counts else 0)
            now = total_active(shown) if month >= shown.month else Active()  # who is here now tells nothing of then
            assert sum_active(row.active for row in rows) == now
            assert sum(row.share or 0 for row in rows) == pytest.approx(1 if counts and counts.users else 0)
            assert len({row.key for row in rows}) == len(rows)
            assert [row.users or 0 for row in rows] == sorted((row.users or 0 for row in rows), reverse=True)


@given(snapshots)
def test_a_month_has_the_same_users_by_every_cut(shown: Snapshot) -> None:
    for row in month_rows(shown):
        counts = month_counts(shown, row.month)
        assert counts is not None
        for margin in (counts.places, counts.clients, counts.cells):
            assert margin is None or sum(margin.values()) == counts.users == row.users


def paced(now: datetime, *points: tuple[datetime, int | None], zone: str = "UTC") -> Snapshot:
    """A snapshot of that moment, with so many users of their month noted at each point."""
    month = f"{now:%Y-%m}"
    return snapshot(
        {"a": HostCounts(months={month: MonthCounts.of(Quality.EXACT, {Cell(GERMANY, "Dino"): 7})})},
        generated_at=now.timestamp(),
        timezone=zone,
        month=month,
        history=History(
            tuple(
                HistoryPoint(int(when.timestamp()), {"a": {HistoryKey("DE", "Dino"): Past(0, 0, 0, users)}})
                for when, users in points
            )
        ),
    )


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (datetime(2026, 11, 22, 4, 32), datetime(2026, 10, 22, 4, 32)),
        (datetime(2026, 1, 31, 12, 0), datetime(2025, 12, 31, 12, 0)),
        (datetime(2026, 3, 31, 12, 0), datetime(2026, 2, 28, 12, 0)),
        (datetime(2028, 3, 30, 23, 50), datetime(2028, 2, 29, 23, 50)),
        (datetime(2026, 7, 31, 0, 10), datetime(2026, 6, 30, 0, 10)),
        (datetime(2026, 4, 10, 9, 0), datetime(2026, 3, 10, 9, 0)),  # an hour less since then: summer time began
        (datetime(2026, 4, 29, 2, 30), datetime(2026, 3, 29, 3, 30)),  # which is when half past two was skipped
        (datetime(2026, 11, 25, 2, 30), datetime(2026, 10, 25, 2, 30)),
    ],
)
@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin"])
def test_the_pace_is_against_the_same_day_and_time_of_the_month_before(
    now: datetime, then: datetime, name: str
) -> None:
    if name == "UTC" and then == datetime(2026, 3, 29, 3, 30):
        then = datetime(2026, 3, 29, 2, 30)
    zone = ZoneInfo(name)
    then = then.replace(tzinfo=zone).astimezone(UTC)
    around = [(then + timedelta(hours=by), 100 + by) for by in (-2, -1, 1, 2)]
    shown = paced(now.replace(tzinfo=zone), *around[:2], (then, 5), *around[2:], zone=name)
    assert pace(shown) == Pace(7, 5, then.timestamp())


def test_no_point_of_another_month_stands_for_the_month_before() -> None:
    first = paced(utc_time(2026, 11, 1, 0, 10), (utc_time(2026, 9, 30, 23, 59), 900), (utc_time(2026, 10, 1, 1), 3))
    assert (found := pace(first)) is not None
    assert found.before == 3
    last = paced(utc_time(2026, 3, 31, 23, 50), (utc_time(2026, 2, 28, 23), 80), (utc_time(2026, 3, 1), 1))
    assert (found := pace(last)) is not None
    assert found.before == 80


def test_there_is_no_pace_where_the_history_cannot_tell() -> None:
    now, then = utc_time(2026, 11, 22, 4, 32), utc_time(2026, 10, 22, 4, 32)
    assert pace(paced(now)) is None
    assert pace(paced(now, (then, None))) is None
    assert pace(paced(now, (then - timedelta(hours=2), 5))) is None
    assert pace(replace(paced(now, (then, 5)), hosts={})) is None


def test_the_pace_is_filtered_like_the_rest() -> None:
    shown = paced(utc_time(2026, 11, 22, 4, 32), (utc_time(2026, 10, 22, 4, 32), 5))
    german, french = (Filter().having("country", country).apply(shown) for country in ("DE", "FR"))
    then = utc(2026, 10, 22, 4, 32)
    assert (pace(german), pace(french)) == (Pace(7, 5, then), Pace(0, 0, then))
    assert pace(Filter().having("city", "2925533").apply(shown)) is None


def utc_time(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_each_country_and_client_is_compared_with_the_same_day_of_the_month_before() -> None:
    past = {HistoryKey("DE", "Dino"): Past(0, 0, 0, 4), HistoryKey("FR", "?"): Past(0, 0, 0, 2)}
    counts = MonthCounts.of(Quality.EXACT, {Cell(Place("DE"), "Dino"): 5, Cell(Place("JP"), "?"): 1})
    history = History((HistoryPoint(int(NOW - 31 * DAY), {"a": past}),))
    shown = replace(snapshot({}), month="2026-11", hosts={"a": HostCounts(9, {}, {"2026-11": counts})}, history=history)
    assert {row.key.country: (row.users, row.then) for row in country_rows(shown, "2026-11")} == {
        "DE": (5, 4),
        "JP": (1, 0),
    }
    assert {row.key: row.then for row in client_rows(shown, "2026-11")} == {"Dino": 4, "?": 2}
    assert {row.then for row in country_rows(replace(shown, history=History()), "2026-11")} == {None}
    assert {row.then for row in country_rows(shown, "2026-10")} == set()
