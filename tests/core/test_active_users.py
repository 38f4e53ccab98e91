"""Active users: exact at every second, whatever comes in whatever order, forwards and back."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.counting.active_users import ActiveUsers
from headcount.counting.activity_rule import DAY, NEVER, Presence, Rule
from headcount.figures.totals import sum_active
from headcount.snapshot import Active, Cell, Place

HERE, THERE = Cell(Place("DE"), "Dino"), Cell(Place("FR"), "?")
NOW = 1_795_320_000
KEYS = {name: number << 60 | number for number, name in enumerate(["alice", "early", "forever", "newbie", *"abc"])}


def counted(active: ActiveUsers) -> tuple[int, int, int]:
    return sum_active(active.cells().values())[:3]


def test_a_user_counts_while_less_than_the_window_has_passed() -> None:
    active = ActiveUsers(NOW)
    active.put(KEYS["alice"], Presence(NOW, HERE, is_open=False))
    for later, expected in [
        (0, (1, 1, 1)),
        (DAY - 1, (1, 1, 1)),
        (DAY, (0, 1, 1)),
        (7 * DAY - 1, (0, 1, 1)),
        (7 * DAY, (0, 0, 1)),
        (30 * DAY - 1, (0, 0, 1)),
        (30 * DAY, (0, 0, 0)),
    ]:
        active.advance(NOW + later)
        assert counted(active) == expected, later


def test_a_fraction_of_a_second_counts() -> None:
    active = ActiveUsers(NOW)
    active.put(KEYS["alice"], Presence(NOW + 0.5, HERE, is_open=False))
    active.advance(NOW + DAY)
    assert counted(active) == (1, 1, 1)
    active.advance(NOW + DAY + 0.5)
    assert counted(active) == (0, 1, 1)


def test_the_future_and_the_end_of_time_are_active() -> None:
    active = ActiveUsers(NOW)
    active.put(KEYS["early"], Presence(NOW + 400 * DAY, HERE, is_open=False))
    active.put(KEYS["forever"], Presence(math.inf, HERE, is_open=False))
    assert counted(active) == (2, 2, 2)
    active.advance(NOW + 401 * DAY)
    assert counted(active) == (1, 2, 2)


def test_a_user_without_activity_is_known_and_not_active() -> None:
    active = ActiveUsers(NOW)
    active.put(KEYS["newbie"], Presence(NEVER, HERE, is_open=False))
    assert counted(active) == (0, 0, 0)
    assert len(active) == 1


def test_a_user_who_is_gone_is_not_counted() -> None:
    active = ActiveUsers(NOW)
    active.put(KEYS["alice"], Presence(NOW, HERE, is_open=True))
    active.remove(KEYS["alice"])
    active.remove(KEYS["alice"])
    assert active.cells() == {}
    active.advance(NOW + DAY)
    assert active.cells() == {}


def test_a_user_is_in_the_one_cell_that_is_known_last() -> None:
    active = ActiveUsers(NOW)
    active.put(KEYS["alice"], Presence(NOW, HERE, is_open=True))
    active.put(KEYS["alice"], Presence(NOW + 1, THERE, is_open=False))
    assert active.cells() == {THERE: Active(1, 1, 1, 0)}


def test_counts_that_did_not_change_are_the_same_object() -> None:
    active = ActiveUsers(NOW)
    active.put(KEYS["alice"], Presence(NOW, HERE, is_open=False))
    before = active.cells()
    active.advance(NOW + 1)
    active.put(KEYS["alice"], Presence(NOW, HERE, is_open=False))
    assert active.cells() is before


def test_a_user_who_comes_back_leaves_the_narrow_window_again() -> None:
    active = ActiveUsers(NOW)
    active.put(KEYS["alice"], Presence(NOW - 10 * DAY, HERE, is_open=False))
    active.put(KEYS["alice"], Presence(NOW, HERE, is_open=False))
    active.advance(NOW + 2 * DAY)
    assert counted(active) == (0, 1, 1)


def test_timers_do_not_pile_up() -> None:
    active = ActiveUsers(NOW)
    for hour in range(5000):
        active.advance(NOW + hour * 3600)
        active.put(KEYS["alice"], Presence(NOW + hour * 3600 - hour % 50 * 3600, HERE, is_open=False))
    assert len(active._timers) < 50


users = st.sampled_from("abc")
moments = st.one_of(
    st.integers(-35, 2).map(lambda days: NOW + days * DAY + 7),
    st.integers(-35, 2).map(lambda days: NOW + days * DAY),
    st.integers(-70, 4).map(lambda days: NOW + days * DAY / 2 + 0.25),
    st.sampled_from([NEVER, math.inf, 1e300, 1.0, 0.5, 2.0**36, 2.0**36 - 1, NOW - DAY, NOW - DAY + 1]),
)
events = st.lists(
    st.one_of(
        st.tuples(st.just("put"), users, moments, st.sampled_from([HERE, THERE]), st.booleans(), st.none() | moments),
        st.tuples(st.just("start"), moments.filter(lambda when: 0 < when < math.inf)),
        st.tuples(st.just("remove"), users),
        st.tuples(st.just("advance"), st.integers(-4, 20).map(lambda days: days * DAY // 2)),
        st.tuples(st.just("advance"), st.sampled_from([0.25, 1, 7, 3599, 3600, 3601, DAY - 1, 400 * DAY])),
    ),
    max_size=40,
)


def counts_of(user: Presence, now: float, started: float, *, is_open_active: bool) -> Active:
    """As the specification has it, word by word."""
    opened = user.last if user.opened is None else user.opened
    is_open = user.is_open and started <= opened and now - opened < 30 * DAY
    return Active(*((is_open and is_open_active) or now - user.last < w * DAY for w in (1, 7, 30)), is_open)


@pytest.mark.parametrize("is_open_active", [False, True])
@given(happened=events)
@settings(max_examples=500)
def test_it_agrees_with_counting_everybody_again(happened: list[tuple[Any, ...]], *, is_open_active: bool) -> None:
    active, now, everybody = ActiveUsers(NOW, Rule(is_open_active=is_open_active)), NOW, {}
    started = 0.0
    for what, *details in happened:
        if what == "put":
            user, last, cell, is_open, opened = details
            if opened is not None:
                opened = min(opened, last)  # a login is an activity
            everybody[user] = Presence(last, cell, is_open, opened if is_open else None)
            active.put(KEYS[user], everybody[user])
        elif what == "remove":
            everybody.pop(details[0], None)
            active.remove(KEYS[details[0]])
        elif what == "start":
            started = details[0]
            active.start(started)
        else:
            now += details[0]
            active.advance(now)
        expected = {
            cell: sum_active(
                counts_of(p, now, started, is_open_active=is_open_active) for p in everybody.values() if p.cell == cell
            )
            for cell in (HERE, THERE)
        }
        assert active.cells() == {cell: counts for cell, counts in expected.items() if any(counts)}
