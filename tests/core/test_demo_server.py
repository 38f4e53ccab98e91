"""The simulated server: what it writes is what Prosody writes, and its past and its files tell one story."""

import os
import shutil
import subprocess
import threading
from collections import Counter
from datetime import UTC
from itertools import count, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from headcount.demo.hosts import HOSTS
from headcount.demo.server import SimulatedServer
from headcount.months import month_of
from headcount.prosody.lua_table import parse
from headcount.prosody.lua_write import serialise
from headcount.prosody.names import decode, encode, encode_store

NOW = 1795320080.0
BERLIN = ZoneInfo("Europe/Berlin")
STORES = {
    "example.com": {"lastlog2", "login_records"},
    "chat.example.org": {"lastlog2", "lastlog", "login_records", "monthly%2dvisitors"},
    "bücher.example": {"account_activity", "login_records"},
}


def simulated(directory, accounts=150, **options):
    return SimulatedServer(directory, **{"now": NOW, "zone": BERLIN, "accounts": accounts, **options})


@pytest.fixture
def server(tmp_path):
    server = simulated(tmp_path)
    server.write_all()
    return server


def files(directory: Path) -> dict[str, bytes]:
    return {
        os.fspath(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def folder(directory: Path, host: str, store: str) -> Path:
    return directory / encode(host).decode() / encode_store(store).decode()


def records(directory: Path, host: str, store: str):
    """What a store says of each user."""
    for path in folder(directory, host, store).iterdir():
        yield decode(os.fsencode(path.stem)), parse(path.read_bytes())


# -- what is written ---------------------------------------------------------------------------------------


def test_a_seed_decides_every_byte(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        server = simulated(tmp_path / name, seed=seed)
        server.write_all()
        server.step(NOW + 300)
    a, b, c = (files(tmp_path / name) for name in "abc")
    assert a == b
    assert a != c


def test_how_often_it_steps_changes_nothing(tmp_path):
    for name, steps in (("once", [600]), ("often", range(0, 601, 3))):
        server = simulated(tmp_path / name)
        for seconds in steps:
            server.step(NOW + seconds)
    assert files(tmp_path / "once") == files(tmp_path / "often")


def test_stores_and_names_are_spelt_as_prosody_does(server, tmp_path):
    for host, stores in STORES.items():
        assert {path.name for path in (tmp_path / encode(host).decode()).iterdir() if path.is_dir()} == stores
    names = [path.name for path in (tmp_path / "example%2ecom/lastlog2").iterdir()]
    assert all(name.endswith(".dat") and decode(os.fsencode(name[:-4])) for name in names)
    assert any("%2b" in name for name in names)
    assert (tmp_path / "chat%2eexample%2eorg/monthly%2dvisitors.dat").is_file()


def test_the_bytes_are_those_of_prosodys_serialiser(server, tmp_path):
    for name, data in files(tmp_path).items():
        assert serialise(parse(data)) == data, name


def test_a_real_lua_loads_every_file(server, tmp_path):
    program = shutil.which("lua5.4")
    if program is None:
        pytest.skip("lua5.4 is not installed: apt-get install lua5.4")
    paths = "\n".join(os.fspath(path) for path in tmp_path.rglob("*.dat") if path.is_file())
    script = "for p in io.lines() do assert(type(assert(loadfile(p, 't', {}))()) == 'table', p) end"
    subprocess.run([program, "-e", script], input=paths, text=True, check=True, timeout=120)


def test_modes_are_prosodys_whatever_the_umask(tmp_path):
    old = os.umask(0o077)
    try:
        simulated(tmp_path / "data").write_all()
    finally:
        os.umask(old)
    for path in (tmp_path / "data").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o750 if path.is_dir() else 0o640), path


def test_a_files_time_is_that_of_its_newest_event(server, tmp_path):
    for path in folder(tmp_path, "bücher.example", "account_activity").iterdir():
        assert int(path.stat().st_mtime) == parse(path.read_bytes())[b"timestamp"]


def test_login_records_say_the_first_login_of_each_month(server, tmp_path):
    for zone, directory in ((BERLIN, tmp_path), (UTC, tmp_path / "utc")):
        if zone is UTC:
            simulated(directory, zone=UTC).write_all()
        months = Counter()
        for _, record in records(directory, "example.com", "login_records"):
            for month, login in record.items():
                assert month_of(login[b"timestamp"], zone) == month.decode()
                assert login.keys() == {b"timestamp", b"ip", b"resource"}
                months[month.decode()] += 1
        assert len(months) == 25
        assert min(months) == "2024-11"
        assert months["2024-11"] < months["2025-10"] < months["2026-10"], "it grows"


def test_older_months_of_one_host_are_as_mod_monthly_visitors_counted_them(server, tmp_path):
    path = folder(tmp_path, "chat.example.org", "monthly-visitors")
    months = parse(path.with_name(path.name + ".dat").read_bytes())
    recorded = {m for _, r in records(tmp_path, "chat.example.org", "login_records") for m in r}
    assert max(months) < min(recorded)
    for counts in months.values():
        by_kind = Counter()
        for key, users in counts.items():
            by_kind[key.split(b"-")[0]] += users
        assert by_kind[b"geo"] == by_kind[b"client"] > 0
    last = Counter(r[b"last-recorded"] for _, r in records(tmp_path, "chat.example.org", "monthly-visitors"))
    assert last.keys() <= months.keys()


def test_a_room_leaves_the_odd_file_that_prosody_leaves(server, tmp_path):
    room = tmp_path / "conference%2eexample%2ecom/lastlog2/room1.dat"
    assert room.read_bytes() == b'return {\n\t["conference.example.com"] = "message";\n};\n'


# -- the past ----------------------------------------------------------------------------------------------


def test_the_past_is_in_order_and_recent(server):
    events = list(server.past_activity())
    assert len(events) > 1000
    assert all(before.when <= after.when for before, after in pairwise(events))
    assert events[0].when >= NOW - 75 * 86400
    assert events[-1].when <= NOW


def test_the_last_event_of_each_user_is_what_the_files_say(server, tmp_path):
    said = {}
    for host in HOSTS:
        for user, record in records(tmp_path, host.name, host.activity[0]):
            if host.activity[0] == "account_activity":
                said[host.name, user] = (record[b"timestamp"], None, None)
            elif kinds := [kind for kind in (b"logout", b"login") if kind in record]:
                kind = max(kinds, key=lambda kind: record[kind][b"timestamp"])
                event = record[kind]
                said[host.name, user] = (event[b"timestamp"], kind.decode(), event[b"ip"].decode())
    last = {(event.host, event.user): event for event in server.past_activity()}
    for key, event in last.items():
        when, kind, address = said[key]
        assert when == event.when
        assert kind in (None, event.kind)
        assert address in (None, event.address)
    for key in said.keys() - last.keys():
        assert said[key][0] < NOW - 75 * 86400


def test_the_first_login_of_a_month_is_its_record(server, tmp_path):
    since = "2026-10"  # the first month that is whole within the past events
    firsts = {}
    for event in server.past_activity():
        month = month_of(event.when, BERLIN)
        if event.kind == "login" and month >= since:
            firsts.setdefault((event.host, event.user, month), (event.when, event.address, event.resource))
    recorded = {
        (host.name, user, month.decode()): (
            login[b"timestamp"],
            login[b"ip"].decode(),
            login[b"resource"].decode(),
        )
        for host in HOSTS
        for user, record in records(tmp_path, host.name, "login_records")
        for month, login in record.items()
        if month.decode() >= since
    }
    assert recorded == firsts


# -- life --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hour", range(0, 24, 4))
def test_something_happens_every_second_or_two_at_any_hour(tmp_path, hour):
    begin = NOW + hour * 3600
    assert simulated(tmp_path, now=begin).step(begin + 300) >= 150


def test_rate_is_how_much_happens(tmp_path):
    slow, fast = (simulated(tmp_path / name, rate=rate) for name, rate in (("slow", 0.5), ("fast", 10)))
    assert slow.step(NOW + 60) * 5 < fast.step(NOW + 60)


def test_step_says_how_many_files_it_wrote(server, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.dat")}
    assert server.step(NOW) == 0
    assert server.step(NOW + 60) > 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.dat")} != before


def test_no_file_is_changed_in_place(server, tmp_path):
    links = tmp_path.with_name("links")
    before = files(tmp_path)
    for name in before:
        (links / name).parent.mkdir(parents=True, exist_ok=True)
        (links / name).hardlink_to(tmp_path / name)
    server.step(NOW + 900)
    assert files(tmp_path) != before
    assert files(links) == before, "whoever had a file open read it to its end"
    assert not list(tmp_path.rglob("*~"))


def test_it_registers_deletes_logs_in_and_logs_out(server, tmp_path):
    before = files(tmp_path)
    server.step(NOW + 3600)
    after = files(tmp_path)
    assert after.keys() - before.keys(), "new accounts"
    gone = before.keys() - after.keys()
    assert gone, "deleted accounts"
    for name in gone:  # with all that was theirs
        host, _, user = name.split("/")
        assert not [other for other in after if other.split("/")[0::2] == [host, user]]
    for kind in (b"login", b"logout"):
        stays = [name for name in before if "/lastlog2/" in name and name in after]
        assert any(parse(before[name]).get(kind) != parse(after[name]).get(kind) for name in stays)


def test_a_new_account_is_registered_logged_in_and_recorded(server, tmp_path):
    known = set(files(tmp_path))
    server.step(NOW + 3600)
    new = [name for name in files(tmp_path) if name not in known and "/lastlog2/" in name]
    assert new
    for name in new:
        record = parse((tmp_path / name).read_bytes())
        assert record.keys() >= {b"registered", b"login"}
        assert (tmp_path / name.replace("/lastlog2/", "/login_records/")).is_file()


def test_it_never_writes_the_future_and_file_times_bound_their_timestamps(server, tmp_path):
    server.step(NOW + 3600)
    for store in ("lastlog2", "login_records"):
        for path in folder(tmp_path, "example.com", store).iterdir():
            newest = max(event[b"timestamp"] for event in parse(path.read_bytes()).values())
            assert newest <= path.stat().st_mtime <= NOW + 3600


def test_the_number_online_stays_near_the_usual(tmp_path):
    def online():
        return sum(
            record[b"login"][b"timestamp"] > record.get(b"logout", {b"timestamp": 0})[b"timestamp"]
            for _, record in records(tmp_path, "example.com", "lastlog2")
            if b"login" in record
        )

    server = simulated(tmp_path, accounts=400)
    server.write_all()
    usual = online()
    server.step(NOW + 3600)
    assert usual / 3 < online() < usual * 3


def test_a_store_directory_that_was_removed_comes_back(server, tmp_path):
    shutil.rmtree(tmp_path / "example%2ecom")
    server.step(NOW + 300)
    assert list((tmp_path / "example%2ecom/lastlog2").iterdir())


def test_a_month_that_begins_gives_new_login_records(server, tmp_path):
    # 30 November to 1 December 2026 in Berlin
    server.step(1796079600.0 - 600)
    server.step(1796079600.0 + 600)
    months = {month for _, record in records(tmp_path, "example.com", "login_records") for month in record}
    assert b"2026-12" in months


def test_a_long_sleep_is_not_caught_up_in_full(tmp_path):
    assert simulated(tmp_path).step(NOW + 10 * 86400) < 3 * 3600


def test_an_empty_server_lives_too(tmp_path):
    server = simulated(tmp_path, accounts=0)
    server.write_all()
    assert server.step(NOW + 1800) > 0
    assert list(server.past_activity()) == []


def test_run_steps_by_its_clock_until_told_to_stop(tmp_path):
    server = simulated(tmp_path)
    stop = threading.Event()
    ticks = count(1)

    def clock():
        tick = next(ticks)
        if tick == 5:
            stop.set()
        return NOW + 60 * tick

    server.run(stop, clock, interval=0)
    assert next(ticks) == 6
    assert files(tmp_path)
