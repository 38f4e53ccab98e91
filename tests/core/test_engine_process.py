"""The headless engine as a process: started, killed, started again, told to stop."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_geo import write

from headcount.prosody.lua_table import as_lua
from headcount.prosody.lua_write import serialise
from headcount.state.sqlite import SqliteState
from support import prosody_writes

NOW = int(time.time())
HOST = "example.com"


def login(root: Path, name: str, when: int = NOW) -> None:
    """Two steps, as Prosody has them: the activity at authentication, the login record at resource binding."""
    prosody_writes(root, HOST, "lastlog2", name, lua({"login": {"timestamp": when}}))
    month = time.strftime("%Y-%m", time.gmtime(when))
    record = {"timestamp": when, "ip": f"8.8.{len(name)}.8", "resource": f"Dino.{name}"}
    prosody_writes(root, HOST, "login_records", name, lua({month: record}))


def lua(value: object) -> str:
    return serialise(as_lua(value)).decode()


class Engines:
    """Starts engines on one source and one state, and ends those that are left."""

    def __init__(self, tmp_path: Path) -> None:
        self.source = tmp_path / "prosody"
        self.source.mkdir()
        self.state = tmp_path / "state" / "state.db"
        self.log = tmp_path / "log"
        self._environment = {**os.environ, "HOME": str(tmp_path)}
        self._started: list[subprocess.Popen[bytes]] = []

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "headcount", *arguments, "--state", str(self.state), "--timezone", "UTC"]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            command = self.command("engine", str(self.source), *arguments)
            process = subprocess.Popen(command, stderr=log, stdout=log, env=self._environment)
        self._started.append(process)
        return process

    def kept(self) -> int:
        """Month users that the state holds of all months."""
        if not self.state.exists():
            return 0
        with SqliteState(self.state, read_only=True) as state:
            host = state.load().hosts.get(HOST)
        return sum(sum(month.cells.values()) for month in host.months.values()) if host else 0

    def report(self, *arguments: str) -> dict[str, Any]:
        command = self.command("report", str(self.source), "--format", "json", "--at", str(NOW + 60), *arguments)
        done = subprocess.run(command, capture_output=True, check=True, env=self._environment)
        host: dict[str, Any] = json.loads(done.stdout)["hosts"][HOST]
        return host

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    opened = Engines(tmp_path)
    yield opened
    opened.close()


def wait_until(is_so: Callable[[], bool], within: float = 120.0, every: float = 0.05) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(every)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_follows_until_it_is_told_to_stop(engines: Engines, number: int) -> None:
    login(engines.source, "alice")
    engine = engines.start()
    wait_until(lambda: engines.kept() == 1)
    login(engines.source, "bob")
    wait_until(lambda: engines.kept() == 2)
    engine.send_signal(number)
    assert engine.wait(timeout=60) == 0
    lines = engines.log.read_text().splitlines()
    assert lines[0].startswith(f"INFO headcount 0.1.0: following {engines.source}")
    assert lines[-1] == "INFO stopped"
    assert "alice" not in engines.log.read_text()


KILLS = 50


def test_killed_fifty_times_in_a_storm_of_logins_it_counts_as_if_undisturbed(engines: Engines, tmp_path: Path) -> None:
    over = threading.Event()
    dice = random.Random(7)
    users: list[str] = []

    def storm() -> None:
        """New users and, as often, ones who come again, until the last kill."""
        while not over.is_set():
            users.append(f"user{len(users)}")
            login(engines.source, users[-1])
            login(engines.source, dice.choice(users))
            time.sleep(0.01)

    writer = threading.Thread(target=storm)
    writer.start()
    # The built-in places take a fifth of a second to unpack, and a kill in it tells nothing.
    records = {"8.8.0.0/20": {"country": {"iso_code": "US"}}}
    places = ("--mmdb", str(write(tmp_path / "places.mmdb", "GeoLite2-City", records)))
    for number in range(KILLS):
        begun = engines.log.read_text().count("following") if engines.log.exists() else 0
        engine = engines.start(*places)
        if number % 10:  # the tenth while it gets ready, the others from then on, however long that takes
            wait_until(lambda begun=begun: engines.log.read_text().count("following") > begun, every=0.005)
        time.sleep(dice.random() * (0.7 if number % 10 else 0.15))
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    over.set()
    writer.join()
    engine = engines.start(*places)
    wait_until(lambda: engines.kept() == len(users))
    engine.terminate()
    assert engine.wait(timeout=60) == 0
    disturbed = engines.report(*places)
    engines.state = tmp_path / "undisturbed.db"
    assert disturbed == engines.report(*places)
    assert "US" in json.dumps(disturbed), "they are told by place"
    assert disturbed["months"][time.strftime("%Y-%m", time.gmtime(NOW))]["users"] == len(users)


def test_stopped_while_many_log_in_it_counts_all_of_them_when_it_goes_on(engines: Engines) -> None:
    login(engines.source, "alice")
    engine = engines.start()
    wait_until(lambda: engines.kept() == 1)
    engine.send_signal(signal.SIGSTOP)
    for number in range(6000):  # more than the kernel's queue of events holds
        prosody_writes(engines.source, HOST, "lastlog2", f"user{number}", lua({"login": {"timestamp": NOW}}))
    engine.send_signal(signal.SIGCONT)
    wait_until(lambda: engines.kept() == 6001, within=120)
    engine.terminate()
    assert engine.wait(timeout=60) == 0


def test_two_engines_do_not_keep_one_state(engines: Engines) -> None:
    login(engines.source, "alice")
    engines.start()
    wait_until(lambda: engines.kept() == 1)
    second = engines.start()
    assert second.wait(timeout=60) == 1
    assert "Another Headcount engine keeps the state" in engines.log.read_text()


def test_it_waits_for_a_source_that_is_not_there_yet(engines: Engines) -> None:
    engines.source.rmdir()
    engines.start()
    wait_until(lambda: engines.log.exists() and "There is no" in engines.log.read_text())
    login(engines.source, "alice")
    wait_until(lambda: engines.kept() == 1)


def test_it_never_loads_the_screen(engines: Engines) -> None:
    login(engines.source, "alice")
    code = (
        "import sys, threading, headcount.engine.engine as e; run = e.Engine.run\n"
        "def stopped(self, publish, stop):\n"
        "    stop.set(); run(self, publish, stop)\n"
        "e.Engine.run = stopped\n"
        "from headcount.cli import main\n"
        f"assert main(['engine', {str(engines.source)!r}, '--state', {str(engines.state)!r}]) == 0\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('textual', 'rich', 'headcount_tui')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
