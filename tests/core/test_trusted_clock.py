"""When a clock is believed: by itself, with nothing but moments and seconds."""

import pytest

from headcount.engine.trusted_clock import DAY, HOUR, LastSign, TrustedClock, Turn

NOW = 20_000 * DAY + 7 * HOUR


class Going:
    """A clock and the seconds beside it. It is `off` by so much, until it is set."""

    def __init__(
        self,
        last: LastSign | None = None,
        off: float = 0.0,
        *,
        synchronised: bool = False,
        word: bool = False,
        now: float = NOW,
    ) -> None:
        self.now, self.ticks, self.synchronised = now + off, 5.0, synchronised
        self.clock = TrustedClock(
            last, self.now, self.ticks, is_synchronised=lambda: self.synchronised, is_vouched_for=word
        )

    @property
    def is_doubted(self) -> bool:
        return self.clock.doubted_since is not None

    def go(self, seconds: float, step: float = 600.0) -> list[Turn]:
        """What it turned to while so many seconds went by."""
        turns = []
        for _ in range(int(seconds // step)):
            self.now, self.ticks = self.now + step, self.ticks + step
            turns.append(self.clock.look(self.now, self.ticks))
        return [turn for turn in turns if turn is not None]

    def set(self, by: float) -> Turn | None:
        """What it turned to when it was set by so many seconds."""
        self.now, self.ticks = self.now + by, self.ticks + 1
        return self.clock.look(self.now, self.ticks)


def sign(ago: float) -> LastSign:
    return LastSign(NOW - ago, NOW - ago)


def test_where_nothing_is_known_there_is_nothing_to_doubt() -> None:
    assert not Going().is_doubted


@pytest.mark.parametrize("ago", [0, 60, DAY, 7 * DAY, -HOUR])
def test_a_start_near_the_last_sign_of_life_is_believed(ago: float) -> None:
    assert not Going(sign(ago)).is_doubted


@pytest.mark.parametrize("off", [-2000, -365, -8, -1, 8, 12, 45, 365, 2000])
def test_a_start_far_from_the_last_sign_of_life_is_doubted(off: float) -> None:
    assert Going(sign(60), off * DAY).is_doubted


def test_doubt_ends_after_an_hour_if_the_system_calls_the_clock_synchronised() -> None:
    going = Going(sign(365 * DAY), synchronised=True)
    assert going.go(HOUR - 600) == []
    assert going.go(600) == [Turn.ACCEPTED]
    assert not going.is_doubted


def test_an_hour_is_not_enough_for_a_clock_that_is_not_synchronised_and_the_synchronisation_counts_when_it_comes() -> (
    None
):
    going = Going(sign(365 * DAY))
    assert going.go(3 * HOUR) == []
    going.synchronised = True
    assert going.go(600) == [Turn.ACCEPTED]


def test_seven_days_are_enough_for_any_clock() -> None:
    going = Going(sign(365 * DAY))
    assert going.go(7 * DAY - 600) == []
    assert going.go(600) == [Turn.ACCEPTED]


def test_the_operators_word_is_enough() -> None:
    assert not Going(sign(365 * DAY), word=True).is_doubted


@pytest.mark.parametrize("by", [-400 * DAY, -2 * HOUR, 2 * HOUR, 100 * DAY])
def test_a_clock_that_leaps_is_doubted_until_it_goes_on_as_before(by: float) -> None:
    going = Going(sign(60))
    going.go(DAY)
    assert going.set(by) is Turn.DOUBTED
    going.go(600)
    assert going.is_doubted
    assert going.set(-by) is Turn.RIGHT
    assert not going.is_doubted


def test_a_small_correction_is_no_leap() -> None:
    going = Going(sign(60))
    for by in (-1800, 3000, -3000):
        assert going.set(by) is None
        assert going.go(600) == []


def test_a_leap_in_doubt_begins_the_hour_again() -> None:
    going = Going(sign(60), 45 * DAY, synchronised=True)
    going.go(HOUR - 600)
    assert going.set(2 * DAY) is Turn.DOUBTED
    assert going.go(HOUR - 600) == []
    assert going.go(600) == [Turn.ACCEPTED]


def test_a_start_that_is_set_right_while_it_runs_goes_on_from_the_last_sign() -> None:
    """As when a time service answers a little after the start."""
    going = Going(sign(DAY), 1100 * DAY)
    going.go(600)
    assert going.set(-1100 * DAY) is Turn.RIGHT


def on(days: range) -> set[int]:
    return {int(NOW // DAY) + day for day in days}


@pytest.mark.parametrize(
    ("days", "is_enough"),
    [
        (range(-19, 1), True),
        (range(-10, 1), True),
        (range(-9, 1), False),  # half of them
        (range(0, 1), False),
        (range(-300, -20), False),
        (range(1, 300), False),
    ],
)
def test_users_on_most_of_the_days_between_prove_that_they_passed(days: range, is_enough: bool) -> None:
    going = Going(sign(20 * DAY))
    assert going.clock.prove(on(days)) is (Turn.ACCEPTED if is_enough else None)
    assert going.is_doubted is not is_enough


def test_days_prove_nothing_of_a_leap_that_was_seen_nor_of_a_clock_that_is_behind() -> None:
    going = Going(sign(60))
    going.set(20 * DAY)
    assert going.clock.prove(on(range(21))) is None
    assert Going(sign(60), -20 * DAY).clock.prove(on(range(-21, 1))) is None


def test_steady_going_is_summed_over_starts() -> None:
    """Ten minutes a week."""
    last, starts = sign(0), 0
    while starts < 20:
        starts += 1
        going = Going(last, starts * 9 * DAY, synchronised=True)
        if going.go(600, step=60):
            break
        last = LastSign.unpacked(going.clock.sign().packed(), ()) or last
    assert starts == 6


def test_a_weeks_pause_counts_as_steady_going() -> None:
    first = Going(sign(60), 30 * DAY)
    assert first.go(600) == []
    second = Going(first.clock.sign(), 37 * DAY)
    assert second.go(600) == [Turn.ACCEPTED]


@pytest.mark.parametrize(("text", "alive"), [(None, 7.0), ("{", 7.0), ("[1, 2]", 7.0), ("[5, NaN, null, 0]", 7.0)])
def test_what_an_older_state_knows_is_when_its_hosts_were_looked_at_last(text: str | None, alive: float) -> None:
    assert LastSign.unpacked(text, [3.0, 7.0]) == LastSign(alive, alive)
    assert LastSign.unpacked(text, []) is None


def test_a_sign_comes_back_as_it_was() -> None:
    kept = LastSign(10.0, 20.0, 30.0, 40.0)
    assert LastSign.unpacked(kept.packed(), [5.0]) == kept


def test_what_is_later_is_of_a_wrong_clock_unless_one_that_was_believed_was_ahead() -> None:
    assert Going(sign(60)).clock.is_sure()
    assert not Going(sign(60), 45 * DAY).clock.is_sure()
    behind = Going(sign(-40 * DAY))
    assert not behind.clock.is_sure()
    assert behind.go(7 * DAY) == [Turn.ACCEPTED]
    assert (behind.is_doubted, behind.clock.is_sure()) == (False, False)
    again = Going(behind.clock.sign(), 8 * DAY)
    assert (again.is_doubted, again.clock.is_sure()) == (False, False)
    again.synchronised = True
    assert again.clock.is_sure()
    assert Going(sign(-40 * DAY), word=True).clock.is_sure()


def test_why_it_is_doubted_is_told_with_what_ends_it() -> None:
    why = Going(sign(0), 45 * DAY).clock.why()
    assert "45 days after" in why
    assert "--trust-clock" in why
    assert "2 hours before" in Going(sign(0), -2 * HOUR).clock.why()
    assert "a day that no calendar has" in Going(sign(0), 1e15).clock.why()
    assert Going().clock.why() == ""
