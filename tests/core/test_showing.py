"""When an engine shows: what is news, soon, and at a cost that is bounded."""

import math
from dataclasses import replace

import pytest

from headcount.engine.showing import COST_FACTOR, LONGEST, SHOW, WAIT, Showing
from headcount.snapshot import HostCounts, Phase, Snapshot

FIRST = Snapshot(0.0, "UTC", "2026-11", "/var/lib/prosody", Phase.LIVE, hosts={"example.com": HostCounts(1)})
AGAIN = replace(FIRST, hosts={"example.com": HostCounts(2)})


class Shown:
    """A showing on a clock that only the making of snapshots moves, by `cost` seconds each."""

    def __init__(self, cost: float = 0.0) -> None:
        self.now, self.cost, self.made = 0.0, cost, 0
        self.next = FIRST
        self.published: list[Snapshot] = []
        self.showing = Showing(self._make, lambda: self.now)

    def _make(self) -> Snapshot:
        self.made += 1
        self.now += self.cost
        return self.next

    def show(self) -> None:
        self.showing.show(self.published.append)


def test_nothing_is_made_before_anything_happens() -> None:
    shown = Shown()
    shown.show()
    for _ in range(10):
        shown.now += 1
        shown.show()
    assert (shown.made, shown.published) == (1, [FIRST])
    assert shown.showing.patience() == WAIT


def test_what_is_no_news_is_not_published() -> None:
    shown = Shown()
    shown.show()
    shown.now += 1
    shown.next = replace(FIRST, generated_at=1.0)
    shown.showing.note_change()
    shown.show()
    assert (shown.made, shown.published) == (2, [FIRST])


def test_what_happens_is_shown_as_soon_as_the_last_time_is_an_interval_ago() -> None:
    shown = Shown()
    shown.show()
    shown.next = AGAIN
    shown.now += SHOW / 2
    shown.showing.note_change()
    shown.show()
    assert shown.published == [FIRST]
    assert shown.showing.patience() == pytest.approx(SHOW / 2)
    shown.now += shown.showing.patience()
    shown.show()
    assert shown.published == [FIRST, AGAIN]


def test_the_dearer_a_snapshot_is_the_longer_is_the_rest() -> None:
    shown = Shown(cost=SHOW / 2)
    shown.show()
    shown.next = AGAIN
    shown.showing.note_change()
    shown.now = COST_FACTOR * SHOW / 2 - 0.01
    shown.show()
    assert shown.published == [FIRST]
    shown.now += 0.01
    shown.show()
    assert shown.published == [FIRST, AGAIN]


def test_while_reading_it_rests_as_long_as_showing_costs() -> None:
    shown = Shown(cost=2 * LONGEST)
    shown.show()
    shown.next = AGAIN
    shown.showing.note_change()
    shown.now = COST_FACTOR * 2 * LONGEST - 0.01
    shown.showing.show(shown.published.append, SHOW, math.inf)
    assert shown.published == [FIRST]
    shown.now += 0.01
    shown.showing.show(shown.published.append, SHOW, math.inf)
    assert shown.published == [FIRST, AGAIN]


def test_it_rests_no_longer_than_that_however_dear_a_snapshot_is() -> None:
    shown = Shown(cost=2 * LONGEST)
    shown.show()
    shown.next = AGAIN
    shown.showing.note_change()
    shown.show()
    assert shown.published == [FIRST, AGAIN]
