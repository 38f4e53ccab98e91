"""Calendar months, in every time zone and around every change of clocks."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.months import Months, end_of, is_month, month_of, shift, start_of

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe",
    "America/Asuncion",
    "Africa/Cairo",
    "America/Havana",
]


@pytest.mark.parametrize("text", ["2026-11", "2026-10", "0001-01", "1999-12", "9998-12"])
def test_months(text: str) -> None:
    assert is_month(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-13",
        "2026-00",
        "2026-1",
        "26-11",
        "0000-01",
        "9999-12",
        "2026-11-01",
        " 2026-11",
        "2026-11\n",
        "2026/11",
        "",
        "٢٠٢٦-11",
    ],
)
def test_what_is_no_month(text: str) -> None:
    assert not is_month(text)


def test_a_month_begins_and_ends_at_midnight_there() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert start_of("2026-10", berlin) == datetime(2026, 9, 30, 22, tzinfo=UTC).timestamp()
    assert end_of("2026-10", berlin) == datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp()  # clocks went back
    assert end_of("2026-12", berlin) == start_of("2027-01", berlin)


def test_a_month_whose_midnight_is_skipped_begins_when_the_clocks_go_on() -> None:
    asuncion = ZoneInfo("America/Asuncion")  # on 1 October 2023 the clocks went from 00:00 to 01:00
    start = start_of("2023-10", asuncion)
    assert start == datetime(2023, 10, 1, 4, tzinfo=UTC).timestamp()
    assert (month_of(start - 1, asuncion), month_of(start, asuncion)) == ("2023-09", "2023-10")


def test_a_month_whose_midnight_comes_twice_begins_with_the_first() -> None:
    havana = ZoneInfo("America/Havana")  # on 1 November 2026 the clocks go from 01:00 to 00:00
    start = start_of("2026-11", havana)
    assert (month_of(start - 1, havana), month_of(start, havana)) == ("2026-10", "2026-11")
    assert month_of(start + 3600, havana) == "2026-11"


@given(st.floats(0, 4e9), st.sampled_from(ZONES))
def test_a_moment_lies_in_its_month(when: float, name: str) -> None:
    zone = ZoneInfo(name)
    month = month_of(when, zone)
    assert month is not None
    assert is_month(month)
    assert start_of(month, zone) <= when < end_of(month, zone)


@given(st.integers(0, 2100 * 12), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_shifts_add_up_and_keep_the_order(month: int, one: int, other: int) -> None:
    start = shift("3000-01", -month)
    assert shift(shift(start, one), other) == shift(start, one + other)
    assert (shift(start, one) < shift(start, other)) == (one < other)


def test_shift_goes_over_years() -> None:
    assert shift("2026-12", 1) == "2027-01"
    assert shift("2026-01", -1) == "2025-12"
    assert shift("2026-11", -23) == "2024-12"


@pytest.mark.parametrize("when", [math.nan, math.inf, -math.inf, 1e300, 253402300799.0])
def test_a_moment_that_the_calendar_cannot_name_has_no_month(when: float) -> None:
    for name in ZONES:
        assert month_of(when, ZoneInfo(name)) is None


@given(
    st.sampled_from(["UTC", "Europe/Berlin", "Africa/Cairo", "America/St_Johns", "Pacific/Apia", "Pacific/Auckland"]),
    st.lists(
        st.one_of(
            st.floats(-1e9, 1e10),
            st.integers(0, 1000).flatmap(
                lambda n: st.integers(-90_000, 90_000).map(lambda off: start_of(shift("1970-01", n), UTC) + off)
            ),
            st.sampled_from([math.inf, 1e300, 253402300799.0]),
        ),
        max_size=40,
    ),
)
def test_remembered_months_are_those_of_the_calendar(zone: str, moments: list[float]) -> None:
    named = Months(ZoneInfo(zone))
    assert [named.of(when) for when in moments] == [month_of(when, ZoneInfo(zone)) for when in moments]
