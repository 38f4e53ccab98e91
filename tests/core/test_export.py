"""`headcount export --format json|csv` and `report --k-anonymous`, as they are typed."""

import csv
import io
import json
import os
from pathlib import Path

import pytest

from headcount.cli import main
from support import unprivileged

NOW = 1_795_323_600  # 2026-11-22T05:00:00Z
DAY = 86_400
HOST = "example%2ecom"


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path, open_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("HEADCOUNT_", "XDG_", "STATE_DIRECTORY"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADCOUNT_STATE", str(open_tmp / "state.db"))
    monkeypatch.setenv("HEADCOUNT_TIMEZONE", "UTC")
    monkeypatch.setattr("headcount.settings.USUAL_CONFIG", tmp_path / "no.toml")
    monkeypatch.setattr("time.time", lambda: NOW)


@pytest.fixture
def data(open_tmp: Path) -> Path:
    """Twenty users of this month with Dino, three with Gajim, seven of August; alice's record cannot be read."""
    for number in range(30):
        days, client = (2, "Dino.1") if number < 20 else (1, "gajim.YB6L0F9Q") if number < 23 else (100, "Dino.1")
        month = "2026-11" if number < 23 else "2026-08"
        record = f'["{month}"] = {{ timestamp = {NOW - days * DAY - 60}; resource = "{client}" }}'
        write(open_tmp / "prosody" / HOST / "login_records" / f"user{number}.dat", f"return {{ {record} }};")
        write(
            open_tmp / "prosody" / HOST / "lastlog2" / f"user{number}.dat",
            f"return {{ login = {{ timestamp = {NOW - days * DAY - 60} }} }};",
        )
    write(open_tmp / "prosody" / HOST / "lastlog2" / "alice.dat", "return {")
    return open_tmp / "prosody"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def test_a_page_is_an_export_too(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", "--format", "html", tmp_path / "out", data) == 0
    assert capsys.readouterr() == (f"Wrote {tmp_path / 'out' / 'headcount.html'}.\n", "")
    page = tmp_path / "out" / "headcount.html"
    assert page.stat().st_mode & 0o777 == 0o600
    text = page.read_text()
    assert "k-anonymous, min_count 5:" in text
    assert str(data) not in text
    assert "alice" not in text
    assert "Gajim" not in text
    assert run("export", "--format", "html", "--exact", tmp_path / "out", data) == 0
    assert "Gajim" in page.read_text()


def test_an_export_is_a_k_anonymous_report(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", "--format", "json", tmp_path / "out", data) == 0
    assert capsys.readouterr() == (f"Wrote {tmp_path / 'out' / 'headcount.json'}.\n", "")
    text = (tmp_path / "out" / "headcount.json").read_text()
    told = json.loads(text)
    assert told["anonymity"] == {"min_count": 5, "parts_are": "at least"}
    november = told["hosts"]["example.com"]["months"]["2026-11"]
    assert (november["users"], november["clients"]) == (23, [{"client": "other", "users": 23}])
    assert told["hosts"]["example.com"]["months"]["2026-08"]["users"] == 7
    assert "alice" not in text
    assert run("report", data, "--k-anonymous", "--format", "json") == 0
    assert capsys.readouterr().out == text


def test_an_export_is_exact_where_that_is_asked(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", "--format", "json", "--exact", tmp_path / "out", data) == 0
    capsys.readouterr()
    assert run("report", data, "--format", "json") == 0
    text = (tmp_path / "out" / "headcount.json").read_text()
    local, handed = json.loads(capsys.readouterr().out), json.loads(text)
    assert [problem.pop("example") for problem in local["problems"]] == ["example.com/lastlog2/alice.dat"]
    assert [problem.pop("example") for problem in handed["problems"]] == [None]
    assert handed == local
    assert "anonymity" not in json.loads(text)
    assert {"client": "Gajim", "users": 3} in json.loads(text)["hosts"]["example.com"]["months"]["2026-11"]["clients"]


def test_an_export_may_be_csv(data: Path, tmp_path: Path) -> None:
    assert run("export", "--format", "csv", tmp_path, data) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "headcount.csv").read_bytes().decode(), newline="")))
    assert {row["min_count"] for row in rows} == {"5"}
    assert min(int(row["users"]) for row in rows) >= 5


def test_min_count_is_a_setting(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADCOUNT_MIN_COUNT", "3")
    assert run("export", "--format", "json", tmp_path, data) == 0
    told = json.loads((tmp_path / "headcount.json").read_text())
    assert told["anonymity"] == {"min_count": 3, "parts_are": "at least"}
    assert {"client": "Gajim", "users": 3} in told["hosts"]["example.com"]["months"]["2026-11"]["clients"]


def test_a_report_can_be_k_anonymous(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", data, "--k-anonymous") == 0
    text = capsys.readouterr().out
    assert "k-anonymous, min_count = 5" in text
    assert "Gajim" not in text
    assert "alice" not in text
    assert run("report", data, "--k-anonymous", "--client", "Gajim", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)["hosts"]["example.com"]
    assert (told["months"], told["active_users"]) == ({}, {"1d": None, "7d": None, "30d": None})


def test_the_file_is_for_its_owner_and_replaces_an_older_one_in_one_step(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    assert run("export", "--format", "json", out, data) == 0
    old = (out / "headcount.json").open()
    assert run("export", "--format", "json", "--exact", out, data) == 0
    with old:
        assert "anonymity" in json.load(old)
    assert os.listdir(out) == ["headcount.json"]
    assert (out / "headcount.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("below", [".", HOST, "new/below", f"{HOST}/../.."])
def test_nothing_is_written_to_the_source(
    data: Path, tmp_path: Path, below: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(data.rglob("*"))
    (tmp_path / "link").symlink_to(data)
    inside = below != f"{HOST}/../.."
    for root in (data, tmp_path / "link"):
        assert run("export", "--format", "json", f"{root}/{below}", data) == (2 if inside else 0)
        assert ("where Headcount never writes" in capsys.readouterr().err) == inside
    assert sorted(data.rglob("*")) == before


def test_a_directory_that_cannot_be_written(
    data: Path, tmp_path: Path, open_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run("export", "--format", "json", tmp_path / "file", data) == 1
    assert "headcount.json can't be written" in capsys.readouterr().err
    os.mkdir(tmp_path / "taken")
    os.mkdir(tmp_path / "taken" / "headcount.json")
    assert run("export", "--format", "json", tmp_path / "taken", data) == 1
    assert os.listdir(tmp_path / "taken") == ["headcount.json"]
    capsys.readouterr()
    os.mkdir(open_tmp / "closed", 0o500)
    with unprivileged():
        assert run("export", "--format", "json", open_tmp / "closed", data) == 4
    assert "No permission to write" in capsys.readouterr().err
