"""The command as it is typed: what it prints, what it exits with, and that it never ends in a traceback."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from headcount import __version__
from headcount.cli import main
from headcount.counting.month_users import Month, MonthChange
from headcount.snapshot import Cell, Place, Quality
from headcount.state import HostUpdate, Update
from headcount.state.sqlite import SqliteState
from support import unprivileged

SAMPLES = Path(__file__).parents[1] / "data" / "prosody-samples"
AT = ("--at", "2026-11-22T05:00:00Z", "--timezone", "UTC")

# Where the addresses in the samples are, as a City database tells it.
PLACES = {
    "1.1.1.1": ("AU", "VIC", 2151718),
    "8.8.8.8": ("US", None, None),
    "128.32.240.1": ("US", "CA", 5327684),
    "129.132.1.1": ("CH", "ZH", 2657896),
    "133.11.0.1": ("JP", None, None),
    "141.84.149.208": ("DE", "BY", 2867714),
    "193.170.1.1": ("AT", "9", 2761369),
    "202.112.0.44": ("CN", "BJ", 1816670),
}


class Said(NamedTuple):
    """What a command said: its exit code, its output, its errors."""

    code: int
    out: str
    err: str


Headcount = Callable[..., Said]


@pytest.fixture(scope="module")
def mmdb(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("geo") / "city.mmdb"
    writer = MMDBWriter(6, "GeoLite2-City", ipv4_compatible=True)
    for address, (country, subdivision, city) in PLACES.items():
        record: dict[str, Any] = {"country": {"iso_code": country}}
        if subdivision:
            record |= {"subdivisions": [{"iso_code": subdivision}], "city": {"geoname_id": city}}
        writer.insert_network(IPSet([address]), record)
    writer.to_db_file(str(path))
    return str(path)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path, state: Path, mmdb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("HEADCOUNT_", "XDG_", "STATE_DIRECTORY"))]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(home / variable.lower()))
    monkeypatch.setenv("HEADCOUNT_STATE", str(state))
    monkeypatch.setenv("HEADCOUNT_MMDB_PATH", mmdb)
    monkeypatch.setattr("headcount.settings.USUAL_CONFIG", tmp_path / "no.toml")
    monkeypatch.setattr("headcount.settings.USUAL_SOURCES", (str(tmp_path / "no source"),))


@pytest.fixture
def headcount(capsys: pytest.CaptureFixture[str]) -> Headcount:
    def run(*arguments: str | Path) -> Said:
        code = main([str(argument) for argument in arguments])
        said = Said(code, *capsys.readouterr())
        assert "Traceback" not in said.err
        assert bool(said.code) == bool(said.err), "an error is told on standard error, and nothing else is"
        assert not (said.code and said.out), "what failed prints no data"
        return said

    return run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of captured data, to do something to."""
    return Path(shutil.copytree(SAMPLES / "internal-0.12", tmp_path / "prosody"))


def described(root: Path) -> dict[str, tuple[int, int, bytes | None]]:
    """Everything below a directory: kinds and rights, change times, contents."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else None,
        )
        for path in [root, *root.rglob("*")]
    }


# What was captured, counted by hand from the files.
FIGURES = {
    "internal-0.12": {
        "chat.example.org": {"AU": 1, "US": 1},
        "example.com": {"?": 1, "AT": 1, "AU": 1, "CH": 1, "CN": 1, "DE": 1, "JP": 1, "US": 5},
    },
    "internal-13": {
        "chat.example.org": {"AU": 1, "US": 1},
        "example.com": {"AU": 1, "CH": 1, "DE": 1, "US": 2},
    },
    "internal-nested-visitors": {
        "example.com": {"AT": 1, "AU": 1, "CH": 1, "CN": 1, "DE": 2, "JP": 1, "US": 3},
    },
}


@pytest.mark.parametrize("sample", FIGURES)
def test_json_of_what_was_captured(headcount: Headcount, sample: str) -> None:
    told = json.loads(headcount("report", SAMPLES / sample, *AT, "--format", "json").out)
    assert (told["generated_at"], told["timezone"]) == ("2026-11-22T05:00:00Z", "UTC")
    assert told["source"] == str(SAMPLES / sample)
    assert told["problems"] == []
    assert list(told["hosts"]) == list(FIGURES[sample])  # a component is no host
    for host, by_country in FIGURES[sample].items():
        everyone = sum(by_country.values())
        found = told["hosts"][host]
        assert found["users_known"] == everyone
        assert found["open_sessions"] == 0
        assert found["active_users"] == {"1d": everyone, "7d": everyone, "30d": everyone}
        assert found["active_users_by_country"] == {
            country: {"1d": users, "7d": users, "30d": users} for country, users in by_country.items()
        }
        assert found["months"]["2026-11"]["users"] == everyone


def test_a_user_stays_in_the_place_of_the_first_login_of_the_month(headcount: Headcount) -> None:
    """`newbie` logged in from Australia and logged out in the United States."""
    told = json.loads(headcount("report", SAMPLES / "internal-0.12", *AT, "--format", "json").out)
    month = told["hosts"]["example.com"]["months"]["2026-11"]
    assert month["quality"] == "lower bound"
    assert month["clients"] == [{"client": "?", "users": 12}]
    assert [(p["country"], p["subdivision"], p["city"], p["users"]) for p in month["places"]] == [
        ("US", None, None, 3),
        ("AU", "VIC", 2151718, 2),
        (None, None, None, 1),
        ("AT", "9", 2761369, 1),
        ("CH", "ZH", 2657896, 1),
        ("CN", "BJ", 1816670, 1),
        ("DE", "BY", 2867714, 1),
        ("JP", None, None, 1),
        ("US", "CA", 5327684, 1),
    ]


def test_the_table_of_what_was_captured(headcount: Headcount) -> None:
    lines = headcount("report", SAMPLES / "internal-13", *AT).out.splitlines()
    assert lines[0] == f"Headcount of {SAMPLES / 'internal-13'} at 2026-11-22 05:00:00 UTC"
    assert lines[1].startswith("chat.example.org, example.com: 7 users known; places by GeoLite2-City")
    assert "DAU      7  last 24 h" in lines
    assert "MAU      7  last 30 days" in lines
    assert "2026-11 so far: ≥ 7 month users" in lines
    assert "Australia          3  42.9%" in lines
    assert "?           7  100.0%" in lines


def test_csv_of_what_was_captured(headcount: Headcount) -> None:
    out = headcount("report", SAMPLES / "internal-13", *AT, "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert rows[0] == {
        "host": "chat.example.org",
        "figure": "month users",
        "period": "2026-11",
        "quality": "lower bound",
        "country": "AU",
        "subdivision": "VIC",
        "city": "2151718",
        "name": rows[0]["name"],
        "client": "?",
        "users": "1",
    }
    of_month = [int(row["users"]) for row in rows if row["figure"] == "month users"]
    active = [int(row["users"]) for row in rows if (row["figure"], row["period"]) == ("active users", "7d")]
    assert sum(of_month) == sum(active) == 7


@pytest.mark.parametrize(
    ("at", "users"),
    [
        ("2026-11-23T04:03:00Z", {"1d": 12, "7d": 12, "30d": 12}),
        ("1795406643", {"1d": 9, "7d": 12, "30d": 12}),  # o.hara, dash-user, under_score: a day ago to the second
        ("2026-11-23T05:04:18+01:00", {"1d": 5, "7d": 12, "30d": 12}),  # 04:04:18 in UTC
        ("2026-11-29T04:05:59", {"1d": 0, "7d": 0, "30d": 12}),
        ("2026-12-22 04:05:58", {"1d": 0, "7d": 0, "30d": 2}),
        ("2026-12-22 04:05:59", {"1d": 0, "7d": 0, "30d": 0}),
    ],
)
def test_the_report_is_of_the_second_that_is_asked_for(headcount: Headcount, at: str, users: dict[str, int]) -> None:
    asked = ("--at", at, "--timezone", "UTC", "--format", "json")
    told = json.loads(headcount("report", SAMPLES / "internal-0.12", *asked).out)
    assert told["hosts"]["example.com"]["active_users"] == users


def test_a_time_without_a_zone_is_in_the_reports_own(headcount: Headcount) -> None:
    asked = ("--at", "2026-11-22T14:00:00", "--timezone", "Asia/Tokyo", "--format", "json")
    told = json.loads(headcount("report", SAMPLES / "internal-13", *asked).out)
    assert (told["generated_at"], told["timezone"]) == ("2026-11-22T05:00:00Z", "Asia/Tokyo")


def test_it_can_be_narrowed(headcount: Headcount) -> None:
    def active(*asked: str) -> dict[str, int]:
        told = json.loads(headcount("report", SAMPLES / "internal-0.12", *AT, "--format", "json", *asked).out)
        return {host: found["active_users"]["30d"] for host, found in told["hosts"].items()}

    assert active() == {"chat.example.org": 2, "example.com": 12}
    assert active("--host", "example.com") == {"example.com": 12}
    assert active("--country", "us") == {"chat.example.org": 1, "example.com": 5}
    assert active("--country", "?") == {"chat.example.org": 0, "example.com": 1}
    assert active("--client", "?") == {"chat.example.org": 2, "example.com": 12}
    assert active("--client", "Dino") == {"chat.example.org": 0, "example.com": 0}
    assert active("--host", "example.com", "--country", "DE", "--client", "?") == {"example.com": 1}


def test_case_does_not_matter_names_do_and_a_second_host_is_one_more(headcount: Headcount) -> None:
    def told(*asked: str) -> dict[str, object]:
        said = headcount("report", SAMPLES / "internal-0.12", *AT, "--format", "json", *asked)
        assert said.code == 0
        return json.loads(said.out)["hosts"]  # type: ignore[no-any-return]

    assert told("--host", "EXAMPLE.com") == told("--host", "example.com")
    both = told("--host", "example.com", "--host", "chat.EXAMPLE.org")
    assert both == {**told("--host", "example.com"), **told("--host", "chat.example.org")} == told()
    assert list(told("--host", "chat.example.org", "--host", "chat.example.org")) == ["chat.example.org"]
    assert told("--country", "us") == told("--country", "United States") == told("--country", "US") != told()
    assert told("--client", "DINO") == told("--client", "dino") == told("--client", "Dino")


def test_what_there_is_but_nobody_uses_gives_zeros_and_no_failure(headcount: Headcount, source: Path) -> None:
    """A nightly script must not fail on the first of a month, nor before the first user of a host."""
    (source / "empty%2eexample%2ecom" / "lastlog2").mkdir(parents=True)
    nobody = {"1d": 0, "7d": 0, "30d": 0}
    asked_for = (
        ["--country", "bt"],
        ["--country", "Antarctica"],
        ["--client", "monal"],
        ["--host", "empty.example.com"],
    )
    for asked in asked_for:
        for form in ("json", "csv", "table"):
            assert headcount("report", source, *AT, *asked, "--format", form).code == 0
        found = json.loads(headcount("report", source, *AT, *asked, "--format", "json").out)["hosts"]
        assert found
        assert all(host["active_users"] == nobody for host in found.values())
    for month in ("2026-11", "2026-09", "1999-12"):
        assert headcount("report", source, *AT, "--month", month).code == 0


def test_one_month_can_be_asked_for(headcount: Headcount) -> None:
    def months(name: str) -> list[list[str]]:
        asked = (*AT, "--format", "json", "--month", name)
        told = json.loads(headcount("report", SAMPLES / "internal-0.12", *asked).out)
        return [list(found["months"]) for found in told["hosts"].values()]

    assert months("2026-11") == [["2026-11"], ["2026-11"]]
    assert months("2026-10") == [[], []]
    assert "2026-10: not counted" in headcount("report", SAMPLES / "internal-0.12", *AT, "--month", "2026-10").out


def test_what_the_module_counted_is_shown_where_there_is_nothing_else(headcount: Headcount, source: Path) -> None:
    host = source / "example%2ecom"
    for store in ("lastlog", "lastlog2"):
        shutil.rmtree(host / store)
    told = json.loads(headcount("report", source, *AT, "--format", "json").out)["hosts"]["example.com"]
    month = told["months"]["2026-11"]
    assert (told["users_known"], month["users"], month["quality"], month["cells"]) == (0, 11, "imported", None)
    assert month["clients"] == [
        {"client": "IOS", "users": 5},
        {"client": "ANDROID", "users": 3},
        {"client": "DESKTOP", "users": 2},
        {"client": "?", "users": 1},
    ]
    both = json.loads(headcount("report", source, *AT, "--format", "json", "--country", "US", "--client", "IOS").out)
    assert both["hosts"]["example.com"]["months"] == {}  # two margins cannot tell


def test_what_was_kept_is_in_the_report(headcount: Headcount, state: Path) -> None:
    keep_october(state)
    told = json.loads(headcount("report", SAMPLES / "internal-0.12", *AT, "--format", "json").out)
    month = told["hosts"]["example.com"]["months"]["2026-10"]
    assert (month["users"], month["quality"]) == (40, "exact")
    lines = headcount("report", SAMPLES / "internal-0.12", *AT, "--month", "2026-10").out.splitlines()
    assert "2026-10: = 40 month users" in lines


def keep_october(state: Path) -> None:
    cell = Cell(Place("DE"), "Dino")
    change = Month(Quality.EXACT, {cell: 40}, closed=True), MonthChange({cell}, closed=True)
    with SqliteState(state) as kept:
        kept.save(Update([HostUpdate("example.com", 1.0, 1_795_320_000.0, {"2026-10": change})]))


@pytest.mark.parametrize("form", ["table", "json", "csv"])
@pytest.mark.parametrize("has_state", [False, True])
def test_a_report_writes_nothing(
    headcount: Headcount, source: Path, state: Path, tmp_path: Path, form: str, has_state: bool
) -> None:
    if has_state:
        keep_october(state)
    before = described(tmp_path)
    assert headcount("report", source, *AT, "--format", form).code == 0
    assert described(tmp_path) == before
    assert has_state or not state.parent.exists()


def test_a_report_beside_an_engine_neither_waits_nor_writes(headcount: Headcount, source: Path, state: Path) -> None:
    keep_october(state)
    with SqliteState(state):
        names, content = set(os.listdir(state.parent)), state.read_bytes()
        assert "2026-10" in headcount("report", source, *AT).out
        assert (set(os.listdir(state.parent)), state.read_bytes()) == (names, content)


def test_without_a_command_and_a_terminal_it_is_a_report(headcount: Headcount, tmp_path: Path) -> None:
    before = described(tmp_path)
    for arguments in (
        [SAMPLES / "internal-13"],
        ["screen", SAMPLES / "internal-13"],
        ["--no-color", SAMPLES / "internal-13"],
    ):
        said = headcount(*arguments, "--timezone", "UTC", "--host", "example.com")
        assert said.code == 0
        assert "example.com: 5 users known" in said.out
        assert "2026-11" in said.out
    assert described(tmp_path) == before


def test_options_may_stand_before_the_command(headcount: Headcount) -> None:
    said = headcount(
        "--timezone", "UTC", "--host", "example.com", "report", SAMPLES / "internal-13", "--at", "1795323600"
    )
    assert "example.com: 5 users known" in said.out


def test_the_source_can_be_set_elsewhere(headcount: Headcount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_text(f'source = "{SAMPLES / "internal-13"}"\ntimezone = "Asia/Tokyo"\n')
    assert "14:00:00 Asia/Tokyo" in headcount("report", "--config", config, "--at", "1795323600").out
    monkeypatch.setenv("HEADCOUNT_SOURCE", str(SAMPLES / "internal-0.12"))
    assert "14 users known" in headcount("report", "--config", config, "--at", "1795323600").out


@pytest.mark.parametrize("command", [["report"], ["screen"], []])
def test_a_source_with_nothing_in_it(headcount: Headcount, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "empty").mkdir()
    empty = headcount(*command, tmp_path / "empty")
    assert empty.code == 3
    missing = headcount(*command, tmp_path / "missing")
    assert missing.code == 3
    assert f"There is no {tmp_path / 'missing'}" in missing.err
    assert headcount(*command).code == 3  # nothing in the usual places


def test_nobody_recorded_says_how_to_record(headcount: Headcount, tmp_path: Path) -> None:
    (tmp_path / "example%2ecom" / "accounts").mkdir(parents=True)
    said = headcount("report", tmp_path)
    assert said.code == 3
    assert "lastlog2" in said.err


def test_a_source_that_is_no_directory(headcount: Headcount, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path / "file" / "below", "postgresql://user:secret@host/db", "a\0b", ""):
        said = headcount("report", wrong)
        assert said.code == 2, wrong
        assert "secret" not in said.err


def test_a_source_that_may_not_be_read(headcount: Headcount, open_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADCOUNT_STATE", str(open_tmp / "state.db"))
    monkeypatch.setenv("HEADCOUNT_MMDB_PATH", "")
    source = open_tmp / "prosody"
    shutil.copytree(SAMPLES / "internal-13", source)
    source.chmod(0o700)
    with unprivileged():
        for command in (["report"], []):
            said = headcount(*command, source)
            assert said.code == 4
            assert str(source) in said.err
            assert "usermod" in said.err


def test_one_host_that_may_not_be_read_is_a_problem_and_the_rest_is_told(
    headcount: Headcount, open_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADCOUNT_STATE", str(open_tmp / "state.db"))
    monkeypatch.setenv("HEADCOUNT_MMDB_PATH", "")
    source = open_tmp / "prosody"
    shutil.copytree(SAMPLES / "internal-13", source)
    (source / "example%2ecom").chmod(0o700)
    with unprivileged():
        told = json.loads(headcount("report", source, *AT, "--format", "json").out)
    assert told["hosts"]["chat.example.org"]["users_known"] == 2
    assert "example%2ecom" in told["problems"][0]["example"] or "example.com" in told["problems"][0]["example"]


def test_no_host_that_may_be_read_is_a_matter_of_permission(
    headcount: Headcount, open_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADCOUNT_STATE", str(open_tmp / "state.db"))
    monkeypatch.setenv("HEADCOUNT_MMDB_PATH", "")
    source = open_tmp / "prosody"
    shutil.copytree(SAMPLES / "internal-13", source)
    for host in source.iterdir():
        host.chmod(0o700)
    with unprivileged():
        said = headcount("report", source)
    assert said.code == 4
    assert str(source) in said.err


def test_a_configuration_that_may_not_be_read(headcount: Headcount, open_tmp: Path) -> None:
    (open_tmp / "x.toml").write_text("")
    (open_tmp / "x.toml").chmod(0)
    with unprivileged():
        assert headcount("report", "--config", open_tmp / "x.toml").code == 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--at", "yesterday"], "yesterday is not a time"),
        (["--at", "nan"], "nan is not a time that has a date"),
        (["--at", "-5"], "-5 is not a time that has a date"),
        (["--at", "0"], "0 is not a time that has a date"),
        (["--at", "1e300"], "1e300 is not a time that has a date"),
        (["--at", "9999-12-31T23:59:59Z"], "is not a time that has a date"),
        (["--at", "9999-12-31T23:59:59Z", "--timezone", "Asia/Tokyo"], "is not a time that has a date"),
        (["--at", "0001-01-01", "--timezone", "Asia/Tokyo"], "is not a time that has a date"),
        (["--at", "2026-13-01"], "2026-13-01 is not a time"),
        (["--at", ""], " is not a time"),
        (["--month", "2026-13"], "2026-13 is no month"),
        (["--month", "november"], "november is no month"),
        (["--month", "٢٠٢٦-11"], "is no month"),
        (["--month", ""], "Which month?"),
        (["--country", "UK"], "No country UK is known.\n  Did you mean GB (United Kingdom)?"),
        (["--country", "Ger"], "No country Ger is known.\n  Did you mean"),
        (["--country", "D1"], "No country D1 is known."),
        (["--country", ""], "Which country?"),
        (["--client", ""], "Which client?"),
        (["--client", "Gaijm"], "No client Gaijm is known.\n  Did you mean Gajim?"),
        (["--client", "Convers"], "No client Convers is known.\n  Did you mean Convers"),
        (["--host", "exampel.com"], "No host exampel.com is known.\n  Did you mean example.com?"),
        (["--host", "example.com", "--host", "exampel.com"], "No host exampel.com is known."),
        (["--month", "2099-01"], "2099-01 has not begun.\n  The newest month is "),
        (
            ["--at", "2026-10-22T00:00:00Z", "--month", "2026-11"],
            "2026-11 has not begun.\n  The newest month is 2026-10.",
        ),
        (["--host", ""], "Which host?"),
        (["--format", "xml"], "Argument --format: invalid choice: 'xml'"),
        (["--form", "json"], "Unrecognized arguments: --form"),
        (["--bogus"], "Unrecognized arguments: --bogus"),
        (["--at"], "Argument --at: expected one argument"),
        (["one", "two"], "Unrecognized arguments: "),
        (["--timezone", "Europe/Atlantis"], "--timezone: timezone = 'Europe/Atlantis'"),
        (["--log-level", "loud"], "--log-level: log_level = 'loud'"),
        (["--config", "/no/such/file.toml"], "There is no configuration file /no/such/file.toml"),
        (["--mmdb", "/no/such/file.mmdb"], "There is no GeoIP database /no/such/file.mmdb"),
        (["--mmdb", ""], "--mmdb: mmdb_path = ['']"),
        (["--state", "mysql://x/y"], "The state can't be kept in mysql"),
        (["--state", ""], "--state: state = ''"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(headcount: Headcount, arguments: list[str], told: str) -> None:
    said = headcount("report", SAMPLES / "internal-0.12", *arguments)
    assert said.code == 2
    assert told in said.err
    assert said.err.startswith("headcount: ")


def test_a_broken_database_is_refused(headcount: Headcount, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mmdb"
    for content in (b"", b"no database at all" * 1000):
        broken.write_bytes(content)
        said = headcount("report", SAMPLES / "internal-13", *AT, "--mmdb", broken)
        assert said.code == 2
        assert str(broken) in said.err


def test_a_broken_state_is_told(headcount: Headcount, state: Path) -> None:
    state.parent.mkdir()
    state.write_bytes(b"no state at all" * 1000)
    said = headcount("report", SAMPLES / "internal-13", *AT)
    assert said.code == 1
    assert "Move it away" in said.err
    assert state.read_bytes() == b"no state at all" * 1000


def test_a_bad_variable_is_refused(headcount: Headcount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADCOUNT_TIMEZOME", "UTC")
    said = headcount("report", SAMPLES / "internal-13")
    assert (said.code, said.err.splitlines()) == (
        2,
        ["headcount: HEADCOUNT_TIMEZOME: there is no setting timezome.", "  Did you mean timezone?"],
    )


def test_a_misspelt_command_is_no_data_directory(
    headcount: Headcount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = headcount("reprot", "--format", "json")
    assert (said.code, said.out) == (2, "")
    assert "Did you mean headcount report?" in said.err
    (tmp_path / "reprot").mkdir()
    assert headcount("reprot").code == 3


ESCAPE = "\x1b[31m"


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_names_on_disk_cannot_speak_to_the_terminal(headcount: Headcount, source: Path, form: str) -> None:
    (source / "example%2ecom").rename(source / "%1b%5b31m%e2%80%ae%0aexample%2ecom")
    (source / f"{ESCAPE}raw").mkdir()
    (source / "%1b%5b31m%e2%80%ae%0aexample%2ecom" / "lastlog2" / "%1b%5b31mx.dat").write_text("return \x1b[31m")
    said = headcount("report", source, *AT, "--format", form)
    assert "name is not canonical" in said.out or form == "csv"
    for harmful in ("\x1b", "\\u001b", "\u202e"):
        assert harmful not in said.out
    refused = headcount("report", source, *AT, "--host", ESCAPE)
    assert refused.code == 2
    assert "\x1b" not in refused.err


def test_what_was_typed_cannot_speak_to_the_terminal(headcount: Headcount, tmp_path: Path) -> None:
    for arguments in (
        [tmp_path / ESCAPE],
        [SAMPLES, f"--{ESCAPE}"],
        [SAMPLES, "--month", ESCAPE],
        [SAMPLES, "--country", ESCAPE],
        [SAMPLES, "--at", ESCAPE],
        [SAMPLES, "--config", ESCAPE],
        [SAMPLES, "--mmdb", ESCAPE],
        [SAMPLES, "--format", ESCAPE],
    ):
        assert "\x1b" not in headcount("report", *arguments).err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"headcount {__version__}\n"
    for arguments in (["--help"], ["report", "--help"], ["engine", "--help"], ["screen", "--help"], ["demo", "--help"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 0
        assert "usage: headcount" in capsys.readouterr().out


def python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs Python in a process of its own, in the environment of the test."""
    core = str(Path(__file__).parents[2] / "core")
    environment = {**os.environ, "PYTHONPATH": core, **options.pop("env", {})}
    options = {"capture_output": True, "encoding": "utf-8", "timeout": 120, **options}
    return subprocess.run([sys.executable, *arguments], env=environment, check=False, **options)


SCREENLESS = """
import logging, os, signal, sys
from headcount.cli import main
class StopAtFirstWord(logging.Handler):
    def emit(self, record):
        os.kill(os.getpid(), signal.SIGTERM)
logging.getLogger("headcount").addHandler(StopAtFirstWord())
code = 0
try:
    code = main(sys.argv[1:])
except SystemExit:
    pass
assert code == 0, code
drawn = sorted({name.split(".")[0] for name in sys.modules} & {"textual", "rich", "headcount_tui"})
assert not drawn, drawn
"""


@pytest.mark.parametrize("command", ["--version", "report", "engine", "screen"])
def test_what_draws_no_screen_never_imports_one(command: str) -> None:
    source = [] if command == "--version" else [str(SAMPLES / "internal-13"), "--timezone", "UTC"]
    done = python("-c", SCREENLESS, command, *source, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr


REPORT = ("-m", "headcount", "report", str(SAMPLES / "internal-13"), *AT)


def test_a_terminal_that_has_not_every_letter_gets_the_report_all_the_same() -> None:
    for encoding in ("ascii", "latin-1"):
        done = python(*REPORT, env={"PYTHONIOENCODING": encoding}, encoding=encoding)
        assert (done.returncode, done.stderr) == (0, "")
        assert "2026-11 so far: ? 7 month users" in done.stdout


def test_json_is_utf8_wherever_it_goes() -> None:
    done = python(*REPORT, "--format", "json", env={"PYTHONIOENCODING": "latin-1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zürich" in done.stdout


@pytest.fixture
def full() -> Iterator[io.TextIOWrapper]:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "w") as file:
        yield file


def test_a_full_disk_is_told(full: io.TextIOWrapper) -> None:
    done = python(*REPORT, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == "headcount: The output can't be written: No space left on device.\n"


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = python(*REPORT, capture_output=False, stdout=write, stderr=subprocess.PIPE)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_output_at_all_is_no_error() -> None:
    closed = "import os, sys; os.close(1); os.close(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    for arguments in (REPORT, ("-m", "headcount", str(SAMPLES / "internal-13"), "--timezone", "UTC")):
        done = python("-c", closed, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
