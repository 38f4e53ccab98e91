"""Open sessions: no older than thirty days, nor than the server's last start, counted as active or not."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from test_engine import HOST, NOW, ScriptedSource, World, active, world
from test_index import Server, in_whole, told

from headcount.records import HostRead, Record, ServerStarted
from headcount.snapshot import Snapshot
from headcount.sources.directory import DirectorySource
from headcount.user_keys import Keys
from support import prosody_writes
from telling import Activity, tells

__all__ = ["world"]  # a fixture
DAY = 86_400
KEYS = Keys(b"k" * 32)


def opened(ago: float, *names: str) -> list[Record]:
    """Users whose last login was so long ago, with no logout since."""
    when = int(NOW - ago)
    return [tells(HOST, name, True, (Activity(when, "login"), Activity(when - 60, "logout"))) for name in names]


def figures(snapshot: Snapshot) -> tuple[int, ...]:
    return tuple(active(snapshot))


@pytest.mark.parametrize(("is_active", "expected"), [(True, (10, 10, 10, 10)), (False, (0, 10, 10, 10))])
def test_a_session_that_a_killed_server_left_open_long_ago_is_over(
    world: World, expected: tuple[int, ...], *, is_active: bool
) -> None:
    killed = opened(900 * DAY, *(f"killed{n}" for n in range(30)))
    here = opened(2 * DAY, *(f"here{n}" for n in range(10)))
    shown = world.run([killed, here, [HostRead(HOST)]], keys=KEYS, count_open_sessions=is_active)
    assert figures(shown) == expected
    assert shown.hosts[HOST].users_known == 40


def test_it_is_over_at_the_second_at_which_it_is_thirty_days_old(world: World) -> None:
    seen: list[tuple[int, ...]] = []

    def look() -> None:
        seen.append(figures(world.shown[-1]))

    world.run(
        [opened(2 * DAY, "alice"), [HostRead(HOST)]],
        [look, world.pass_time(28 * DAY - 10), look, world.pass_time(10), look],
        keys=KEYS,
        count_open_sessions=True,
        ticks=lambda: world.now,
    )
    assert seen == [(1, 1, 1, 1), (1, 1, 1, 1), (0, 0, 0, 0)]


def test_an_activity_of_unknown_kind_does_not_make_a_session_younger(world: World) -> None:
    seen_again = tells(HOST, "alice", True, (Activity(NOW - 40 * DAY, "login"), Activity(NOW - 2 * DAY, "seen")))
    shown = world.run([[seen_again], [HostRead(HOST)]], count_open_sessions=True)
    assert figures(shown) == (0, 1, 1, 0)
    nearly = tells(HOST, "alice", True, (Activity(NOW - 29 * DAY, "login"), Activity(NOW - 2 * DAY, "seen")))
    shown = world.run([[nearly], [HostRead(HOST)]], [world.pass_time(DAY)], count_open_sessions=True)
    assert figures(shown) == (0, 1, 1, 0)


@pytest.mark.parametrize(("is_active", "expected"), [(True, (1, 1, 2, 1)), (False, (0, 0, 2, 1))])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_the_servers_last_start_ends_what_was_open_before_it(
    world: World, expected: tuple[int, ...], when: str, *, is_active: bool
) -> None:
    told = [*opened(10 * DAY, "before"), *opened(8 * DAY, "since")]
    started: list[Record] = [ServerStarted(NOW - 8 * DAY + 0.9)]  # in the very second of a login
    read = [told, [HostRead(HOST)]]
    shown = world.run(
        [started, *read] if when == "before" else read,
        [started, started] if when == "meanwhile" else [],
        keys=KEYS,
        count_open_sessions=is_active,
    )
    assert figures(shown) == expected


def test_a_start_that_lies_ahead_is_not_believed_before_it_does_no_longer(world: World) -> None:
    seen: list[tuple[int, ...]] = []

    def look() -> None:
        seen.append(figures(world.shown[-1]))

    world.run(
        [[ServerStarted(NOW + 100)], opened(60, "alice"), [HostRead(HOST)]],
        [look, world.pass_time(101), look],
        keys=KEYS,
    )
    assert seen == [(1, 1, 1, 1), (1, 1, 1, 0)]


def test_of_a_moment_that_has_passed_a_later_start_tells_nothing(world: World) -> None:
    source = [[ServerStarted(NOW + DAY)], opened(60, "alice"), [HostRead(HOST)]]
    shown = world.engine(ScriptedSource(source), keys=KEYS, at=NOW).read_once()
    assert figures(shown) == (1, 1, 1, 1)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def start(root: Path, when: float) -> None:
    """Binds the socket as Prosody does when it is started."""
    path = root / "prosody.sock"
    path.unlink(missing_ok=True)
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        here = os.open(root, os.O_RDONLY)
        try:
            bound.bind(f"/proc/self/fd/{here}/prosody.sock")  # a path of any length
        finally:
            os.close(here)
    os.utime(path, (when, when))


@pytest.mark.parametrize("is_active", [True, False])
def test_a_restart_goes_on_with_what_was_open(server: Server, *, is_active: bool) -> None:
    start(server.root, server.now - 5 * DAY)
    for days in (2, 4, 6, 20, 29.5, 31, 900):
        server.log_in(f"user{days}", days * DAY)
    expected = (2, 3, 5, 2) if is_active else (0, 3, 5, 2)
    assert figures(server.run(count_open_sessions=is_active)) == expected
    assert figures(server.run(count_open_sessions=is_active)) == expected
    start(server.root, server.now - 3 * DAY)
    whole = in_whole(server, count_open_sessions=is_active)
    assert told(server.run(count_open_sessions=is_active)) == told(whole)
    assert active(whole).open_sessions == 1
    (server.root / "prosody.sock").unlink()  # the server ended; what was open before its last start is over still
    assert active(server.run(count_open_sessions=is_active)).open_sessions == 1
    server.now += 28 * DAY
    assert active(server.run(count_open_sessions=is_active)).open_sessions == 0


def test_what_is_over_need_not_be_read_again_at_each_start(server: Server) -> None:
    for number in range(50):
        server.log_in(f"killed{number}", 900 * DAY)
    server.run()
    assert len(server.read) == 50
    server.run()
    assert server.read == []


@pytest.fixture
def source(tmp_path: Path) -> Iterator[DirectorySource]:
    prosody_writes(tmp_path, HOST, "lastlog2", "alice", 'return {\n\t["login"] = {\n\t\t["timestamp"] = 5;\n\t};\n};\n')
    with closing(DirectorySource(str(tmp_path))) as made:
        yield made


def starts(batches: Iterator[list[Record]]) -> list[float]:
    return [record.when for batch in batches for record in batch if isinstance(record, ServerStarted)]


def test_the_source_sees_the_start_by_the_socket_that_is_bound_then(source: DirectorySource, tmp_path: Path) -> None:
    start(tmp_path, 1000)
    assert starts(source.read()) == [1000]
    start(tmp_path, 2000)
    seen: list[float] = []
    for _ in range(200):
        seen += starts(source.follow(0.1))
        if 2000 in seen:
            break
    assert seen[-1] == 2000
    (tmp_path / "prosody.sock").unlink()
    assert [starts(source.follow(0.05)) for _ in range(3)] == [[], [], []]


def test_a_file_of_that_name_is_no_socket(source: DirectorySource, tmp_path: Path) -> None:
    (tmp_path / "prosody.sock").write_text("")
    assert starts(source.read()) == []
