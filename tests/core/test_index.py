"""A later start from the restart index: at once there, and then what a reading of everything would have given."""

import os
import random
import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.clients.patterns import ClientPatterns
from headcount.counting.counted import Counted
from headcount.counting.month_users import MonthChange
from headcount.engine.engine import Engine
from headcount.engine.options import Options
from headcount.months import start_of
from headcount.places.lookup import Places
from headcount.snapshot import Phase, Snapshot
from headcount.sources.directory import DirectorySource
from headcount.state import HostUpdate, Update
from headcount.state.restart_index import IndexKeeper
from headcount.state.sqlite import SqliteState
from headcount.user_keys import Keys
from support import prosody_writes

UTC = ZoneInfo("UTC")
NOW = start_of("2026-11", UTC) + 20 * 86_400
DAY = 86_400
HOST, OTHER = "example.com", "other.example"
PLACES = Places(())
AN_HOUR = 3_600_000_000_000


class Server:
    """A data directory and a state with its index, in a directory of their own."""

    def __init__(self, path: Path) -> None:
        self.root = path / "prosody"
        self.root.mkdir()
        self.state = path / "state.db"
        self.now = NOW
        self.shown: list[Snapshot] = []
        self.read: list[str] = []

    def log_in(
        self, user: str, ago: float = 0, *, host: str = HOST, store: str = "lastlog2", out: bool = False
    ) -> None:
        when = int(self.now - ago)
        said = {
            "lastlog2": f'\t["login"] = {{\n\t\t["timestamp"] = {when};\n\t\t["ip"] = "8.8.8.8";\n\t}};\n'
            + (f'\t["logout"] = {{\n\t\t["timestamp"] = {when + 5};\n\t}};\n' if out else ""),
            "account_activity": f'\t["timestamp"] = {when};\n',
        }
        prosody_writes(self.root, host, store, user, f"return {{\n{said[store]}}};\n")

    def delete(self, user: str, host: str = HOST) -> None:
        for path in self.root.glob(f"{host.replace('.', '%2e')}/*/{user}.dat"):
            path.unlink()

    def run(
        self,
        *,
        index: bool = True,
        under: str = "these",
        live: Callable[[Engine, Snapshot], bool] = lambda *_: True,
        **options: Any,
    ) -> Snapshot:
        """An engine from its start until it is live, and `live` says that it is enough."""
        keys, stop = Keys(), threading.Event()
        source = DirectorySource(str(self.root), keys=keys, trusts_files=True, watching=False, wall_ns=lambda: 1 << 62)
        self.shown, self.read = [], []

        def publish(snapshot: Snapshot) -> None:
            self.shown.append(snapshot)
            if snapshot.phase is Phase.LIVE and live(engine, snapshot):
                stop.set()

        described = Options(zone=UTC, zone_name="UTC", clock=lambda: self.now, keys=keys, settle=0, **options)
        with SqliteState(self.state) as state, closing(source):
            keeper = IndexKeeper(self.state.with_name("index"), lambda: under) if index else None
            engine = Engine(source, PLACES, ClientPatterns([]), state, described, keeper)
            real = source._reader._said

            def said(host: Any, files: Any, read: Any, since: Any) -> Any:
                self.read += [row[1] for row in read.rows]
                return real(host, files, read, since)

            source._reader._said = said  # type: ignore[method-assign]
            engine.run(publish, stop)
            return engine.snapshot()


def told(snapshot: Snapshot) -> dict[str, Any]:
    """What must be the same. Who was there the month before may be known where it was not else."""
    return {
        name: (counts.users_known, counts.active, {month: of.cells for month, of in counts.months.items()})
        for name, counts in snapshot.hosts.items()
        if counts.users_known or counts.months
    }


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def in_whole(server: Server, **options: Any) -> Snapshot:
    """What an engine without an index shows, on a copy of the state as it was."""
    aside = server.state.with_name("aside.db")
    shutil.copy(server.state, aside)
    server.state, kept = aside, server.state
    try:
        return server.run(index=False, **options)
    finally:
        for left in server.state.parent.glob("aside.db*"):
            left.unlink()
        server.state = kept


def test_the_first_figures_are_there_at_once_and_nothing_is_read_that_did_not_change(server: Server) -> None:
    for number in range(100):
        server.log_in(f"user{number}", number * DAY, out=True)
    server.run()
    assert len(server.read) == 100
    server.now += 600
    server.log_in("user99")
    server.log_in("fresh")
    server.delete("user1")
    expected = in_whole(server)
    live = server.run()
    first = server.shown[0]
    assert (first.phase, first.hosts[HOST].users_known) == (Phase.SCANNING, 78)
    of_the_month_before = {f"user{number}" for number in range(31, 52)}
    assert set(server.read) == {"fresh", "user99", "user0"} | of_the_month_before  # the first one is ahead of the time
    assert told(live) == told(expected)
    assert live.hosts[HOST].users_known == 100


def test_a_directory_in_which_nothing_was_written_is_not_even_looked_into(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        server.log_in(f"user{number}", number)
    before = server.run()
    monkeypatch.setattr("headcount.sources.users.reading", lambda *_: pytest.fail("it was looked into"))
    assert told(server.run()) == told(before)
    assert server.read == []


def test_files_that_were_changed_without_a_rename_are_found_by_the_next_whole_sweep(server: Server) -> None:
    server.log_in("alice", 2 * DAY)
    server.run()
    path = next(server.root.glob("*/*/alice.dat"))
    path.write_text(path.read_text().replace(str(int(NOW - 2 * DAY)), str(int(NOW))))
    clock = 0.0
    keys = Keys()
    source = DirectorySource(str(server.root), keys=keys, watching=False, wall_ns=lambda: 1 << 62, clock=lambda: clock)
    with closing(source):
        list(source.read())
        clock = 100.0
        path.write_text(path.read_text().replace(str(int(NOW)), str(int(NOW) + 1)))
        said = [record for batch in source.follow(0) for record in batch]
    assert len(said) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(path.read_bytes()[:40]),
        lambda path: path.write_bytes(b"headcount index 1\n" + b"\xff" * 100),
        lambda path: path.write_bytes(b"headcount index 2\n" + b"\xff" * 100),
        lambda path: path.write_bytes(os.urandom(4096)),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"order"', b'"0rder"')),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
    ],
)
def test_a_lost_or_damaged_index_costs_a_reading_and_no_count(server: Server, spoil: Callable[[Path], None]) -> None:
    for number in range(20):
        server.log_in(f"user{number}", number * DAY)
    before = server.run()
    spoil(server.state.with_name("index"))
    assert told(server.run()) == told(before)
    assert len(server.read) == 20
    server.run()
    assert server.read == []


def test_its_figures_are_shown_before_the_rest_is_read_and_no_longer_than_that(server: Server) -> None:
    for number in range(20):
        server.log_in(f"user{number}", number * DAY + 60, out=True)
    before = server.run()
    path = server.state.with_name("index")
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    server.delete("user7")
    expected = in_whole(server)
    live = server.run()
    first = server.shown[0]
    assert (first.phase, first.hosts[HOST].users_known) == (Phase.SCANNING, 20)
    assert first.hosts[HOST].active == before.hosts[HOST].active
    assert told(live) == told(expected)
    assert (len(server.read), live.hosts[HOST].users_known) == (19, 19)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_anywhere_is_noticed(server: Server, seed: int) -> None:
    server.log_in("alice")
    before = server.run()
    path, dice = server.state.with_name("index"), random.Random(seed)
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    assert told(server.run()) == told(before)
    assert server.read == ["alice"]


def test_an_engine_that_is_killed_long_after_the_index_was_written_loses_nothing(server: Server) -> None:
    """The state is newer than the index then."""
    for number in range(20):
        server.log_in(f"user{number}", number * DAY)
    image = server.state.parent / "image"
    image.mkdir()

    def live(engine: Engine, snapshot: Snapshot) -> bool:
        known = snapshot.hosts[HOST].users_known
        if known == 20 and not server.state.with_name("index").exists():
            engine._index.write_last()
            server.log_in("late")
            server.log_in("user15")
            server.delete("user3")
            server.log_in("later")
        if known != 21:
            return False
        engine._keeping.keep()
        for file in server.state.parent.glob("*"):
            if file.is_file():
                shutil.copy2(file, image)
        return True

    last = server.run(live=live)
    server.state = image / server.state.name
    again = server.run()
    assert told(again) == told(last)
    assert again.hosts[HOST].months["2026-11"].users == last.hosts[HOST].months["2026-11"].users == 22
    assert {"late", "later", "user15"} <= set(server.read)
    assert "user5" not in server.read


def test_other_settings_and_another_state_do_not_believe_it(server: Server) -> None:
    server.log_in("alice")
    server.run()
    server.run(under="others")
    assert server.read == ["alice"]
    server.run(under="others")
    assert server.read == []
    older = server.state.read_bytes()
    server.run(under="others")
    server.state.write_bytes(older)  # a backup, put back
    server.run(under="others")
    assert server.read == ["alice"]


def test_a_month_that_is_counted_again_is_counted_from_all_files(server: Server) -> None:
    server.log_in("alice")
    server.run()
    with SqliteState(server.state) as state:
        saved = state.load().hosts[HOST]
        month = replace(saved.months["2026-11"], cells={}, key=b"n" * 32, counted=Counted())
        update = HostUpdate(HOST, saved.followed_since, NOW, {"2026-11": (month, MonthChange(replaces_all=True))})
        state.save(Update([update]))
    assert server.run().hosts[HOST].months["2026-11"].users == 1


def test_it_is_for_its_owner_alone_and_holds_no_name(server: Server) -> None:
    for number in range(20):
        server.log_in(f"secretname{number}", number * 4 * DAY, out=True)
    server.run()
    path = server.state.with_name("index")
    data = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"secretname" not in data
    assert b"8.8.8.8" not in data


def test_a_file_put_back_from_before_counts_for_its_month_as_in_a_reading_of_everything(server: Server) -> None:
    server.log_in("alice")
    server.run()
    server.log_in("alice", 31 * DAY)
    expected = in_whole(server)
    assert told(server.run()) == told(expected)
    assert expected.hosts[HOST].months["2026-10"].users == 1


events = st.lists(
    st.one_of(
        st.tuples(
            st.just("log in"),
            st.sampled_from("abcdefgh"),
            st.sampled_from([0, 60, DAY, 8 * DAY, 31 * DAY, 45 * DAY, 55 * DAY, 400 * DAY, -DAY]),
            st.sampled_from([HOST, OTHER]),
            st.sampled_from(["lastlog2", "lastlog2", "account_activity"]),
            st.booleans(),
        ),
        st.tuples(st.just("delete"), st.sampled_from("abcdefgh"), st.sampled_from([HOST, OTHER])),
        st.tuples(st.just("break"), st.sampled_from("abcdefgh")),
        st.tuples(
            st.just("lose"), st.sampled_from(["example%2ecom/lastlog2", "other%2eexample", "*/account_activity"])
        ),
        st.tuples(st.just("pass"), st.sampled_from([1.0, 3600.0, DAY, 20.0 * DAY, 40.0 * DAY, -2.0 * DAY])),
        st.tuples(st.just("run")),
        st.tuples(st.just("run")),
    ),
    max_size=25,
)


@pytest.mark.parametrize("open_sessions", [False, True])
@given(happened=events)
@settings(max_examples=60)
def test_whatever_happens_between_two_runs_it_ends_as_if_everything_had_been_read(
    tmp_path_factory: pytest.TempPathFactory, happened: list[tuple[Any, ...]], open_sessions: bool
) -> None:
    path = tmp_path_factory.mktemp("server")
    server = Server(path)
    for what, *details in [*happened, ("run",)]:
        match what:
            case "log in":
                user, ago, host, store, out = details
                server.log_in(user, ago, host=host, store=store, out=out)
            case "delete":
                server.delete(*details)
            case "break":
                prosody_writes(server.root, HOST, "lastlog2", details[0], "return {")
            case "lose":
                for lost in server.root.glob(details[0]):
                    shutil.rmtree(lost)
            case "pass":
                server.now += details[0]
            case "run":
                if server.state.exists():
                    expected = in_whole(server, count_open_sessions=open_sessions)
                    assert told(server.run(count_open_sessions=open_sessions)) == told(expected)
                else:
                    server.run(count_open_sessions=open_sessions)
    shutil.rmtree(path)
