"""Steps of shade: round, ascending, and every number in one of them."""

from hypothesis import given
from hypothesis import strategies as st

from headcount_tui.drawing.shades import by_magnitude, evenly

users = st.lists(st.integers(1, 10**9), min_size=1, max_size=50)


def test_magnitudes_are_round_and_as_fine_as_the_values_need() -> None:
    assert by_magnitude([2_600, 9_000, 93_000]).least == (1, 5_000, 10_000, 20_000)
    assert by_magnitude([2, 40]).ranges() == [(1, 1), (2, 4), (5, 9), (10, None)]
    assert by_magnitude([3]).ranges() == [(1, None)]
    assert by_magnitude([]).of(0) == 0


@given(users)
def test_every_user_is_in_a_step_and_the_greatest_in_the_last(values: list[int]) -> None:
    for steps in (by_magnitude(values), evenly(values)):
        assert list(steps.least) == sorted(set(steps.least))
        assert len(steps.least) <= 4
        assert all(1 <= steps.of(value) <= len(steps.least) for value in values)
        assert steps.of(max(values)) == len(steps.least)


@given(users)
def test_more_users_are_never_lighter(values: list[int]) -> None:
    for steps in (by_magnitude(values), evenly(values)):
        found = [steps.of(value) for value in sorted(values)]
        assert found == sorted(found)


def test_what_hardly_differs_looks_it() -> None:
    steps = evenly([1_000, 1_001, 1_002])
    assert {steps.of(value) for value in (1_000, 1_001, 1_002)} == {4}


def test_no_number_is_in_no_step() -> None:
    assert evenly([]).of(None) == by_magnitude([1]).of(None) == 0
