"""A sweep goes on in turns with what the watcher tells: whatever comes in between, what is said is right in the end."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from followed import LOGIN, Clock, Said, ToldWatcher, log_in

from headcount.records import HostGone, HostRead, HostVisitors, Users, UsersGone
from headcount.sources import layout, readers
from headcount.sources.directory import SLICE, DirectorySource
from headcount.sources.pace import SOON
from headcount.sources.users import _is_settled

USERS = 400
CHUNK = 100
"""So many files are a step of a sweep here, where it is five times as many elsewhere; a sweep takes as many steps."""


class BusyClock(Clock):
    """A clock by which no sweep does more than one step at a time."""

    def __call__(self) -> float:
        self.now += SLICE
        return self.now


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "CHUNK", CHUNK)


@pytest.fixture
def root(open_tmp: Path) -> Path:
    path = open_tmp / "prosody"
    path.mkdir()
    store = log_in(path, "user0", 10).parent
    for number in range(1, USERS):
        (store / f"user{number}.dat").write_text(LOGIN % 10)
    return path


@pytest.fixture
def clock() -> BusyClock:
    return BusyClock()


@pytest.fixture
def watcher() -> ToldWatcher:
    return ToldWatcher()


@pytest.fixture
def said(root: Path, clock: BusyClock, watcher: ToldWatcher) -> Iterator[Said]:
    """What is said of `root`, in which all was read and has settled."""
    source = DirectorySource(str(root), clock=clock)
    source.close()
    source._watcher = watcher  # type: ignore[assignment]  # stands in for one that tells what it is told
    said = Said(source).read()
    until_done(said)
    while any(host.fresh for host in source._layout.hosts.values()):
        clock.now += 10  # by the kernel's clock too it has to be a little older than when it was read
        until_done(said)
    clock.now += 10
    until_done(said)
    said.records.clear()
    yield said
    source.close()


def is_sweeping(said: Said) -> bool:
    return said.source._sweeping is not None


def step(said: Said) -> None:
    said.take(said.source.follow(0))


def until_done(said: Said) -> int:
    """Follows until no sweep is under way; how often that took."""
    for steps in range(1, 1000):
        step(said)
        if not is_sweeping(said):
            return steps
    raise AssertionError("the sweep has no end")


def begin_sweep(said: Said, clock: BusyClock, steps: int = 1) -> None:
    clock.now += 1e6
    for _ in range(steps):
        step(said)
    assert is_sweeping(said)


def test_what_is_told_during_a_sweep_does_not_wait_for_its_end(
    root: Path, said: Said, clock: BusyClock, watcher: ToldWatcher
) -> None:
    begin_sweep(said, clock)
    for when in (20, 30, 40):
        watcher.tell(log_in(root, "user7", when))
        step(said)
        assert is_sweeping(said)
        assert said.last("user7") == when
    until_done(said)
    assert said.last("user7") == 40


def test_whenever_a_file_changes_the_last_word_is_the_right_one(
    root: Path, said: Said, clock: BusyClock, watcher: ToldWatcher
) -> None:
    """Told or not: before the sweep, during each of its steps, and while what it found is read."""
    for number in range(0, 300, 3):
        log_in(root, f"user{number}", 20)
    begin_sweep(said, clock)
    when = 30
    while is_sweeping(said):
        for number in range(0, 300, 2):
            path = log_in(root, f"user{number}", when)
        watcher.tell(*(path.with_name(f"user{number}.dat") for number in range(0, 300, 2)))
        step(said)
        assert all(said.last(f"user{number}") == when for number in range(0, 300, 2))
        when += 1
    clock.now += 1e6
    until_done(said)
    clock.now += 10
    until_done(said)
    for number in range(300):
        assert said.last(f"user{number}") == (when - 1 if number % 2 == 0 else 20 if number % 3 == 0 else 10)


def test_what_was_lost_during_a_sweep_is_found_by_another_one_after_it(
    root: Path, said: Said, clock: BusyClock, watcher: ToldWatcher
) -> None:
    begin_sweep(said, clock, steps=4)
    for number in range(USERS):
        log_in(root, f"user{number}", 20)
    watcher.lost = True
    until_done(said)
    clock.now += SOON
    until_done(said)
    clock.now += 10
    until_done(said)  # what was read as soon as it was written is read again
    assert {said.last(f"user{number}") for number in range(USERS)} == {20}


def test_who_comes_during_a_sweep_stays_and_who_goes_is_gone(
    root: Path, said: Said, clock: BusyClock, watcher: ToldWatcher
) -> None:
    store = root / "example%2ecom" / "lastlog2"
    (store / "user1.dat").unlink()
    begin_sweep(said, clock, steps=4)
    (store / "user2.dat").unlink()
    (store / "user3.dat").unlink()
    watcher.tell(log_in(root, "told", 20), store / "user3.dat")
    log_in(root, "untold", 20)
    while is_sweeping(said):
        step(said)
        watcher.tell(log_in(root, "comes and goes", 20))
        step(said)
        (store / "comes%20and%20goes.dat").unlink()
        watcher.tell(store / "comes%20and%20goes.dat")
    assert said.last("told") == 20
    gone = [record for record in said.records if isinstance(record, UsersGone)]
    assert len([key for record in gone for key in record.keys]) >= 1
    clock.now += 1e6
    until_done(said)
    known = {user for (_, user), record in said.users.items() if record.is_known}
    assert known == {*(f"user{number}" for number in range(USERS)), "told", "untold"} - {"user1", "user2", "user3"}
    gone = [record for record in said.records if isinstance(record, UsersGone)]
    assert len({key for record in gone for key in record.keys}) == 2, "each is gone once, and nobody else is"


def test_of_a_host_that_goes_during_a_sweep_nothing_more_is_said(
    root: Path, said: Said, clock: BusyClock, watcher: ToldWatcher
) -> None:
    for number in range(USERS):
        log_in(root, f"user{number}", 20)
    log_in(root, "carol", 10, host="other.example")
    begin_sweep(said, clock, steps=6)
    host = root / "example%2ecom"
    host.rename(root.parent / "away")
    watcher.tell(host)
    said.records.clear()
    until_done(said)
    at = said.records.index(HostGone("example.com"))
    assert all(getattr(record, "host", "") != "example.com" for record in said.records[at + 1 :])
    assert said.last("carol", "other.example") == 10


def test_a_host_that_comes_during_a_sweep_is_read_before_the_others(
    root: Path, said: Said, clock: BusyClock, watcher: ToldWatcher
) -> None:
    begin_sweep(said, clock, steps=3)
    new = log_in(root, "carol", 10, host="new.example").parent.parent
    log_in(root, "user1", 20)
    watcher.tell(new)
    until_done(said)
    order = [record for record in said.records if isinstance(record, HostRead | Users)]
    assert order[0].host == "new.example"
    assert HostRead("new.example") in order
    assert said.last("user1") == 20


def test_a_store_that_is_made_again_during_a_sweep_keeps_who_is_in_it(
    root: Path, said: Said, clock: BusyClock, watcher: ToldWatcher
) -> None:
    begin_sweep(said, clock, steps=4)
    store = root / "example%2ecom" / "lastlog2"
    shutil.rmtree(store)
    for number in range(0, USERS, 2):
        log_in(root, f"user{number}", 20)
    watcher.tell(store)
    until_done(said)
    known = {user: record.newest for (_, user), record in said.users.items() if record.is_known}
    assert known == {f"user{number}": 20.0 for number in range(0, USERS, 2)}


def test_a_restart_index_asked_during_a_sweep_knows_no_more_than_was_said(
    root: Path, said: Said, clock: BusyClock, watcher: ToldWatcher
) -> None:
    store = root / "example%2ecom" / "lastlog2"
    key_of = said.source._keys.of_host("example.com")
    for number in range(0, USERS, 2):
        log_in(root, f"user{number}", 20)
    begin_sweep(said, clock)
    steps = 0
    while is_sweeping(said):
        watcher.tell(log_in(root, f"user{2 * steps + 1}", 30))
        for batch in said.source.follow(0):
            said.take(iter([batch]))
            unsettled = said.source.unsettled().get("example.com")
            if unsettled is None:
                continue
            index = said.source.files("example.com")["lastlog2"]
            index.leave_out(unsettled)
            read = dict(zip(index.keys, index.changed, strict=True))
            for number in range(USERS):
                path = store / f"user{number}.dat"
                if read.get(key_of(f"user{number}")) == path.stat().st_ctime_ns:
                    assert f"= {said.last(f'user{number}'):.0f};" in path.read_text()
            assert index.unmoved != store.stat().st_ctime_ns
        steps += 1
    assert steps > 3


def test_what_changed_during_a_sweep_makes_the_next_one_look_again(root: Path, said: Said, clock: BusyClock) -> None:
    begin_sweep(said, clock, steps=4)
    log_in(root, "user0", 20)
    log_in(root, f"user{USERS - 1}", 20)
    until_done(said)
    clock.now += 1e4
    until_done(said)
    clock.now += 10
    until_done(said)
    assert (said.last("user0"), said.last(f"user{USERS - 1}")) == (20, 20)


def test_what_is_wrong_is_not_taken_back_while_a_sweep_looks_again(root: Path, said: Said, clock: BusyClock) -> None:
    bad = root / "example%2ecom" / "lastlog2" / "not.canonical.dat"
    bad.write_text(LOGIN % 10)
    begin_sweep(said, clock)
    until_done(said)
    assert said.kinds() == {"name is not canonical"}
    clock.now += 1e6
    while True:
        step(said)
        assert said.kinds() == {"name is not canonical"}
        if not is_sweeping(said):
            break
    bad.unlink()
    begin_sweep(said, clock)
    until_done(said)
    assert said.kinds() == set()


def test_what_the_module_counted_is_found_by_a_sweep_too(root: Path, said: Said, clock: BusyClock) -> None:
    visitors = root / "example%2ecom" / "monthly%2dvisitors.dat"
    text = 'return {\n\t["2026-10"] = {\n\t\t["geo-DE-?-?"] = %d;\n\t\t["client-IOS"] = %d;\n\t};\n};\n'

    def told() -> int:
        last = [record for record in said.records if isinstance(record, HostVisitors)][-1]
        return sum(last.months[0].places.values())

    for users in (3, 4):
        visitors.write_text(text % (users, users))
        begin_sweep(said, clock)
        until_done(said)
        assert told() == users


def test_a_source_that_is_closed_during_a_sweep_leaves_nothing_open(root: Path, said: Said, clock: BusyClock) -> None:
    before = len(os.listdir("/proc/self/fd"))
    begin_sweep(said, clock, steps=4)
    assert len(os.listdir("/proc/self/fd")) > before
    said.source.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("changed", "since", "settled"),
    [
        (3_000_000_001, 3_000_000_002, False),
        (3_000_000_001, 3_030_000_000, True),
        (3_000_000_000, 3_030_000_000, False),  # as a file system writes it that knows no fractions
        (3_000_000_000, 5_030_000_000, False),  # or only every other second
        (3_000_000_000, 6_000_000_000, True),
        (9_000_000_001, 3_000_000_000, False),  # a clock that was set back
    ],
)
def test_a_file_is_read_again_as_long_as_its_change_time_may_stand_for_a_later_change(
    changed: int, since: int, settled: bool
) -> None:
    assert _is_settled(changed, since) == settled


def test_where_a_directory_can_t_be_listed_to_the_end_nobody_is_taken_for_gone(
    root: Path, said: Said, clock: BusyClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def entries(path: bytes) -> Iterator[os.DirEntry[bytes]]:
        with os_scandir(path) as found:
            yield from islice(found, USERS // 2)
        if path.endswith(b"lastlog2"):
            raise OSError(errno.EIO, "the disk is worn")

    os_scandir = os.scandir
    log_in(root, "user1", 20)
    with monkeypatch.context() as patched:
        patched.setattr(layout, "TURN", 20)
        patched.setattr("headcount.sources.layout.os.scandir", lambda path: closing(entries(path)))
        begin_sweep(said, clock)
        until_done(said)
        assert (said.kinds(), said.last("user1")) == ({"unreadable directory"}, 10)
    assert not [record for record in said.records if isinstance(record, UsersGone)]
    clock.now += 1e6
    until_done(said)
    assert (said.kinds(), said.last("user1")) == (set(), 20)
    assert not [record for record in said.records if isinstance(record, UsersGone)]
