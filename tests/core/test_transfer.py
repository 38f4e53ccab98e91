"""In and out of mod_monthly_visitors' own files: taken over once and for all, and written so that a server goes on."""

import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import made_up
import pytest
from made_up import CELLS, FLAT, FRANKFURT, PARIS, snapshot

from headcount.counting.counted import How
from headcount.counting.month_users import Month, MonthChange
from headcount.counting.taking_over import Outcome, imported_counts
from headcount.engine.assemble import open_run
from headcount.errors import HeadcountError, NoDataError, StateLockedError, UsageError
from headcount.outputs.as_prosody import Shape, to_prosody
from headcount.prosody.names import encode
from headcount.prosody.visitors import read_visitors
from headcount.settings import Settings
from headcount.snapshot import Cell, MonthCounts, Place, Quality
from headcount.state import HostUpdate, Saved, Update
from headcount.state.sqlite import SqliteState
from headcount.tasks.visitors_export import hand_out
from headcount.tasks.visitors_import import Account, take_in
from support import prosody_writes

SAMPLES = Path(__file__).parents[1] / "data" / "prosody-samples"
NOW = float(made_up.NOW)
HOST = "example.com"
LUA = shutil.which("lua5.4")
LOGIN = 'return {\n\t["login"] = {\n\t\t["timestamp"] = %d;\n\t};\n};\n'
MARKER = 'return {\n\t["last-recorded"] = "%s";\n};\n'
FLAT_COUNTS = (
    "return {\n"
    '\t["2026-11"] = {\n\t\t["geo-DE-HE-2925533"] = 2;\n\t\t["client-Dino"] = 1;\n\t\t["client-?"] = 1;\n\t};\n'
    '\t["2019-03"] = {\n\t\t["geo-FR-?-?"] = 7;\n\t\t["client-IOS"] = 7;\n\t};\n};\n'
)


class Server:
    """A server's data directory, and a Headcount whose state is kept for it."""

    def __init__(self, root: Path) -> None:
        self.data = root / "prosody"
        self.data.mkdir(parents=True)
        self.state = root / "state" / "state.db"

    def settings(self, **other: object) -> Settings:
        values = {"source": str(self.data), "state": str(self.state), "timezone": "UTC", **other}
        return Settings(**values)  # type: ignore[arg-type]

    def file(self, name: str, text: str) -> Path:
        path = self.data / os.fsdecode(encode(HOST)) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def marks(self, *users: str, month: str = "2026-11") -> None:
        for user in users:
            prosody_writes(self.data, HOST, "monthly%2dvisitors", user, MARKER % month)

    def logs_in(self, *users: str) -> None:
        for user in users:
            prosody_writes(self.data, HOST, "lastlog2", user, LOGIN % (NOW - 60))

    def takes(self, data: Path | None = None, **how: object) -> Account:
        return take_in(self.settings(), {}, str(data or self.data), now=NOW, **how)  # type: ignore[arg-type]

    def outcomes(self, data: Path | None = None, **how: object) -> dict[str, Outcome]:
        return {taken.month: taken.outcome for taken in self.takes(data, **how).hosts[HOST]}

    def counts(self) -> Mapping[str, Mapping[str, MonthCounts]]:
        """What is counted now, by host and month: read, kept, and read again from what was kept."""
        with open_run(self.settings(), {}, keep="never", now=NOW) as run:
            shown = run.engine.read_once()
        return {host: counts.months for host, counts in shown.hosts.items()}

    def saved(self) -> Saved:
        with SqliteState(self.state, read_only=True) as state:
            return state.load()

    def dumped(self) -> list[str]:
        """All that is kept, as statements."""
        with closing(sqlite3.connect(self.state)) as connection:
            return list(connection.iterdump())

    def kept(self) -> dict[str, dict[str, MonthCounts]]:
        return {
            host: {name: month.counts() for name, month in of_host.months.items()}
            for host, of_host in self.saved().hosts.items()
        }

    def keeps(self, name: str, month: Month) -> None:
        change = MonthChange(set(month.cells))
        with SqliteState(self.state) as state:
            state.save(Update([HostUpdate(HOST, NOW - 60, NOW - 60, {name: (month, change)})]))

    def exports(self, directory: Path, shape: Shape, *, exact: bool = True, **other: object) -> tuple[str, ...]:
        return hand_out(self.settings(**other), {}, str(directory), shape, exact=exact, now=NOW).left_out


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def sample(server: Server, name: str) -> Server:
    shutil.copytree(SAMPLES / name, server.data, dirs_exist_ok=True)
    return server


# What mod_monthly_visitors had counted where it was captured.
COUNTED = {
    "internal-0.12": {"chat.example.org": 2, HOST: 11},
    "internal-13": {"chat.example.org": 2, HOST: 5},
    "internal-nested-visitors": {HOST: 9},
}


@pytest.mark.parametrize("name", COUNTED)
def test_what_was_captured_is_taken_over(server: Server, name: str) -> None:
    account = sample(server, name).takes()
    assert account.problems == ()
    told = {host: [(t.month, t.outcome, t.users, t.marked) for t in months] for host, months in account.hosts.items()}
    assert told == {host: [("2026-11", Outcome.TAKEN, n, n)] for host, n in COUNTED[name].items()}
    for host, users in COUNTED[name].items():
        month = server.kept()[host]["2026-11"]
        assert (month.quality, month.users) == (Quality.IMPORTED, users)
        assert (month.cells is None) is (name != "internal-nested-visitors")


def test_whom_the_module_counted_is_not_counted_again_from_the_same_directory(server: Server) -> None:
    """Of `internal-0.12` the module counted all of those who logged in but one, `alicia`."""
    sample(server, "internal-0.12").takes()
    month = server.counts()[HOST]["2026-11"]
    assert (month.users, month.quality) == (12, Quality.IMPORTED)
    assert month.clients == {"IOS": 5, "ANDROID": 3, "DESKTOP": 2, "?": 2}


@pytest.mark.parametrize("name", COUNTED)
def test_importing_twice_changes_nothing(server: Server, name: str) -> None:
    sample(server, name).takes()
    before = server.dumped()
    assert {taken.outcome for months in server.takes().hosts.values() for taken in months} == {Outcome.THERE}
    assert server.dumped() == before


def test_years_and_this_month_s_users_come_over_together(server: Server) -> None:
    server.file("monthly%2dvisitors.dat", FLAT_COUNTS)
    server.marks("alice", "zoë")
    server.marks("bob", month="2026-10")
    server.logs_in("alice", "zoë", "bob")
    assert server.outcomes() == {"2019-03": Outcome.TAKEN, "2026-11": Outcome.TAKEN}
    months = server.counts()[HOST]
    assert (months["2019-03"].users, months["2026-11"].users) == (7, 3)
    kept = server.saved().hosts[HOST].months
    assert kept["2019-03"].closed
    november = kept["2026-11"]
    hows = [november.counted.get(november.hash_of(HOST, user)) for user in ("alice", "zoë", "bob")]
    assert (hows, len(november.counted)) == ([How.MARKED, How.MARKED, None], 2)


def test_the_file_names_of_before_prosody_0_11_are_read_too(server: Server) -> None:
    server.file("monthly-visitors.dat", FLAT_COUNTS)
    prosody_writes(server.data, HOST, "monthly-visitors", "alice", MARKER % "2026-11")
    server.logs_in("alice")
    account = server.takes()
    assert [(taken.month, taken.marked) for taken in account.hosts[HOST]] == [("2019-03", 0), ("2026-11", 1)]
    assert server.counts()[HOST]["2026-11"].users == 2


def test_a_month_in_files_of_both_names_is_told(server: Server) -> None:
    server.file("monthly-visitors.dat", FLAT_COUNTS)
    server.file("monthly%2dvisitors.dat", FLAT_COUNTS.replace("= 7", "= 9"))
    account = server.takes()
    assert [(problem.what, problem.where) for problem in account.problems] == [
        ("month in two files", f"{HOST}/monthly-visitors.dat")
    ]
    assert server.kept()[HOST]["2019-03"].users == 9
    with pytest.raises(HeadcountError, match="problems: 1"):
        account.require_all()


def test_what_can_not_be_read_is_told_and_the_rest_is_taken(server: Server) -> None:
    server.file("monthly%2dvisitors.dat", FLAT_COUNTS)
    server.marks("alice")
    prosody_writes(server.data, HOST, "monthly%2dvisitors", "bob", "return {\n\t[")
    prosody_writes(server.data, HOST, "monthly%2dvisitors", "carol", "return {};\n")
    broken = server.data / "broken%2eorg"
    broken.mkdir()
    (broken / "monthly%2dvisitors.dat").write_bytes(b"\0" * 64)
    account = server.takes()
    assert sorted((problem.what, problem.where) for problem in account.problems) == [
        ("record of no month", f"{HOST}/monthly%2dvisitors/carol.dat"),
        ("unreadable record", "broken.org/monthly%2dvisitors.dat"),
        ("unreadable record", f"{HOST}/monthly%2dvisitors/bob.dat"),
    ]
    assert server.kept()[HOST]["2026-11"].users == 2


def test_one_host_can_be_asked_for(server: Server) -> None:
    sample(server, "internal-0.12")
    assert list(server.takes(hosts=["CHAT.example.org"]).hosts) == ["chat.example.org"]
    assert list(server.kept()) == ["chat.example.org"]


def test_a_conflict_is_told_with_both_figures_and_the_state_stays(server: Server) -> None:
    server.file("monthly%2dvisitors.dat", FLAT_COUNTS)
    server.keeps("2019-03", Month(Quality.LOWER_BOUND, {Cell(FRANKFURT, "Dino"): 4}, closed=True))
    account = server.takes()
    (conflict, taken) = account.hosts[HOST]
    assert (conflict.outcome, conflict.users) == (Outcome.CONFLICT, 7)
    assert conflict.had == MonthCounts.of(Quality.LOWER_BOUND, {Cell(FRANKFURT, "Dino"): 4})
    assert taken.outcome is Outcome.TAKEN
    assert server.kept()[HOST]["2019-03"] == conflict.had
    line = next(line for line in account.to_text().splitlines() if "2019-03" in line)
    assert line.split()[:8] == [HOST, "2019-03", "conflict", "7", "4", "≥", "4", "≥"]
    with pytest.raises(HeadcountError, match="conflicts: 1"):
        account.require_all()
    assert server.outcomes(replace_ours=True)["2019-03"] is Outcome.REPLACED
    assert server.kept()[HOST]["2019-03"].users == 7


def test_a_dry_run_tells_the_same_and_keeps_nothing(server: Server) -> None:
    server.file("monthly%2dvisitors.dat", FLAT_COUNTS)
    told = server.takes(dry_run=True)
    assert not server.state.parent.exists()
    assert told.hosts == server.takes().hosts


def test_an_engine_that_runs_is_to_be_stopped_first(server: Server) -> None:
    server.file("monthly%2dvisitors.dat", FLAT_COUNTS)
    with SqliteState(server.state), pytest.raises(StateLockedError, match="Stop it first"):
        server.takes()


def test_where_there_is_nothing_to_take_it_is_told(server: Server, tmp_path: Path) -> None:
    server.logs_in("alice")
    with pytest.raises(NoDataError, match="left no counts"):
        server.takes()
    with pytest.raises(NoDataError, match="There is no"):
        server.takes(tmp_path / "nowhere")
    assert not server.state.exists()


def test_the_data_directory_is_never_written_to(server: Server) -> None:
    sample(server, "internal-0.12")
    before = {path: path.stat().st_mtime_ns for path in server.data.rglob("*")}
    server.takes()
    assert {path: path.stat().st_mtime_ns for path in server.data.rglob("*")} == before


# Exports.


@pytest.mark.parametrize("shape", ["flat", "nested"])
def test_what_is_exported_can_be_imported_as_it_was(server: Server, tmp_path: Path, shape: Shape) -> None:
    server.keeps("2026-08", Month(Quality.EXACT, dict(CELLS), closed=True))
    server.keeps("2026-10", Month(Quality.LOWER_BOUND, {Cell(Place("AT", "9"), "Pix-Art -?"): 3}, closed=True))
    server.logs_in("alice", "zoë", "日本")
    before = server.counts()[HOST]
    assert before["2026-11"].users == 3
    assert server.exports(tmp_path / "out", shape) == ()

    fresh = Server(tmp_path / "fresh")
    assert set(fresh.outcomes(tmp_path / "out").values()) == {Outcome.TAKEN}
    for user_store in (server.data / "example%2ecom").iterdir():
        shutil.copytree(user_store, fresh.data / "example%2ecom" / user_store.name)
    after = fresh.counts()[HOST]
    assert {name: (m.users, m.places, m.clients) for name, m in after.items()} == {
        name: (m.users, m.places, m.clients) for name, m in before.items()
    }
    if shape == "nested":
        assert {name: m.cells for name, m in after.items()} == {name: m.cells for name, m in before.items()}
    assert {month.quality for month in after.values()} == {Quality.IMPORTED}


@pytest.mark.parametrize("shape", ["flat", "nested"])
def test_months_as_the_module_writes_them(shape: Shape) -> None:
    other = Cell(Place("AT", "9"), "-")
    shown = snapshot({HOST: made_up.host(_2026_10=MonthCounts.of(Quality.EXACT, {**CELLS, other: 1}))})
    (files,) = to_prosody(shown, shape, {})
    assert files.counts is not None
    (month,) = read_visitors(files.counts).months
    counts = imported_counts(month)
    assert counts.clients == {"Dino": 7, "?": 3, "Gajim": 2, "-": 1}
    if shape == "nested":
        assert counts.cells == {**CELLS, other: 1}
        assert b'["isps_seen"] = {\n\t\t\t\t["?"] = 5;' in files.counts
    else:
        assert b'["geo-DE-HE-2925533"] = 5;' in files.counts
        assert b'["geo-AT-9-?"] = 1;' in files.counts
        assert b'["geo-?-?-?"] = 2;' in files.counts
        assert b'["client--"] = 1;' in files.counts


def test_a_month_of_which_the_margins_alone_are_known_can_not_be_nested(server: Server, tmp_path: Path) -> None:
    shown = snapshot({HOST: made_up.host(_2026_10=FLAT, _2026_11=made_up.MONTH)})
    (files,) = to_prosody(shown, "nested", {})
    assert files.left_out == ("2026-10",)
    assert files.counts is not None
    assert [month.month for month in read_visitors(files.counts).months] == ["2026-11"]

    shown = snapshot({HOST: made_up.host(_2026_10=made_up.MONTH, _2026_11=FLAT)})
    (files,) = to_prosody(shown, "nested", {HOST: ["alice"]})
    assert (files.left_out, files.markers) == (("2026-11",), ())

    server.file("monthly%2dvisitors.dat", FLAT_COUNTS)
    server.marks("alice")
    server.takes()
    assert server.exports(tmp_path / "nested", "nested") == (f"{HOST} 2019-03", f"{HOST} 2026-11")
    assert not (tmp_path / "nested").exists()


def test_who_is_counted_this_month_is_marked_as_the_module_marks_them(server: Server, tmp_path: Path) -> None:
    server.file("monthly%2dvisitors.dat", FLAT_COUNTS)
    server.marks("alice", "gone")
    server.takes()
    shutil.rmtree(server.data / "example%2ecom" / "monthly%2dvisitors")
    server.marks("alice")
    server.logs_in("o.hara")
    prosody_writes(server.data, HOST, "lastlog2", "old", LOGIN % (NOW - 40 * 86_400))
    umask = os.umask(0o777)
    try:
        server.exports(tmp_path / "out", "flat")
    finally:
        os.umask(umask)
    store = tmp_path / "out" / "example%2ecom" / "monthly%2dvisitors"
    assert {path.name: path.read_text() for path in store.iterdir()} == {
        "alice.dat": MARKER % "2026-11",
        "o%2ehara.dat": MARKER % "2026-11",
    }
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o750}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o640}


def test_where_the_module_s_own_count_is_shown_its_own_markers_are_written(server: Server, tmp_path: Path) -> None:
    server.file("monthly%2dvisitors.dat", FLAT_COUNTS)
    server.marks("alice", "bob")
    server.logs_in("carol")
    assert server.counts()[HOST]["2026-11"].users == 2
    server.exports(tmp_path / "out", "flat")
    store = tmp_path / "out" / "example%2ecom" / "monthly%2dvisitors"
    assert {path.name for path in store.iterdir()} == {"alice.dat", "bob.dat"}


def test_an_export_for_others_is_folded_and_names_nobody(server: Server, tmp_path: Path) -> None:
    many = {Cell(FRANKFURT, "Dino"): 20, Cell(PARIS, "Gajim"): 1, Cell(Place("JP"), "Dino"): 9}
    server.keeps("2026-08", Month(Quality.EXACT, many, closed=True))
    server.keeps("2026-09", Month(Quality.EXACT, {Cell(PARIS, "Gajim"): 4}, closed=True))
    server.logs_in(*"abcdef")
    server.exports(tmp_path / "out", "flat", exact=False, min_count=5)
    (path,) = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    months = read_visitors(path.read_bytes()).months
    assert [month.month for month in months] == ["2026-08", "2026-11"]
    counts = imported_counts(months[0])
    assert counts.users == 30
    assert min([*(counts.places or {}).values(), *(counts.clients or {}).values()]) >= 5
    assert not any(place.country in ("FR", "other") for place in counts.places or {})
    assert "other" not in (counts.clients or {})


def test_nothing_is_written_in_the_source_nor_over_anything(server: Server, tmp_path: Path) -> None:
    server.logs_in("alice")
    link = tmp_path / "link"
    link.symlink_to(server.data)
    for directory in (server.data, server.data / "below", link):
        with pytest.raises(UsageError, match="never writes"):
            server.exports(directory, "flat")
    out = tmp_path / "out"
    for name in ("monthly%2dvisitors.dat", "monthly-visitors.dat", "monthly%2dvisitors", "monthly-visitors"):
        taken = out / "example%2ecom" / name
        taken.mkdir(parents=True)
        with pytest.raises(UsageError, match="already"):
            server.exports(out, "flat")
        assert list(out.rglob("*")) == [taken.parent, taken]
        taken.rmdir()
    server.exports(out, "flat")


@pytest.mark.skipif(LUA is None, reason="lua5.4 is not installed: apt-get install lua5.4")
@pytest.mark.parametrize("shape", ["flat", "nested"])
def test_a_module_in_a_real_prosody_goes_on_from_what_was_exported(
    server: Server, tmp_path: Path, shape: Shape
) -> None:
    server.keeps("2026-08", Month(Quality.EXACT, dict(CELLS), closed=True))
    server.logs_in("alice", "o.hara", "日本")
    server.exports(tmp_path / "out", shape)
    before = server.counts()[HOST]
    script = str(Path(__file__).with_name("count_logins.lua"))
    users = ("alice", "日本", "new.one", "o.hara", "new.one", "zoë")
    said = subprocess.run(
        [str(LUA), script, tmp_path / "out", HOST, "2026-11", shape, "JP-13-1850147", "Dino", *users],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (said.stdout.split(), said.stderr) == (["new.one", "zoë"], "")
    data = (tmp_path / "out" / "example%2ecom" / "monthly%2dvisitors.dat").read_bytes()
    reading = read_visitors(data)
    assert reading.problems == ()
    after = {month.month: imported_counts(month) for month in reading.months}
    assert after["2026-08"].places == before["2026-08"].places
    assert after["2026-11"].places == {**(before["2026-11"].places or {}), Place("JP", "13", 1850147): 2}
    assert after["2026-11"].clients == {"?": 3, "Dino": 2}

    assert server.outcomes(tmp_path / "out")["2026-11"] is Outcome.TAKEN
    assert server.counts()[HOST]["2026-11"].users == 5


def test_the_same_state_is_written_in_the_same_bytes(server: Server, tmp_path: Path) -> None:
    server.keeps("2026-08", Month(Quality.EXACT, dict(CELLS), closed=True))
    server.logs_in("alice")
    server.exports(tmp_path / "one", "flat")
    server.exports(tmp_path / "two", "flat")
    one, two = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two
