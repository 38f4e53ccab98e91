"""A data directory as a source: read once, followed, swept; whatever happens in it is seen or told."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from followed import LOGIN, Clock, Said, ToldWatcher, log_in

from headcount.errors import NoPermissionError, UsageError
from headcount.records import HostGone, HostRead, HostVisitors, Users
from headcount.sources import directory as directory_module
from headcount.sources.directory import DirectorySource
from headcount.sources.pace import AT_LEAST
from support import prosody_writes, unprivileged


@pytest.fixture
def root(open_tmp: Path) -> Path:
    path = open_tmp / "prosody"
    path.mkdir()
    return path


@pytest.fixture
def sources() -> Iterator[list[DirectorySource]]:
    opened: list[DirectorySource] = []
    yield opened
    for source in opened:
        source.close()


@pytest.fixture
def live(root: Path, sources: list[DirectorySource]) -> Said:
    """What is said of `root` by a source with a real watcher. Only for changes: sweeps are an hour away."""
    sources.append(DirectorySource(str(root)))
    return Said(sources[0])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def swept(root: Path, clock: Clock) -> Said:
    """What is said of `root` by a source that no event reaches, so that sweeps must find everything."""
    return Said(DirectorySource(str(root), watching=False, clock=clock))


def sweep(said: Said, clock: Clock) -> Said:
    clock.now += 10_000
    return said.take(said.source.follow(0))


def test_everything_is_said_once_and_then_that_the_host_was_read(root: Path, swept: Said) -> None:
    log_in(root, "alice", 10)
    log_in(root, "alice", 20, store="lastlog2")
    prosody_writes(root, "example.com", "account_activity", "alice", 'return {\n\t["timestamp"] = 30;\n};\n')
    log_in(root, "zoë", 40, host="chat.example.org")
    swept.read()
    assert {key: said.newest for key, said in swept.users.items()} == {
        ("example.com", "alice"): 30,
        ("chat.example.org", "zoë"): 40,
    }
    assert sum(len(record.users) for record in swept.records if isinstance(record, Users)) == 2
    for host in ("example.com", "chat.example.org"):
        order = [r for r in swept.records if getattr(r, "host", "") == host]
        assert order[-1] == HostRead(host)


def test_a_file_is_read_once_and_nothing_is_opened_but_for_reading(
    root: Path, swept: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        log_in(root, f"user{number}", 10 + number)
    opened: list[bytes] = []
    real_open = os.open

    def recording_open(path: bytes, flags: int, *rest: int, dir_fd: int | None = None) -> int:
        assert flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND) == 0
        if not flags & os.O_DIRECTORY:
            opened.append(path)
        return real_open(path, flags, *rest, dir_fd=dir_fd)

    monkeypatch.setattr(directory_module.os, "open", recording_open)
    swept.read()
    assert len(opened) == len(set(opened)) == 50


def test_the_directory_is_left_as_it_was(root: Path, live: Said) -> None:
    log_in(root, "alice", 10)
    (root / "example%2ecom" / "lastlog2" / "bad name.dat").write_text("x")

    def look() -> list[tuple[str, int, int]]:
        return sorted((str(p), p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in [root, *root.rglob("*")])

    before = look()
    live.read()
    live.take(live.source.follow(0.1))
    assert look() == before


def test_logins_are_seen_as_they_happen(root: Path, live: Said) -> None:
    log_in(root, "alice", 10)
    live.read()
    log_in(root, "alice", 20)
    log_in(root, "bob", 30)
    live.follow_until(lambda: (live.last("alice"), live.last("bob")) == (20, 30))


def test_a_change_while_everything_is_read_is_seen_after(root: Path, live: Said) -> None:
    for number in range(1200):
        log_in(root, f"user{number}", 10)
    batches = live.source.read()
    first = next(batches)
    assert isinstance(first[0], Users)
    early = first[0].users[0]
    log_in(root, early.user, 99)
    log_in(root, "newcomer", 98)
    live.take(iter([first])).take(batches)
    live.follow_until(lambda: (live.last(early.user), live.last("newcomer")) == (99, 98))


def test_new_stores_and_hosts_are_followed(root: Path, live: Said) -> None:
    log_in(root, "alice", 10)
    live.read()
    log_in(root, "alice", 20, store="lastlog")
    log_in(root, "carol", 30, host="new.example")
    live.follow_until(lambda: live.last("carol", "new.example") == 30)
    live.follow_until(lambda: HostRead("new.example") in live.records)
    log_in(root, "carol", 40, host="new.example")
    live.follow_until(lambda: live.last("carol", "new.example") == 40)


def test_a_deleted_user_is_gone_and_one_left_in_another_store_is_not(root: Path, live: Said) -> None:
    gone = log_in(root, "alice", 10)
    log_in(root, "bob", 10)
    prosody_writes(root, "example.com", "account_activity", "bob", 'return {\n\t["timestamp"] = 5;\n};\n')
    live.read()
    gone.unlink()
    (gone.parent / "bob.dat").unlink()
    live.follow_until(lambda: not live.users["example.com", "alice"].is_known)
    live.follow_until(lambda: live.last("bob") == 5)


def test_a_store_that_is_deleted_and_made_again_is_followed(root: Path, live: Said) -> None:
    store = log_in(root, "alice", 10).parent
    log_in(root, "bob", 10)
    live.read()
    shutil.rmtree(store)
    log_in(root, "alice", 20)
    live.follow_until(lambda: live.last("alice") == 20 and not live.users["example.com", "bob"].is_known)
    log_in(root, "alice", 30)
    live.follow_until(lambda: live.last("alice") == 30)


def test_a_host_that_goes_is_told_and_one_that_comes_back_is_read(root: Path, live: Said) -> None:
    log_in(root, "alice", 10)
    log_in(root, "bob", 10, host="other.example")
    live.read()
    shutil.rmtree(root / "example%2ecom")
    live.follow_until(lambda: HostGone("example.com") in live.records)
    log_in(root, "alice", 20)
    live.follow_until(lambda: live.last("alice") == 20)


def test_what_no_event_told_is_found_by_a_sweep(root: Path, swept: Said, clock: Clock) -> None:
    kept = log_in(root, "alice", 10)
    gone = log_in(root, "bob", 10)
    swept.read()
    log_in(root, "alice", 20)
    gone.unlink()
    log_in(root, "carol", 30, host="new.example")
    sweep(swept, clock)
    assert swept.last("alice") == 20
    assert not swept.users["example.com", "bob"].is_known
    assert swept.last("carol", "new.example") == 30
    os.utime(kept, (5, 5))  # a restored file is older than the one before, and still another one
    kept.write_text(LOGIN % 40)
    os.utime(kept, (5, 5))
    assert sweep(swept, clock).last("alice") == 40


@pytest.mark.parametrize("by_sweep", [False, True])
def test_a_new_directory_is_swept_soon_after_for_its_first_events_may_be_lost(
    root: Path, swept: Said, clock: Clock, by_sweep: bool
) -> None:
    log_in(root, "alice", 10)
    swept.read()
    sweep(swept, clock)
    new = log_in(root, "alice", 20, store="login_records").parent
    if by_sweep:
        sweep(swept, clock)
    else:
        swept.source._watcher = ToldWatcher({os.fsencode(new.parent): {os.fsencode(new.name)}})  # type: ignore[assignment]  # stands in for a watcher that loses events
        swept.take(swept.source.follow(0))
    log_in(root, "alice", 30)
    clock.now += 2
    assert swept.take(swept.source.follow(0)).last("alice") == 30


def test_a_sweep_reads_only_what_changed(root: Path, clock: Clock) -> None:
    an_hour_on = DirectorySource(
        str(root), watching=False, clock=clock, wall_ns=lambda: time.time_ns() + 3_600_000_000_000
    )
    log_in(root, "alice", 10)
    log_in(root, "bob", 10)
    said = Said(an_hour_on).read()
    said.records.clear()
    log_in(root, "bob", 20)
    sweep(said, clock)
    assert [user.user for record in said.records if isinstance(record, Users) for user in record.users] == ["bob"]


def test_two_writes_within_the_clocks_grain_are_both_seen(root: Path, swept: Said, clock: Clock) -> None:
    """The change time can't tell them apart, so a file that was read fresh is read again; it is told only if it is
    another one now."""
    log_in(root, "alice", 10)
    log_in(root, "bob", 10)
    swept.read()
    swept.records.clear()
    log_in(root, "alice", 20)
    clock.now += 0.9
    swept.take(swept.source.follow(0))
    assert swept.last("alice") == 10
    swept.take(swept.source._settle(clock.now + 1))
    assert [user.user for record in swept.records if isinstance(record, Users) for user in record.users] == ["alice"]
    assert swept.last("alice") == 20


def test_a_sweep_follows_a_burst_soon_and_else_keeps_its_pace(root: Path, clock: Clock) -> None:
    an_hour_on = DirectorySource(
        str(root), watching=False, clock=clock, wall_ns=lambda: time.time_ns() + 3_600_000_000_000
    )
    log_in(root, "alice", 10)
    swept = Said(an_hour_on).read()
    clock.now += 2
    swept.take(swept.source.follow(0))  # the doubt after reading
    log_in(root, "alice", 20)
    clock.now += 4
    assert swept.take(swept.source.follow(0)).last("alice") == 10
    clock.now += AT_LEAST
    assert swept.take(swept.source.follow(0)).last("alice") == 20


def test_what_the_module_counted_is_read_and_followed(root: Path, live: Said) -> None:
    host = root / "example%2ecom"
    log_in(root, "alice", 10)
    visitors = host / "monthly%2dvisitors.dat"
    visitors.write_text('return {\n\t["2026-10"] = {\n\t\t["geo-DE-?-?"] = 3;\n\t\t["client-IOS"] = 3;\n\t};\n};\n')
    (host / "monthly-visitors.dat").write_text(
        'return {\n\t["2026-10"] = {\n\t\t["geo-FR-?-?"] = 9;\n\t\t["client-?"] = 9;\n\t};\n'
        '\t["2017-03"] = {\n\t\t["geo-FR-?-?"] = 1;\n\t\t["client-?"] = 1;\n\t};\n};\n'
    )

    def told() -> dict[str, int]:
        last = [record for record in live.records if isinstance(record, HostVisitors)][-1]
        return {month.month: sum(month.places.values()) for month in last.months}

    live.read()
    assert told() == {"2026-10": 3, "2017-03": 1}
    temporary = host / "monthly%2dvisitors.dat~"
    temporary.write_text(visitors.read_text().replace("3;", "4;"))
    temporary.rename(visitors)
    live.follow_until(lambda: told()["2026-10"] == 4)


def test_names_that_prosody_would_not_write_are_problems_not_users(root: Path, live: Said) -> None:
    store = log_in(root, "alice", 10).parent
    for name in ("raw.name.dat", "Upper%2E.dat", "bad%zz.dat", "%ff%fe.dat"):
        (store / name).write_text(LOGIN % 20)
    (store / "notes.txt").write_text("nothing of Prosody's")
    plain = root / "plain.example"
    (plain / "lastlog2").mkdir(parents=True)
    (root / "lost+found").mkdir()
    live.read()
    assert set(live.users) == {("example.com", "alice")}
    odd = {problem.where for problem in live.problems if problem.what == "name is not canonical"}
    assert odd == {
        "example.com/lastlog2/raw.name.dat",
        "example.com/lastlog2/Upper%2E.dat",
        "example.com/lastlog2/bad%zz.dat",
        "example.com/lastlog2/%ff%fe.dat",
        "plain.example",
    }
    assert all("alice" not in problem.place and ".dat" not in problem.place for problem in live.problems)


def test_a_name_that_is_not_utf8_stops_nothing(root: Path, live: Said) -> None:
    store = os.fsencode(log_in(root, "alice", 10).parent)
    live.read()
    hostile = os.path.join(store, b"\xff\xfe\x1b[2J.dat")
    Path(os.fsdecode(hostile)).write_text(LOGIN % 20)
    log_in(root, "alice", 30)
    live.follow_until(lambda: live.last("alice") == 30)
    live.follow_until(lambda: "name is not canonical" in live.kinds())
    log_in(root, "alice", 40)
    live.follow_until(lambda: live.last("alice") == 40)
    assert all("\x1b" not in problem.where for problem in live.problems)


def test_a_temporary_file_left_behind_is_told_and_harms_nobody(root: Path, swept: Said, clock: Clock) -> None:
    store = log_in(root, "alice", 10).parent
    (store / "alice.dat~").write_text("return {")
    swept.read()
    assert swept.last("alice") == 10
    assert swept.kinds() == {"leftover file"}
    (store / "alice.dat~").unlink()
    assert sweep(swept, clock).kinds() == set()


def test_a_temporary_file_of_a_write_in_progress_is_no_problem(root: Path) -> None:
    path = log_in(root, "alice", 10)
    temporary = path.with_name("alice.dat~")
    temporary.write_text(LOGIN % 20)
    source = DirectorySource(str(root), watching=False, pause=lambda _: temporary.rename(path) and None)
    assert Said(source).read().kinds() == set()


def test_unreadable_files_are_problems_until_they_are_fixed(root: Path, live: Said) -> None:
    path = log_in(root, "alice", 10)
    log_in(root, "bob", 10)
    path.chmod(0)
    with unprivileged():
        live.read()
        assert live.users["example.com", "alice"].is_known
        assert [(f.what, f.why) for f in live.users["example.com", "alice"].problems] == [
            ("unreadable record", "permission denied")
        ]
        assert live.last("bob") == 10
    path.chmod(0o644)
    live.follow_until(lambda: live.last("alice") == 10)
    assert live.kinds() == set()


def test_unreadable_directories_are_problems_until_they_are_fixed(root: Path, swept: Said, clock: Clock) -> None:
    store = log_in(root, "alice", 10).parent
    closed = log_in(root, "bob", 10, host="closed.example").parent.parent
    store.chmod(0)
    closed.chmod(0)
    with unprivileged():
        swept.read()
        problems = {(problem.what, problem.where, problem.why) for problem in swept.problems}
    assert problems == {
        ("unreadable directory", "example.com/lastlog2", "permission denied"),
        ("unreadable directory", "closed.example", "permission denied"),
    }
    store.chmod(0o755)
    closed.chmod(0o755)
    sweep(swept, clock)
    assert swept.kinds() == set()
    assert (swept.last("alice"), swept.last("bob", "closed.example")) == (10, 10)


def test_what_is_no_file_is_not_waited_for(root: Path, swept: Said) -> None:
    store = log_in(root, "alice", 10).parent
    os.mkfifo(store / "pipe.dat")
    (store / "folder.dat").mkdir()
    (store / "loop.dat").symlink_to("loop.dat")
    (store / "nowhere.dat").symlink_to("missing")
    swept.read()
    assert swept.last("alice") == 10
    why = {user: [problem.why for problem in said.problems] for (_, user), said in swept.users.items()}
    assert why["pipe"] == why["folder"] == ["it is not a file"]
    assert len(why["loop"]) == 1


def test_a_file_too_large_to_be_a_record_is_a_problem(root: Path, swept: Said) -> None:
    path = log_in(root, "alice", 10)
    with path.open("r+b") as file:
        file.truncate(64 << 20)
    swept.read()
    assert [problem.what for problem in swept.users["example.com", "alice"].problems] == ["unreadable record"]


def test_a_directory_that_is_not_there_yet_is_waited_for(open_tmp: Path) -> None:
    source = DirectorySource(str(open_tmp / "later"), watching=False)
    assert source.missing() == f"There is no {open_tmp / 'later'} yet."
    log_in(open_tmp / "later", "alice", 10)
    assert source.missing() is None


def test_what_is_no_directory_and_what_may_not_be_read_is_refused(open_tmp: Path) -> None:
    file = open_tmp / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="not a directory"):
        DirectorySource(str(file), watching=False).missing()
    closed = open_tmp / "closed"
    closed.mkdir(mode=0)
    with unprivileged(), pytest.raises(NoPermissionError, match="group"):
        DirectorySource(str(closed), watching=False).missing()


def test_a_data_directory_that_goes_keeps_its_users_and_is_found_again(root: Path, swept: Said, clock: Clock) -> None:
    log_in(root, "alice", 10)
    swept.read()
    away = root.with_name("away")
    root.rename(away)
    sweep(swept, clock)
    assert swept.kinds() == {"no data directory"}
    assert [(problem.where, problem.is_urgent) for problem in swept.problems] == [(str(root), True)]
    assert not any(isinstance(record, HostGone) for record in swept.records)
    away.rename(root)
    log_in(root, "alice", 20)
    clock.now += 2
    swept.take(swept.source.follow(0))
    assert swept.kinds() == set()
    assert swept.last("alice") == 20


def test_a_data_directory_that_goes_while_it_is_watched_keeps_its_users_and_goes_on(root: Path) -> None:
    """It is noticed at once, be it by what the watcher says of the files in it."""
    for number in range(20):
        log_in(root, f"user{number}", 10)
    source = DirectorySource(str(root))
    said = Said(source)
    try:
        said.read()
        away = root.with_name("away")
        root.rename(away)
        said.follow_until(lambda: said.kinds() == {"no data directory"})
        said.take(source.follow(1.5))
        assert all(record.is_known for record in said.users.values())
        away.rename(root)
        log_in(root, "user3", 20)
        said.follow_until(lambda: said.kinds() == set() and said.last("user3") == 20)
        log_in(root, "user4", 30)
        said.follow_until(lambda: said.last("user4") == 30)
        assert not any(isinstance(record, HostGone) for record in said.records)
    finally:
        source.close()


@pytest.mark.parametrize("mode", [0, 0o600], ids=["closed", "listed but not entered"])
def test_a_data_directory_that_may_not_be_read_any_more_keeps_its_users_and_says_what_fixes_it(
    root: Path, swept: Said, clock: Clock, mode: int
) -> None:
    log_in(root, "alice", 10)
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    swept.read()
    root.chmod(mode)
    with unprivileged():
        sweep(swept, clock)
    assert [(problem.what, problem.where, problem.is_urgent) for problem in swept.problems] == [
        ("unreadable data directory", str(root), True)
    ]
    assert "permission denied" in swept.problems[0].why
    assert "usermod" in swept.problems[0].why
    assert swept.last("alice") == 10
    root.chmod(0o755)
    log_in(root, "alice", 20)
    clock.now += 2
    swept.take(swept.source.follow(0))
    assert (swept.kinds(), swept.last("alice")) == (set(), 20)


def test_a_component_has_no_users(root: Path, swept: Said) -> None:
    prosody_writes(
        root, "conference.example.com", "lastlog2", "room1", 'return {\n\t["conference.example.com"] = "message";\n};\n'
    )
    swept.read()
    assert not any(said.is_known for said in swept.users.values())


def test_who_may_be_active_is_read_first(root: Path, swept: Said) -> None:
    long_ago = time.time() - 31 * 86_400
    for number in range(1500):
        path = log_in(root, f"user{number}", 10)
        if number % 2:
            os.utime(path, (long_ago, long_ago))
    log_in(root, "zoë", 10, host="chat.example.org")
    before, after = [], []
    for batch in swept.source.read():
        assert swept.source.progress is not None
        (after if swept.source.progress.active_done else before).extend(batch)
    recent = {user.user for record in before if isinstance(record, Users) for user in record.users}
    later = {user.user for record in after if isinstance(record, Users) for user in record.users}
    assert recent == {"zoë"} | {f"user{number}" for number in range(0, 1500, 2)}
    assert later == {f"user{number}" for number in range(1, 1500, 2)}
    assert [record for record in after if isinstance(record, HostRead)]
    assert not [record for record in before if isinstance(record, HostRead)]


def test_what_changes_or_goes_before_its_turn_is_told_as_it_is_then(root: Path, swept: Said, clock: Clock) -> None:
    long_ago = time.time() - 31 * 86_400
    for user in ("early", "changes", "goes"):
        path = log_in(root, user, 10)
        if user != "early":
            os.utime(path, (long_ago, long_ago))
    reading = swept.source.read()
    while swept.last("early") < 0:
        swept.take(iter([next(reading)]))
    log_in(root, "changes", 20)
    path.unlink()
    swept.take(reading)
    sweep(swept, clock)
    assert (swept.last("early"), swept.last("changes")) == (10, 20)
    assert not swept.users["example.com", "goes"].is_known


def test_progress_counts_the_users(root: Path, swept: Said) -> None:
    for number in range(1200):
        log_in(root, f"user{number}", 10)
    seen = []
    for batch in swept.source.read():
        if isinstance(batch[0], Users):
            assert swept.source.progress is not None
            seen.append((swept.source.progress.done, swept.source.progress.total))
    assert seen == [(0, 1200), (500, 1200), (1000, 1200)]
    assert swept.source.progress is None
