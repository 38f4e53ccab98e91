"""Nobody's name, address or resource is in anything that Headcount keeps, logs or lets out."""

import logging
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from headcount.cli import main
from headcount.engine.assemble import open_run
from headcount.prosody.lua_table import as_lua
from headcount.prosody.lua_write import serialise
from headcount.settings import Settings
from headcount.snapshot import Phase, Snapshot
from support import prosody_writes

NOW = 1_795_320_000
MARK = "Xq7zSecret"
OCTETS = ("198.51.100.", "203.0.113.", "8.8.")


def marked(number: int) -> str:
    return f"{MARK.lower()}{number}"


def write_user(root: Path, number: int, dice: random.Random) -> None:
    """A user whose name, addresses and resource are all marked, in every store; some of it broken."""
    host, user, when = "example.com", marked(number), NOW - dice.randrange(40 * 86_400)
    address = f"{dice.choice(OCTETS)}{dice.randrange(255)}" if number % 3 else f"2001:db8:7a7a::{number:x}"
    stores: dict[str, object] = {
        "lastlog2": {"login": {"timestamp": when, "ip": address}, "logout": {"timestamp": when + 5, "ip": address}},
        "lastlog": {"event": "logout", "timestamp": when + 5, "ip": address},
        "account_activity": {"timestamp": when + 5},
        "login_records": {"2026-11": {"timestamp": when, "ip": address, "resource": f"Dino.{MARK}{number}"}},
    }
    for store, value in stores.items():
        text = serialise(as_lua(value)).decode()
        prosody_writes(root, host, store, user, text[:-9] if number % 10 == 0 else text)
    if number % 17 == 0:
        (root / "example%2ecom" / "lastlog2" / f"{user}.odd.dat").write_text(text)
        (root / "example%2ecom" / "lastlog2" / f"{user}.dat~").write_text(text)


def everything_kept(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(directory.rglob("*")) if file.is_file())


def assert_clear(text: bytes | str, what: str) -> None:
    data = text.encode() if isinstance(text, str) else text
    assert data, f"there is nothing in {what} to look at"
    assert MARK.lower().encode() not in data.lower(), what
    for piece in (b"198.51.100.", b"203.0.113.", b"8.8.", b"2001:db8:7a7a"):
        assert piece not in data, f"{piece!r} in {what}"
    assert bytes([198, 51, 100]) not in data, what


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path, dice = tmp_path / "prosody", random.Random(3)
    for number in range(120):
        write_user(path, number, dice)
    return path


def storm(root: Path, state: Path, look: Callable[[], None]) -> list[Snapshot]:
    """An engine that follows a storm of logins; `look` is called while it runs, with all of it kept."""
    shown: list[Snapshot] = []
    stop, dice, done = threading.Event(), random.Random(4), 0
    settings = Settings(source=str(root), state=str(state), timezone="UTC", settle=0.0)

    def publish(snapshot: Snapshot) -> None:
        nonlocal done
        shown.append(snapshot)
        if snapshot.phase is Phase.LIVE and done < 300:
            for number in range(done, done + 100):
                write_user(root, number, dice)
            done += 100
        elif done >= 300 and snapshot.hosts["example.com"].users_known >= 300:
            look()
            stop.set()

    with open_run(settings, {}, keep="always") as run:
        watchdog = threading.Timer(60, stop.set)
        watchdog.start()
        run.engine.run(publish, stop)
        watchdog.cancel()
    assert shown[-1].hosts["example.com"].users_known >= 300
    return shown


def test_state_log_and_exports_name_nobody(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    state = tmp_path / "state"
    storm(root, state / "state.db", lambda: assert_clear(everything_kept(state), "the state and its log while it runs"))
    assert_clear(everything_kept(state), "the state")
    assert "problem: unreadable record" in caplog.text
    assert_clear(caplog.text, "the log at debug level")
    for form in ("csv", "json", "table"):
        arguments = ["--format", form, "--state", str(state / "state.db"), "--timezone", "UTC", "--at", str(NOW)]
        assert main(["report", str(root), *arguments]) == 0
        said = capsys.readouterr().out
        kept = said.split('"problems"')[0].split("problem  ")[0].split("\nproblem")[0]
        assert_clear(kept.replace(str(root), ""), f"a report as {form}")
    exact = [(form, ["--exact"]) for form in ("csv", "json", "html")]
    folded = [(form, []) for form in ("csv", "json", "html", "prosody-flat", "prosody-nested")]
    for form, how in [*exact, *folded]:
        out = tmp_path / "".join([form, *how])
        arguments = [*how, "--format", form, str(out), str(root), "--state", str(state / "state.db")]
        assert main(["export", *arguments, "--timezone", "UTC"]) == 0
        names = "".join(str(path.relative_to(out)) for path in out.rglob("*"))
        assert_clear(everything_kept(out) + names.encode(), f"an export as {form}")
    assert_clear(capsys.readouterr().out.replace(str(tmp_path), ""), "what the export says")


def test_an_error_that_nobody_foresaw_names_its_place_in_the_code_and_nothing_that_was_read(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read(stores: object, files: object, *since: object) -> None:
        raise ZeroDivisionError(stores, files, MARK)

    monkeypatch.setattr("headcount.sources.readers.read_users", read)
    assert main(["report", str(root), "--state", str(tmp_path / "state.db")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("headcount: Headcount failed: ZeroDivisionError at test_privacy.py:")
    assert_clear(said, "the error")


def test_what_goes_wrong_while_an_engine_runs_names_nobody(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    state = tmp_path / "state" / "state.db"
    settings = Settings(source=str(root), state=str(state), timezone="UTC")
    with open_run(settings, {}, keep="always") as run:
        store = root / "example%2ecom" / "lastlog2"
        store.chmod(0)
        os.remove(state)
        stop = threading.Event()
        run.engine.run(lambda snapshot: stop.set() if snapshot.phase is Phase.LIVE else None, stop)
        store.chmod(0o755)
    assert_clear(caplog.text, "the log")
