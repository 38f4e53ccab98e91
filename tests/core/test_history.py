"""The past: a point an hour, then a point a day, and an answer only where there is a point near enough."""

from collections.abc import Container, Iterable
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from made_up import ACTIVE, DAY, FRANKFURT, MUNICH, NOW, PARIS, past, point

from headcount.engine.history import HOUR, HOURLY_FOR, HOURLY_FOR_AT_MOST, HistoryKeeper
from headcount.months import start_of
from headcount.snapshot import Active, Cell, History, HistoryKey, HistoryPoint, HostCounts, MonthCounts, Past, Quality

UTC = ZoneInfo("UTC")
HOURS = NOW // HOUR * HOUR


def test_a_point_is_due_once_in_each_hour() -> None:
    keeper = HistoryKeeper([], UTC)
    assert keeper.is_due(HOURS)
    keeper.add(HOURS + 0.5, {})
    assert not keeper.is_due(HOURS + 1)
    assert not keeper.is_due(HOURS + HOUR - 1)
    assert keeper.is_due(HOURS + HOUR)


def test_time_that_stepped_back_notes_the_hours_that_have_no_point_and_loses_none() -> None:
    keeper = HistoryKeeper([], UTC)
    keeper.add(HOURS, {})
    keeper.add(HOURS + HOUR, {})
    assert not keeper.is_due(HOURS + 60)
    assert keeper.is_due(HOURS - 5 * HOUR)
    keeper.add(HOURS - 5 * HOUR, {})
    assert [point.when - HOURS for point in keeper.history.points] == [-5 * HOUR, 0, HOUR]
    assert keeper.is_due(HOURS + 2 * HOUR)


def test_it_goes_on_where_the_state_left_off() -> None:
    keeper = HistoryKeeper([point(HOURS, {}), point(HOURS - HOUR, {})], UTC)
    assert [kept.when for kept in keeper.history.points] == [HOURS - HOUR, HOURS]
    assert not keeper.is_due(HOURS + 1)
    assert keeper.added == []


def test_a_point_is_kept_by_country_and_client_alone() -> None:
    keeper = HistoryKeeper([], UTC)
    cells = {**ACTIVE, Cell(FRANKFURT, "Gajim"): Active(1, 1, 1, 0), Cell(PARIS, "?"): Active(0, 0, 0, 1)}
    keeper.add(HOURS + 0.9, {"a.example": HostCounts(active=cells), "b.example": HostCounts()})
    assert keeper.added == [
        HistoryPoint(
            HOURS,
            {
                "a.example": {
                    HistoryKey("DE", "Dino"): Past(2, 3, 4, 0),
                    HistoryKey("DE", "Gajim"): Past(1, 2, 3, 0),
                    HistoryKey("FR", "Dino"): Past(1, 1, 1, 0),
                    HistoryKey(None, "?"): Past(0, 0, 5, 0),
                },
                "b.example": {},
            },
        )
    ]


def test_what_was_kept_is_not_told_again() -> None:
    keeper = hourly(UTC, 40)
    keeper.note_kept()
    keeper.add(HOURS + HOUR, {})
    assert (len(keeper.added), keeper.forgotten) == (1, [])  # 05:00 is the first of its day
    keeper.add(HOURS + 2 * HOUR, {})
    assert (len(keeper.added), keeper.forgotten) == (2, [HOURS + 1 + HOUR - HOURLY_FOR])
    keeper.note_kept()
    assert (keeper.added, keeper.forgotten) == ([], [])
    assert len(keeper.history.points) == 40 * 24 + 2


def test_a_history_that_was_handed_out_does_not_change() -> None:
    keeper = HistoryKeeper([], UTC)
    keeper.add(HOURS, {})
    handed_out = keeper.history
    keeper.add(HOURS + HOUR, {})
    assert len(handed_out.points) == 1
    assert len(keeper.history.points) == 2


def hourly(zone: ZoneInfo, days: int, until: int = HOURS) -> HistoryKeeper:
    """The history of an engine that ran without a gap, a second behind each hour."""
    keeper = HistoryKeeper([], zone)
    for hour in range(until - days * DAY, until + 1, HOUR):
        keeper.add(hour + 1, {"a.example": HostCounts()})
    return keeper


def test_forty_days_are_kept_by_the_hour_and_the_rest_by_the_day() -> None:
    keeper = hourly(UTC, 45)
    whens = [kept.when for kept in keeper.history.points]
    recent = [when for when in whens if when >= HOURS + 1 - HOURLY_FOR]
    assert recent == list(range(HOURS + 1 - HOURLY_FOR, HOURS + 2, HOUR))
    assert [datetime.fromtimestamp(when, UTC).hour for when in whens if when not in recent] == [5, 0, 0, 0, 0, 0]
    added = {kept.when for kept in keeper.added}
    assert added - set(keeper.forgotten) == set(whens)


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Berlin",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
        "Africa/Cairo",  # where the clocks go on at midnight
        "America/Havana",  # where they go back to midnight
    ],
)
def test_every_day_keeps_a_point_and_one_alone(name: str) -> None:
    zone = ZoneInfo(name)
    until = int(datetime(2026, 6, 10, tzinfo=UTC).timestamp())  # the clocks change on 8 March, or on 24 April
    points = hourly(zone, 100, until).history.points
    old = [p.when for p in points if p.when < until - HOURLY_FOR - DAY]
    days = [datetime.fromtimestamp(when, zone).date().toordinal() for when in old]
    assert days == list(range(days[0], days[0] + len(days)))
    assert len(days) >= 58


def days_of(points: Iterable[HistoryPoint], zone: tzinfo) -> list[date]:
    return [datetime.fromtimestamp(kept.when, zone).date() for kept in points]


OFFICE, NIGHTS, EVENINGS, NOON = range(9, 17), range(1, 24), (22, 23, 0, 1), (12,)


@pytest.mark.parametrize("hours", [OFFICE, NIGHTS, EVENINGS, NOON])
@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Auckland"])
def test_every_day_on_which_the_engine_was_up_keeps_its_first_point(name: str, hours: Container[int]) -> None:
    zone = ZoneInfo(name)
    keeper = HistoryKeeper([], zone)
    up = [
        when for when in range(HOURS - 120 * DAY, HOURS + 1, HOUR) if datetime.fromtimestamp(when, zone).hour in hours
    ]
    for when in up:
        keeper.add(when, {})
    firsts = {datetime.fromtimestamp(when, zone).date(): when for when in reversed(up)}
    kept = [p.when for p in keeper.history.points]
    assert set(firsts.values()) <= set(kept)
    assert [when for when in kept if when < HOURS - HOURLY_FOR - DAY] == sorted(
        when for when in firsts.values() if when < HOURS - HOURLY_FOR - DAY
    )
    assert [when for when in kept if when >= HOURS - HOURLY_FOR] == [w for w in up if w >= HOURS - HOURLY_FOR]


def test_an_engine_that_runs_once_a_week_keeps_a_point_of_each_time() -> None:
    keeper = HistoryKeeper([], UTC)
    for week in range(52):
        keeper.add(HOURS + week * 7 * DAY, {})
        keeper.add(HOURS + week * 7 * DAY + HOUR, {})
    points = keeper.history.points
    assert sorted(set(days_of(points, UTC))) == [
        datetime.fromtimestamp(HOURS, UTC).date() + timedelta(7 * n) for n in range(52)
    ]


def test_points_of_times_that_lie_apart_are_thinned_at_last() -> None:
    keeper = HistoryKeeper([], UTC)
    for week in range(104):
        for hour in range(3):
            keeper.add(HOURS + week * 7 * DAY + hour * HOUR, {})
    assert len(keeper.history.points) == 104 + 2 * HOURLY_FOR_AT_MOST // DAY


def a_year_of(zone: ZoneInfo) -> list[HistoryPoint]:
    """The last forty days by the hour, and the first hour of each day before."""
    whens = range(HOURS - 399 * DAY + 1, HOURS + 2, HOUR)
    starts = {datetime.fromtimestamp(when, zone).date(): when for when in reversed(whens)}
    return [point(when, {}) for when in whens if when > HOURS - HOURLY_FOR or when in starts.values()]


ABROAD = ["UTC", "Europe/London", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Etc/GMT-1"]


@pytest.mark.parametrize("home", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize("abroad", ABROAD)
def test_a_run_in_another_zone_forgets_nothing_that_was_kept(home: str, abroad: str) -> None:
    before = a_year_of(ZoneInfo(home))
    away = HistoryKeeper(list(before), ZoneInfo(abroad))
    away.add(HOURS + HOUR + 1, {})
    old = {kept.when for kept in before if kept.when < HOURS - HOURLY_FOR}
    assert old <= {kept.when for kept in away.history.points}
    for hour in range(2, 50):
        away.add(HOURS + hour * HOUR + 1, {})
    back = HistoryKeeper(list(away.history.points), ZoneInfo(home))
    back.add(HOURS + 50 * HOUR + 1, {})
    assert old <= {kept.when for kept in back.history.points}


@pytest.mark.parametrize("days", [8, 12, 45, 100, 1_100, 2_000])
@pytest.mark.parametrize("hours", [1, 48])
def test_a_clock_that_leaps_ahead_costs_no_point(days: int, hours: int) -> None:
    keeper = hourly(UTC, 100)
    before = {kept.when for kept in keeper.history.points}
    keeper.note_kept()
    for hour in range(hours):
        keeper.add(HOURS + days * DAY + hour * HOUR, {})
    assert keeper.forgotten == []
    right = HistoryKeeper(list(keeper.history.points), UTC)
    right.add(HOURS + HOUR + 1, {})
    assert right.forgotten in ([], [HOURS + 1 - HOURLY_FOR])  # as without the leap
    assert before - set(right.forgotten) <= {kept.when for kept in right.history.points}


def test_a_machine_that_was_off_for_a_year_thins_what_was_before_when_it_has_gone_for_forty_days() -> None:
    keeper = hourly(UTC, 45)
    for hour in range(HOURLY_FOR // HOUR + 3):
        keeper.add(HOURS + 365 * DAY + hour * HOUR, {})
    old = [when for when in (p.when for p in keeper.history.points) if when <= HOURS + 1]
    assert len(old) == 46
    assert len(days_of(keeper.history.points, UTC)) == 46 + HOURLY_FOR // HOUR + 2


NEAR = History((point(HOURS, {"a.example": {("DE", "Dino"): 1}}), point(HOURS + 2 * HOUR, {"a.example": {}})))


@pytest.mark.parametrize(
    ("when", "users"),
    [
        (HOURS, 1),
        (HOURS - 5400, 1),
        (HOURS - 5401, None),
        (HOURS + HOUR - 1, 1),
        (HOURS + HOUR + 1, 0),
        (HOURS + 2 * HOUR + 5400, 0),
        (HOURS + 2 * HOUR + 5401, None),
    ],
)
def test_the_nearest_point_answers_if_it_is_near(when: int, users: int | None) -> None:
    assert NEAR.at(when) == (None if users is None else past(users))


def test_how_near_is_for_the_asker_to_say() -> None:
    assert NEAR.at(HOURS + 60, within=59) is None
    assert NEAR.at(HOURS + 60, within=60) == past(1)
    assert NEAR.at(HOURS - 10 * DAY, within=10 * DAY) == past(1)


def test_no_history_knows_nothing() -> None:
    assert History().at(NOW) is None
    assert History().through(lambda host, key: True).at(NOW) is None


def test_it_is_seen_through_every_condition_that_was_set() -> None:
    history = History(
        (point(HOURS, {"a": {("DE", "Dino"): 1, ("DE", "?"): 2, ("FR", "Dino"): 4}, "b": {("DE", "Dino"): 8}}),)
    )
    german = history.through(lambda host, key: key.country == "DE")
    assert german.at(HOURS) == past(11)
    assert german.through(lambda host, key: key.client == "Dino").at(HOURS) == past(9)
    assert german.through(lambda host, key: host == "a", "a").at(HOURS) == past(3)
    assert german.through(lambda host, key: host == "c", "c").at(HOURS) is None


def test_a_city_is_never_kept() -> None:
    keeper = HistoryKeeper([], UTC)
    cells = {Cell(MUNICH, "?"): Active(1, 1, 1), Cell(FRANKFURT, "?"): Active(0, 1, 1)}
    keeper.add(HOURS, {"a": HostCounts(active=cells)})
    assert keeper.added[0].hosts == {"a": {HistoryKey("DE", "?"): Past(1, 2, 2, 0)}}


def test_a_point_notes_the_users_of_its_month_so_far() -> None:
    november = MonthCounts.of(Quality.EXACT, {Cell(MUNICH, "Dino"): 3, Cell(FRANKFURT, "Dino"): 4, Cell(PARIS, "?"): 1})
    october = MonthCounts.of(Quality.EXACT, {Cell(PARIS, "Gajim"): 9})
    counts = HostCounts(
        active={Cell(MUNICH, "Dino"): Active(1, 2, 2)}, months={"2026-11": november, "2026-10": october}
    )
    keeper = HistoryKeeper([], UTC)
    keeper.add(HOURS, {"a": counts})
    assert keeper.added[0].hosts == {
        "a": {HistoryKey("DE", "Dino"): Past(1, 2, 2, 7), HistoryKey("FR", "?"): Past(0, 0, 0, 1)}
    }


def test_a_points_month_is_that_of_its_own_moment_in_the_zone() -> None:
    months = {
        "2026-10": MonthCounts.of(Quality.EXACT, {Cell(MUNICH, "?"): 9}),
        "2026-11": MonthCounts.of(Quality.EXACT, {Cell(MUNICH, "?"): 1}),
    }
    keeper = HistoryKeeper([], ZoneInfo("Europe/Berlin"))
    last_of_october = int(start_of("2026-11", UTC)) - 2 * HOUR
    for at in (last_of_october, last_of_october + HOUR):
        keeper.add(at, {"a": HostCounts(months=months)})
    assert [keeper.history.at(point.when) for point in keeper.added] == [Past(0, 0, 0, 9), Past(0, 0, 0, 1)]


def test_a_month_whose_margins_alone_are_known_is_not_noted() -> None:
    flat = MonthCounts(Quality.IMPORTED, 5, None, {MUNICH: 5}, {"Dino": 5})
    keeper = HistoryKeeper([], UTC)
    keeper.add(HOURS, {"a": HostCounts(active={Cell(MUNICH, "Dino"): Active(1, 2, 2)}, months={"2026-11": flat})})
    assert keeper.added[0].hosts == {"a": {HistoryKey("DE", "Dino"): Past(1, 2, 2)}}


def test_the_month_so_far_is_unknown_where_one_who_is_seen_was_not_noted() -> None:
    dino, gajim = HistoryKey("DE", "Dino"), HistoryKey("DE", "Gajim")
    point = HistoryPoint(HOURS, {"a": {dino: Past(1, 1, 1, 4)}, "b": {gajim: Past(2, 2, 2)}})
    history = History((point,))
    assert history.at(HOURS) == Past(3, 3, 3)
    assert history.through(lambda host, key: host == "a").at(HOURS) == Past(1, 1, 1, 4)
    assert history.through(lambda host, key: key.country == "FR").at(HOURS) == Past(0, 0, 0, 0)
    older = History((HistoryPoint(HOURS, {"a": {dino: Past(1, 1, 1)}}),))
    assert older.through(lambda host, key: key.country == "FR").at(HOURS) == Past(0, 0, 0)
