"""What mod_monthly_visitors counted is read as it is, in both of its shapes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.prosody import file_problems
from headcount.prosody.lua_table import LuaValue, parse
from headcount.prosody.lua_write import serialise
from headcount.prosody.visitors import VisitorsReading, read_visitors, visitor_marker
from headcount.records import VisitedMonth

SAMPLES = Path(__file__).parents[2] / "data" / "prosody-samples"
FRANKFURT = ("DE", "HE", 2925533)
NOWHERE = (None, None, None)


def read(document: str) -> VisitorsReading:
    return read_visitors(document.encode())


def month_of(document: str) -> VisitedMonth:
    """The one month of an aggregate."""
    (month,) = read(f'return {{ ["2026-11"] = {{ {document} }} }}').months
    return month


def kinds(document: str) -> list[str]:
    return [problem.what for problem in read(f'return {{ ["2026-11"] = {{ {document} }} }}').problems]


def test_the_flat_shape_as_captured() -> None:
    reading = read_visitors((SAMPLES / "internal-0.12/chat%2eexample%2eorg/monthly%2dvisitors.dat").read_bytes())
    places = {("AU", "VIC", 2151718): 1, ("US", None, None): 1}
    assert reading == VisitorsReading((VisitedMonth("2026-11", places, {"IOS": 1, "?": 1}),))


def test_the_nested_shape_as_captured() -> None:
    (path,) = SAMPLES.glob("internal-nested-visitors/*/monthly%2dvisitors.dat")
    (month,) = read_visitors(path.read_bytes()).months
    assert month.cells is not None
    assert month.cells[("US", None, None), "IOS"] == 2
    assert month.cells[("US", None, None), "ANDROID"] == 1
    assert month.places[("US", None, None)] == 3
    assert sum(month.places.values()) == sum(month.clients.values()) == sum(month.cells.values())


@pytest.mark.parametrize("path", SAMPLES.glob("internal*/*/monthly%2dvisitors.dat"), ids=str)
def test_captured_aggregates_are_without_problem(path: Path) -> None:
    reading = read_visitors(path.read_bytes())
    assert reading.months
    assert not reading.problems


@pytest.mark.parametrize("path", SAMPLES.glob("internal*/*/monthly%2dvisitors/*.dat"), ids=str)
def test_the_marker_of_a_user_is_a_month(path: Path) -> None:
    assert visitor_marker(parse(path.read_bytes())) == "2026-11"


@pytest.mark.parametrize("document", ["return nil", "return 5", "return {}", 'return { ["last-recorded"] = 5 }'])
def test_no_marker(document: str) -> None:
    assert visitor_marker(parse(document.encode())) is None


PLACES = {
    "DE-HE-2925533": FRANKFURT,
    "US-?-?": ("US", None, None),
    "?-?-?": NOWHERE,
    "AT-9-2761369": ("AT", "9", 2761369),
    "GB-A-B-7": ("GB", "A-B", 7),
}


@pytest.mark.parametrize("key", PLACES)
def test_a_place_has_three_parts(key: str) -> None:
    assert month_of(f'["geo-{key}"] = 2; ["client-?"] = 2').places == {PLACES[key]: 2}
    assert month_of(f'["{key}"] = {{ users_seen = 2 }}').places == {PLACES[key]: 2}
    assert kinds(f'["geo-{key}"] = 2; ["client-?"] = 2') == []


@pytest.mark.parametrize(
    "key", ["", "DE", "DE-HE", "DE-HE-", "DE-HE-x", "-HE-1", "DE--1", "DE-HE-²", "DE-HE-" + "9" * 19]
)
def test_users_of_a_place_that_cannot_be_read_are_nowhere(key: str) -> None:
    document = f'["geo-{key}"] = 2; ["client-IOS"] = 2'
    assert month_of(document).places == {NOWHERE: 2}
    assert kinds(document) == [file_problems.UNEXPECTED]


def test_a_client_may_have_any_name_that_can_be_shown() -> None:
    month = month_of('["geo-?-?-?"] = 6; ["client-?"] = 1; ["client-a-b c"] = 2; ["client-\\27"] = 1; ["client-"] = 2')
    assert month.clients == {"?": 3, "a-b c": 2, "\ufffd": 1}


def test_counts_may_be_whole_floats() -> None:
    reading = read_visitors((SAMPLES / "odd/monthly_float_counts.dat").read_bytes())
    assert reading.months[0].clients == {"IOS": 2, "?": 100}
    assert [type(users) for users in reading.months[0].clients.values()] == [int, int]
    assert [problem.what for problem in reading.problems] == [file_problems.DISAGREE]


@pytest.mark.parametrize("count", ["-1", "1.5", "(0/0)", "(1/0)", "1e300", "true", '"3"', "0x7fffffffffffffff"])
def test_a_bad_count_leaves_the_rest(count: str) -> None:
    document = f'["geo-US-?-?"] = {count}; ["geo-DE-HE-2925533"] = 2; ["client-IOS"] = 2'
    assert month_of(document) == VisitedMonth("2026-11", {FRANKFURT: 2}, {"IOS": 2})
    assert kinds(document) == [file_problems.NO_COUNT]


def test_places_and_clients_that_disagree_are_both_kept() -> None:
    document = '["geo-DE-HE-2925533"] = 3; ["client-IOS"] = 2'
    assert month_of(document) == VisitedMonth("2026-11", {FRANKFURT: 3}, {"IOS": 2})
    assert kinds(document) == [file_problems.DISAGREE]


def test_nested_users_without_a_client_have_an_unknown_one() -> None:
    document = '["DE-HE-2925533"] = { users_seen = 5; clients_seen = { IOS = 2 }; isps_seen = { ["?"] = 5 } }'
    cells = {(FRANKFURT, "IOS"): 2, (FRANKFURT, "?"): 3}
    assert month_of(document) == VisitedMonth("2026-11", {FRANKFURT: 5}, {"IOS": 2, "?": 3}, cells)
    assert kinds(document) == []


def test_nested_clients_are_believed_where_they_are_more_than_the_users() -> None:
    document = '["DE-HE-2925533"] = { users_seen = 1; clients_seen = { IOS = 2 } }'
    assert month_of(document) == VisitedMonth("2026-11", {FRANKFURT: 2}, {"IOS": 2}, {(FRANKFURT, "IOS"): 2})
    assert kinds(document) == [file_problems.DISAGREE]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("users_seen = 2; clients_seen = 5", file_problems.UNEXPECTED),
        ("users_seen = 2; clients_seen = { 7 }", file_problems.UNEXPECTED),
        ("users_seen = 2; clients_seen = { IOS = -1 }", file_problems.NO_COUNT),
    ],
)
def test_bad_nested_clients_leave_the_users(entry: str, expected: str) -> None:
    document = f'["DE-HE-2925533"] = {{ {entry} }}'
    assert month_of(document).places == {FRANKFURT: 2}
    assert kinds(document) == [expected]


def test_a_file_may_hold_months_of_both_shapes() -> None:
    flat = '["2018-05"] = { ["geo-US-?-?"] = 1; ["client-IOS"] = 1 }'
    nested = '["2018-04"] = { ["US-?-?"] = { users_seen = 1 } }'
    first, second = read(f"return {{ {flat}; {nested} }}").months
    assert (first.month, second.month) == ("2018-04", "2018-05")
    assert first.cells is not None
    assert second.cells is None


def test_a_month_of_both_shapes_is_the_sum_without_joint_counts() -> None:
    month = month_of('["geo-US-?-?"] = 1; ["client-IOS"] = 1; ["US-?-?"] = { users_seen = 2 }')
    assert month == VisitedMonth("2026-11", {("US", None, None): 3}, {"IOS": 1, "?": 2})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("return {}", []),
        ("return nil", []),
        ('return { ["2026-11"] = {} }', []),
        ("", [file_problems.EMPTY]),
        ("return {", [file_problems.UNREADABLE]),
        ("return 5", [file_problems.UNEXPECTED]),
        ('return { ["2026-11"] = 5 }', [file_problems.UNEXPECTED]),
        ('return { ["2026-13"] = {}; [5] = {} }', [file_problems.NO_MONTH]),
        ('return { ["2026-11"] = { 5 } }', [file_problems.UNEXPECTED]),
        ('return { ["2026-11"] = { x = 5 } }', [file_problems.UNEXPECTED]),
    ],
)
def test_no_month_without_a_count(document: str, expected: list[str]) -> None:
    reading = read(document)
    assert reading.months == ()
    assert [problem.what for problem in reading.problems] == expected


ENTRIES = st.dictionaries(
    st.sampled_from([b"geo-US-?-?", b"client-IOS", b"US-?-?", b"x", b"users_seen", b"clients_seen", b"IOS", 1]),
    st.one_of(st.integers(-5, 50), st.floats(), st.binary(), st.booleans()),
)
VALUES: st.SearchStrategy[LuaValue] = st.dictionaries(
    st.sampled_from([b"2026-11", b"2026-10", b"x", 5]),
    st.one_of(ENTRIES, st.dictionaries(st.sampled_from([b"US-?-?", b"geo-US-?-?", b""]), ENTRIES), st.integers(-5, 5)),
)


@given(VALUES)
def test_the_margins_of_joint_counts_agree_with_them(value: LuaValue) -> None:
    for month in read_visitors(serialise(value)).months:
        if month.cells is not None:
            assert sum(month.places.values()) == sum(month.clients.values()) == sum(month.cells.values())
        assert all(users > 0 for users in (*month.places.values(), *month.clients.values()))
