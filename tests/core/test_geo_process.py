"""What happens to a GeoIP file under an engine that runs as a process, what it shows first, and what a report says."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_cli import Headcount, headcount
from test_engine_process import HOST, NOW, Engines, engines, lua, wait_until
from test_geo import write

from headcount.engine.assemble import open_run
from headcount.places import database_file
from headcount.places.proof import Answer, Proof
from headcount.settings import Settings
from headcount.snapshot import Phase, Place, Snapshot
from headcount.state.sqlite import SqliteState
from support import prosody_writes

__all__ = ["engines", "headcount"]  # fixtures
AU, DE, GB, US = Place("AU", "VIC"), Place("DE", "HE", 2925533), Place("GB", "ENG", 2643743), Place("US")
ADDRESSES = {AU: "2001:db8:1::1", DE: "203.0.113.7", GB: "198.51.100.200", US: "198.51.100.1"}


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write(tmp_path / "city.mmdb", "GeoLite2-City")


def login(root: Path, name: str, place: Place) -> None:
    value = {"login": {"timestamp": NOW, "ip": ADDRESSES[place]}}
    prosody_writes(root, HOST, "lastlog2", name, lua(value))


def kept_at(state: Path, place: Place) -> int:
    """Month users that the state holds at a place."""
    if not state.exists():
        return 0
    with SqliteState(state, read_only=True) as kept:
        host = kept.load().hosts.get(HOST)
    months = host.months.values() if host else ()
    return sum(users for month in months for cell, users in month.cells.items() if cell.place == place)


class TestUnderAnEngine:
    @pytest.fixture
    def engine(self, engines: Engines, city: Path) -> subprocess.Popen[bytes]:
        login(engines.source, "alice", DE)
        engine = engines.start("--mmdb", str(city))
        wait_until(lambda: kept_at(engines.state, DE) == 1, 60)
        return engine

    @pytest.mark.parametrize("length", [0, 100])
    def test_a_file_that_is_cut_in_place_stays_in_use_as_it_was(
        self, engines: Engines, engine: subprocess.Popen[bytes], city: Path, length: int
    ) -> None:
        os.truncate(city, length)
        login(engines.source, "bob", GB)
        wait_until(lambda: kept_at(engines.state, GB) == 1 or engine.poll() is not None, 60)
        assert engine.poll() is None, "it was ended"
        wait_until(lambda: "The last good one" in engines.log.read_text(), 60)
        assert f"{city} is not a GeoIP database" in engines.log.read_text()
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(60) == 0

    def test_one_that_is_overwritten_slowly_is_used_when_it_is_done(
        self, engines: Engines, engine: subprocess.Popen[bytes], city: Path
    ) -> None:
        after = write(city.with_name("after"), "GeoLite2-Country").read_bytes()
        half = len(after) // 2
        with city.open("wb") as file:
            file.write(after[:half])
            file.flush()
            login(engines.source, "bob", GB)
            wait_until(lambda: kept_at(engines.state, GB) == 1 or engine.poll() is not None, 60)
            wait_until(lambda: "stays in use" in engines.log.read_text() or engine.poll() is not None, 60)
            assert engine.poll() is None, "it was ended"
            file.write(after[half:])
        wait_until(lambda: "places: now from GeoLite2-Country" in engines.log.read_text(), 60)
        assert engine.poll() is None

    def test_an_engine_that_is_started_on_a_damaged_file_goes_on_with_the_last_good_one(
        self, engines: Engines, engine: subprocess.Popen[bytes], city: Path
    ) -> None:
        engine.terminate()
        engine.wait(60)
        os.truncate(city, 500)
        login(engines.source, "bob", GB)
        engine = engines.start("--mmdb", str(city))
        wait_until(lambda: kept_at(engines.state, GB) == 1 or engine.poll() is not None, 60)
        assert engine.poll() is None


class Held(Proof):
    """A proof that says nothing of what became of the file before it is let go."""

    released: threading.Event
    as_it_is: Answer | None = None

    def answer(self, patience: float) -> Answer | None:
        answer = super().answer(patience)
        return (self.as_it_is or answer) if self.released.is_set() else None


class TestFirstFigures:
    """They do not wait for the proof; and what is kept is nevertheless kept with the file's own places."""

    @pytest.fixture
    def held(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Held]]:
        monkeypatch.setattr("headcount.engine.assemble.PATIENCE", 0.0)
        monkeypatch.setattr(database_file, "Proof", Held)
        Held.released, Held.as_it_is = threading.Event(), None
        yield Held
        Held.released.set()

    def run(self, tmp_path: Path, city: Path, then: Callable[[Snapshot], bool]) -> list[Snapshot]:
        """Runs an engine until `then` says so of a snapshot."""
        source = tmp_path / "prosody"
        for place in ADDRESSES:
            login(source, f"user-{place.country}", place)
        settings = Settings(
            source=str(source), state=str(tmp_path / "state" / "state.db"), mmdb_path=(str(city),), timezone="UTC"
        )
        shown: list[Snapshot] = []
        stop = threading.Event()

        def publish(snapshot: Snapshot) -> None:
            shown.append(snapshot)
            if then(snapshot):
                stop.set()

        watchdog = threading.Timer(120, stop.set)
        watchdog.start()
        with open_run(settings, {}, keep="always") as run:
            run.run(publish, stop)
        watchdog.cancel()
        return shown

    def test_they_come_before_and_the_kept_ones_have_their_cities(
        self, tmp_path: Path, city: Path, held: type[Held]
    ) -> None:
        kept: list[int] = []

        def then(snapshot: Snapshot) -> bool:
            if snapshot.phase is Phase.LIVE and snapshot.hosts[HOST].users_known == 4 and not held.released.is_set():
                kept.append(kept_at(tmp_path / "state" / "state.db", Place()))
                assert any("is looked through once" in problem.why for problem in snapshot.problems)
                held.released.set()
            return snapshot.phase is Phase.LIVE and snapshot.geo.startswith("GeoLite2-City")

        shown = self.run(tmp_path, city, then)
        assert shown[0].geo.startswith("country data by NRO")
        assert kept == [0], "nothing is kept of what was shown first"
        assert shown[-1].marks == ()
        for place in ADDRESSES:
            assert kept_at(tmp_path / "state" / "state.db", place) == 1

    def test_a_file_that_does_not_prove_itself_is_told_and_they_go_on_without_it(
        self, tmp_path: Path, city: Path, held: type[Held]
    ) -> None:
        held.as_it_is = Answer("damaged", "it ends the program that reads it (SIGSEGV)")

        def then(snapshot: Snapshot) -> bool:
            held.released.set()
            return snapshot.phase is Phase.LIVE and any("SIGSEGV" in problem.why for problem in snapshot.problems)

        shown = self.run(tmp_path, city, then)
        (problem,) = [problem for problem in shown[-1].problems if problem.what == "places"]
        assert problem.is_urgent
        assert str(city) in problem.why
        assert shown[-1].geo.startswith("country data by NRO")

    def test_who_stops_meanwhile_is_not_kept_waiting(self, tmp_path: Path, city: Path, held: type[Held]) -> None:
        shown = self.run(tmp_path, city, lambda snapshot: HOST in snapshot.hosts)
        assert not held.released.is_set()
        assert shown[-1].geo.startswith("country data by NRO")


class TestReport:
    """A report waits for the proof, or takes what an engine proved; it writes nothing."""

    def report(self, headcount: Headcount, tmp_path: Path, city: Path, *more: str) -> dict[str, Any]:
        arguments = ["--mmdb", str(city), "--state", str(tmp_path / "state.db"), "--timezone", "UTC", *more]
        said = headcount("report", tmp_path / "prosody", "--format", "json", "--at", str(NOW + 60), *arguments)
        assert said.code == 0, said.err
        report: dict[str, Any] = json.loads(said.out)
        return report

    def cities(self, report: dict[str, Any]) -> set[int | None]:
        (month,) = report["hosts"][HOST]["months"].values()
        return {place["city"] for place in month["places"]}

    def run_an_engine(self, tmp_path: Path, city: Path) -> None:
        settings = Settings(
            source=str(tmp_path / "prosody"), state=str(tmp_path / "state.db"), mmdb_path=(str(city),), timezone="UTC"
        )
        stop = threading.Event()
        with open_run(settings, {}, keep="always") as run:
            run.run(lambda snapshot: stop.set() if snapshot.phase is Phase.LIVE else None, stop)

    def test_it_waits_for_a_new_file_and_leaves_nothing(
        self, headcount: Headcount, tmp_path: Path, city: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "tmp").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
        login(tmp_path / "prosody", "alice", DE)
        before = sorted(tmp_path.rglob("*"))
        assert self.cities(self.report(headcount, tmp_path, city)) == {DE.city}
        assert sorted(tmp_path.rglob("*")) == before

    def test_it_takes_what_an_engine_proved_and_the_last_good_one_where_the_file_is_damaged(
        self, headcount: Headcount, tmp_path: Path, city: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        login(tmp_path / "prosody", "alice", DE)
        self.run_an_engine(tmp_path, city)
        monkeypatch.setattr(database_file, "Proof", None)
        login(tmp_path / "prosody", "bob", GB)
        assert self.cities(self.report(headcount, tmp_path, city)) == {DE.city, GB.city}
        city.unlink()
        city.mkdir()
        report = self.report(headcount, tmp_path, city)
        assert self.cities(report) == {DE.city, GB.city}
        assert any("The last good one" in problem["why"] for problem in report["problems"])

    def test_one_that_is_damaged_and_was_never_good_is_a_problem_of_the_report(
        self, headcount: Headcount, tmp_path: Path, city: Path
    ) -> None:
        login(tmp_path / "prosody", "alice", DE)
        whole = city.read_bytes()
        at = whole.index(b"iso_code") + 3
        city.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        report = self.report(headcount, tmp_path, city)
        assert self.cities(report) == {None}
        assert any("is damaged" in problem["why"] for problem in report["problems"])
