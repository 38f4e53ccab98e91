"""Many hosts, of which few change at a time: the others cost nothing, and every window is exact all the same."""

from collections import Counter
from collections.abc import Iterator

import pytest
from test_engine import NOW, UTC, World

from headcount.counting.host import HostCounter
from headcount.counting.month_users import SETTLING
from headcount.figures.totals import sum_active
from headcount.months import end_of
from headcount.records import HostRead, Record, Users
from headcount.snapshot import Snapshot
from telling import Activity, tells

DAY = 86_400
HOSTS = [f"h{number:03}.example" for number in range(200)]
QUIET = NOW - 40 * DAY


def user(host: str, when: float) -> Users:
    return tells(host, "alice", True, (Activity(when, "login"),))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often a host was stepped, and how often its counts were made."""
    made: Counter[str] = Counter()
    step, counts = HostCounter.step, HostCounter.counts

    def counted_step(self: HostCounter, now: float, *, is_seen: bool = True) -> list[str]:
        made["steps"] += 1
        return step(self, now, is_seen=is_seen)

    def counted_counts(self: HostCounter, until: str) -> object:
        made["counts"] += 1
        return counts(self, until)

    monkeypatch.setattr(HostCounter, "step", counted_step)
    monkeypatch.setattr(HostCounter, "counts", counted_counts)
    return made


def reading(**at: float) -> list[list[Record]]:
    return [[user(host, at.get(host.split(".")[0], QUIET)), HostRead(host)] for host in HOSTS]


def test_hosts_of_which_nothing_changes_are_neither_stepped_nor_counted_nor_shown(calls: Counter[str]) -> None:
    world = World()
    shown: list[int] = []
    made: list[Counter[str]] = []

    def at_rest() -> None:
        made.append(Counter(calls))
        shown.append(len(world.shown))

    world.run(reading(), [world.pass_time(1), world.pass_time(1), at_rest, *[world.pass_time(1)] * 30, at_rest])
    assert made[1] == made[0]
    assert shown[1] - shown[0] <= 1  # once a minute it shows that it is there


def test_a_login_costs_its_own_host_alone_and_all_others_are_the_same_objects(calls: Counter[str]) -> None:
    world = World()
    steps = [world.pass_time(1), world.pass_time(1), calls.clear, [user(HOSTS[7], NOW)], lambda: None]
    counts: list[Counter[str]] = []
    world.run(reading(), [*steps, lambda: counts.append(Counter(calls))])
    before, after = (snapshot.hosts for snapshot in (world.shown[-2], world.shown[-1]))
    assert [host for host in HOSTS if after[host] is not before[host]] == [HOSTS[7]]
    assert counts[0].total() < 10


def test_every_window_of_every_host_is_exact_within_a_second(calls: Counter[str]) -> None:
    """Of each of forty hosts the user leaves a window at a second of their own, and of no other one anything moves."""
    world = World()
    at = {f"h{n:03}": NOW + 10 + n - (DAY, 7 * DAY, 30 * DAY)[n % 3] for n in range(40)}
    seen: list[Snapshot] = []
    calls.clear()
    world.run(reading(**at), [*[world.pass_time(1), lambda: seen.append(world.shown[-1])] * 60])
    for snapshot in seen:
        now = snapshot.generated_at
        for host in HOSTS:
            last = at.get(host.split(".")[0], QUIET)
            active = sum_active(snapshot.hosts[host].active.values())
            assert active[:3] == tuple(int(now - last < days * DAY) for days in (1, 7, 30)), (host, now - NOW)
    assert calls["steps"] < 3 * len(HOSTS) + 100


def test_a_clock_that_goes_back_and_a_months_bound_concern_all_hosts(calls: Counter[str]) -> None:
    world = World()
    made: list[int] = []

    def note() -> None:
        made.append(calls["steps"])
        calls.clear()

    def back() -> None:
        world.now -= 10

    def bound() -> None:
        world.now = end_of("2026-10", UTC) + SETTLING

    world.now = end_of("2026-10", UTC) + SETTLING - 60
    wait = world.pass_time(1)
    world.run(reading(), [wait, wait, note, back, note, wait, note, wait, note, bound, note])
    assert made[1:] == [len(HOSTS), len(HOSTS), 0, len(HOSTS)]  # one that went back looks ahead again
