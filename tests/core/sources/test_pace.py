"""When a source sweeps: soon after a doubt, rarely without one."""

from headcount.sources.pace import (
    AT_LEAST,
    COST_FACTOR,
    DOUBT_COST_FACTOR,
    LONGEST_DOUBT,
    READING_FACTOR,
    SOON,
    WHOLE_COST_FACTOR,
    Pace,
)


def swept(pace: Pace, now: float, took: float = 0.0, *, was_in_vain: bool = False) -> bool:
    """A sweep at that moment, done at once by the clock; whether it was whole."""
    assert pace.is_due(now)
    is_whole = pace.begin(now)
    pace.take(took)
    pace.end(now, was_in_vain=was_in_vain)
    return is_whole


def after_reading() -> Pace:
    pace = Pace(0.0)
    pace.read(0.0, 0.0)
    return pace


def test_a_sweep_follows_the_reading_soon_and_a_whole_one_later() -> None:
    pace = after_reading()
    assert not pace.is_due(SOON - 0.1)
    assert not swept(pace, SOON)
    assert not pace.is_due(AT_LEAST - 0.1)
    assert swept(pace, AT_LEAST)


def test_sweeps_cost_less_than_a_hundredth_of_a_core_and_whole_ones_less_still() -> None:
    pace = after_reading()
    swept(pace, AT_LEAST, 6.0)
    assert not pace.is_due(AT_LEAST + COST_FACTOR * 6 - 1)
    assert not swept(pace, AT_LEAST + COST_FACTOR * 6, 6.0)
    assert swept(pace, AT_LEAST + WHOLE_COST_FACTOR * 6, 6.0)
    first = Pace(0.0)
    first.read(0.0, 10.0)
    swept(first, SOON)
    assert not first.begin(10.0 * COST_FACTOR - 1)
    assert first.begin(10.0 * COST_FACTOR)


def test_a_sweep_that_finds_nothing_moved_tells_little_of_what_the_next_one_costs() -> None:
    pace = Pace(0.0)
    pace.read(0.0, 8.0 * READING_FACTOR)
    now = SOON
    swept(pace, now)
    for wait in (COST_FACTOR * 4.0, COST_FACTOR * 2.0, COST_FACTOR * 1.0):
        assert not pace.is_due(now + wait - 1)
        now += wait
        swept(pace, now)
    for _ in range(20):
        now += COST_FACTOR * 1.0
        swept(pace, now)
    assert pace.is_due(now + AT_LEAST)


def test_a_doubt_is_settled_soon_and_while_they_go_on_not_before_long() -> None:
    pace = after_reading()
    swept(pace, SOON)
    now = 2.0
    pace.doubt(now)
    assert not pace.is_due(now + SOON - 0.1)
    assert pace.is_due(now + SOON)
    while now < 2.0 + LONGEST_DOUBT:
        pace.doubt(now)
        assert not pace.is_due(now)
        now += SOON / 2
    pace.doubt(now)
    assert pace.is_due(now)


def test_doubts_that_go_on_are_waited_for_the_longer_the_more_a_sweep_costs() -> None:
    pace = after_reading()
    swept(pace, AT_LEAST, 5.0)
    since = now = AT_LEAST + 10
    while now < since + DOUBT_COST_FACTOR * 5 - 1:
        pace.doubt(now)
        assert not pace.is_due(now)
        now += SOON / 2
    assert pace.is_due(now + SOON)


def test_a_doubt_that_arises_while_a_sweep_is_under_way_has_another_one_follow() -> None:
    pace = after_reading()
    pace.begin(SOON)
    pace.doubt(SOON + 3)
    pace.take(4.0)
    pace.end(SOON + 4, was_in_vain=False)
    assert pace.is_due(SOON + 4)


def test_a_sweep_in_vain_is_tried_again_soon_and_a_whole_one_stays_whole() -> None:
    pace = after_reading()
    assert swept(pace, AT_LEAST, was_in_vain=True)
    assert swept(pace, AT_LEAST + SOON)
    pace.begin(AT_LEAST * 3)  # and is begun again before its end
    assert pace.begin(AT_LEAST * 3 + 1)
