"""A report on a data directory with known answers: everything in it is counted exactly, odd files and all.

The expected figures are reckoned here from what was written, in the plainest way and without any of Headcount's own.
"""

import json
import os
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mmdb_writer
import netaddr
import pytest

from headcount.cli import main
from headcount.prosody.lua_table import as_lua
from headcount.prosody.lua_write import serialise
from support import prosody_writes

AT = int(datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp())
DAY = 86_400
CITIES = {
    "203.0.113": ("DE", "HE", 2925533),
    "198.51.100": ("FR", "IDF", 2988507),
    "192.0.2": ("US", None, None),
}
CLIENTS = {"Conversations.AbCd": "Conversations", "dino.7c1f2e3d": "Dino", "tablet": "?"}
STORES = ("lastlog2", "lastlog", "account_activity")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = mmdb_writer.MMDBWriter(4, "Test-City")
    for net, (country, subdivision, city) in CITIES.items():
        record: dict[str, Any] = {"country": {"iso_code": country}}
        if subdivision:
            record["subdivisions"] = [{"iso_code": subdivision}]
            record["city"] = {"geoname_id": city, "names": {"en": "A city"}}
        writer.insert_network(netaddr.IPSet([f"{net}.0/24"]), record)
    path = tmp_path_factory.mktemp("mmdb") / "city.mmdb"
    writer.to_db_file(str(path))
    return path


def month(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m")


def write(root: Path, host: str, store: str, user: str, value: object) -> None:
    prosody_writes(root, host, store, user, serialise(as_lua(value)).decode())


class Expected:
    """What a report on what was written must say of one host."""

    def __init__(self) -> None:
        self.known = 0
        self.active: Counter[str] = Counter()
        self.by_country: Counter[tuple[str, str]] = Counter()
        self.open_sessions = 0
        self.cells: dict[str, Counter[tuple[Any, ...]]] = {}

    def visit(self, name: str, place: tuple[Any, ...], client: str) -> None:
        self.cells.setdefault(name, Counter())[*place, client] += 1

    def present(self, last: float, country: str) -> None:
        for window, days in (("1d", 1), ("7d", 7), ("30d", 30)):
            if AT - last < days * DAY:
                self.active[window] += 1
                self.by_country[country, window] += 1


def place_of(address: str | None) -> tuple[Any, ...]:
    return CITIES.get((address or "").rsplit(".", 1)[0], (None, None, None))


def random_user(dice: random.Random, root: Path, host: str, user: str, expected: Expected) -> None:
    """Writes one user with a login and perhaps a logout, a store or several, and login records of some months."""
    expected.known += 1
    age = dice.choice([dice.random() * 2, dice.random() * 14, dice.random() * 60, dice.random() * 700]) * DAY
    login = AT - int(age) - 1
    logout = login + dice.randrange(1, 3000) if dice.random() < 0.7 else None
    if logout is not None and logout >= AT:
        logout = None
    address = f"{dice.choice([*CITIES, '127.0.0', '10.1.2'])}.{dice.randrange(1, 250)}"
    has_records = dice.random() < 0.6

    entry: dict[str, Any] = {"login": {"timestamp": login, "ip": address}}
    if logout is not None:
        entry["logout"] = {"timestamp": logout, "ip": address}
    write(root, host, "lastlog2", user, entry)
    if dice.random() < 0.5:
        last = {"event": "logout" if logout else "login", "timestamp": logout or login, "ip": address}
        write(root, host, "lastlog", user, last)
    if dice.random() < 0.3:
        write(root, host, "account_activity", user, {"timestamp": logout or login})

    recorded: dict[str, Any] = {}
    if has_records:
        for back in {0, dice.randrange(1, 400), dice.randrange(1, 400)}:
            when = login - back * DAY
            if month(when) not in recorded or when < recorded[month(when)]["timestamp"]:
                there = address if back == 0 else f"{dice.choice([*CITIES])}.{dice.randrange(1, 250)}"
                recorded[month(when)] = {"timestamp": when, "ip": there, "resource": dice.choice([*CLIENTS])}
        write(root, host, "login_records", user, recorded)

    months = {month(when) for when in (login, logout) if when} | set(recorded)
    for name in months:
        if name in recorded:
            expected.visit(name, place_of(recorded[name]["ip"]), CLIENTS[recorded[name]["resource"]])
        else:
            expected.visit(name, place_of(address), "?")
    expected.present(logout or login, place_of(address)[0] or "?")
    expected.open_sessions += logout is None and AT - login < 30 * DAY


def odd_files(root: Path, host: str, expected: Expected) -> None:
    """What is there besides users, and what of it counts."""
    store = root / os.fsdecode(b"example%2ecom") / "lastlog2"
    good = serialise(as_lua({"login": {"timestamp": AT - 5}}))
    (store / "raw.name.dat").write_bytes(good)
    (store / "bad%zz.dat").write_bytes(good)
    (store / "left.dat~").write_bytes(good)
    (store / "notes.txt").write_bytes(good)
    (store / "cut.dat").write_bytes(good[:-20])
    (store / "nul.dat").write_bytes(b"\0" * 64)
    (store / "empty.dat").write_bytes(b"")
    (store / "nothing.dat").write_bytes(b"return {};\n")
    for name, value in {
        "zero": {"login": {"timestamp": 0}},
        "negative": {"login": {"timestamp": -5}},
        "text": {"login": {"timestamp": "1795320350"}},
        "nan": {"login": {"timestamp": float("nan")}},
        "number": {"login": 5},
        "registered": {"registered": {"timestamp": AT - 5}},
    }.items():
        write(root, host, "lastlog2", name, value)
    expected.known += 2 + 6  # cut and nul are somebody's; empty and nothing are as good as absent
    write(root, host, "lastlog2", "half", {"login": 5, "logout": {"timestamp": AT - 5}})
    expected.known += 1
    expected.present(AT - 5, "?")
    expected.visit(month(AT), (None, None, None), "?")
    write(root, host, "lastlog2", "future", {"logout": {"timestamp": AT + 3600}})
    expected.known += 1  # what comes after the moment is no activity then, and nothing else tells of this user
    write(root, "conference.example.com", "lastlog2", "room", {"conference.example.com": "message"})


@pytest.mark.parametrize("seed", range(3))
def test_a_report_is_exact(
    seed: int, tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    dice, root = random.Random(seed), tmp_path / "prosody"
    hosts = {"example.com": Expected(), "chat.example.org": Expected()}
    for number in range(400):
        host = dice.choice([*hosts])
        random_user(dice, root, host, dice.choice(["user{}", "ü.{}", "日本_{}"]).format(number), hosts[host])
    odd_files(root, "example.com", hosts["example.com"])
    arguments = ["--at", str(AT), "--timezone", "UTC", "--mmdb", str(database), "--format", "json"]
    assert main(["report", str(root), *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["hosts"]) == set(hosts)
    for host, expected in hosts.items():
        of_host = said["hosts"][host]
        assert of_host["users_known"] == expected.known
        assert of_host["active_users"] == expected.active
        assert of_host["open_sessions"] == expected.open_sessions
        by_country = {
            (country, window): users
            for country, windows in of_host["active_users_by_country"].items()
            for window, users in windows.items()
            if users
        }
        assert by_country == expected.by_country
        assert set(of_host["months"]) == set(expected.cells)
        for name, cells in expected.cells.items():
            of_month = of_host["months"][name]
            assert of_month["users"] == cells.total()
            found = {
                (cell["country"], cell["subdivision"], cell["city"], cell["client"]): cell["users"]
                for cell in of_month["cells"]
            }
            assert found == cells
    problems = {problem["what"]: problem["count"] for problem in said["problems"]}
    assert problems == {
        "timestamp is not a time": 4,
        "name is not canonical": 2,
        "unexpected value": 2,
        "unreadable record": 2,
        "empty record": 1,
        "leftover file": 1,
    }
    assert said["active_users_are"] == "at least"  # of the one who came after it
