"""When a snapshot is published, and when time is let pass."""

from dataclasses import replace

import pytest

from headcount.engine.beat import BUSY, BUSY_TICK, TICK, Beat
from headcount.engine.showing import COST_FACTOR, SHORTEST, Showing
from headcount.snapshot import HostCounts, Mark, Phase, ProblemGroup, Progress, Snapshot

NOW = Snapshot(
    1_000_000.0, "UTC", "2026-11", "/var/lib/prosody", Phase.LIVE, hosts={"example.com": HostCounts(1)}, marks=()
)


class Screen:
    """What is published, on a clock that goes on as far as it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.snapshot = NOW
        self.cost = 0.0
        self.seen: list[Snapshot] = []
        self.showing = Showing(self._made, lambda: self.now)

    def _made(self) -> Snapshot:
        self.now += self.cost
        return self.snapshot

    def show(self, snapshot: Snapshot | None = None, interval: float | None = None) -> bool:
        """Whether a snapshot was published, after something happened where one is given."""
        if snapshot is not None:
            self.snapshot = snapshot
            self.showing.look_again()
        before = len(self.seen)
        self.showing.show(self.seen.append, interval)
        return len(self.seen) > before


def test_the_first_snapshot_is_shown_and_then_none_before_something_happened() -> None:
    screen = Screen()
    assert screen.show()
    screen.now += 10
    screen.snapshot = replace(NOW, geo="another")
    assert not screen.show()
    screen.showing.look_again()
    assert screen.show()


@pytest.mark.parametrize(
    "news",
    [
        replace(NOW, phase=Phase.STOPPED),
        replace(NOW, progress=Progress(1, 2)),
        replace(NOW, problems=(ProblemGroup("unreadable record", 1, "", ""),)),
        replace(NOW, marks=(Mark(1.0, "another"),)),
        replace(NOW, geo="another"),
        replace(NOW, generated_at=NOW.generated_at + 60),
        replace(NOW, hosts={}),
        replace(NOW, hosts={"example.com": HostCounts(2)}),
    ],
)
def test_what_is_another_than_before_is_shown(news: Snapshot) -> None:
    screen = Screen()
    screen.show()
    screen.now += 10
    assert not screen.show(replace(NOW, generated_at=NOW.generated_at + 1))
    assert screen.show(news)


def test_what_comes_too_soon_is_shown_later() -> None:
    screen = Screen()
    screen.show()
    screen.now += SHORTEST / 2
    assert not screen.show(replace(NOW, geo="another"))
    assert screen.showing.patience(10) == pytest.approx(SHORTEST / 2)
    screen.now += SHORTEST
    assert screen.showing.patience(10) == 0
    assert screen.show()
    assert screen.showing.patience(10) == 10


def test_an_interval_may_be_asked_for() -> None:
    screen = Screen()
    screen.show()
    assert screen.show(replace(NOW, geo="another"), 0)
    screen.now += 5
    assert not screen.show(NOW, 6)
    screen.now += 1
    assert screen.show(interval=6)


def test_snapshots_that_take_long_are_further_apart_but_no_further_than_a_tick() -> None:
    screen = Screen()
    screen.cost = 1 / 64
    screen.show()
    begun = screen.now - screen.cost
    screen.now = begun + COST_FACTOR * screen.cost - 0.01
    assert not screen.show(replace(NOW, geo="another"))
    screen.now += 0.02
    screen.cost = 3.0
    assert screen.show()
    screen.now += TICK - screen.cost + 0.01
    assert screen.show(NOW)


def test_a_beat_is_a_second_and_shorter_where_many_came() -> None:
    now = [100.0]
    beat = Beat(lambda: now[0])
    assert beat.is_due(may_hurry=True)
    now[0] += BUSY_TICK
    beat.note(BUSY - 1)
    assert not beat.is_due(may_hurry=True)
    beat.note(1)
    assert not beat.is_due(may_hurry=False)
    assert beat.is_due(may_hurry=True)
    now[0] += BUSY_TICK
    assert not beat.is_due(may_hurry=True)  # who came before the last beat hurries none
    now[0] += TICK - BUSY_TICK
    assert beat.is_due(may_hurry=False)
