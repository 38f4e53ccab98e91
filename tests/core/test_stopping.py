"""Signals that ask a command to stop: at any moment of its beginning they end it in order, and with no traceback."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_engine_process import Engines, engines, login, wait_until

from headcount.state.sqlite import SqliteState

__all__ = ["engines"]  # a fixture
SAMPLE = str(Path(__file__).parents[1] / "data" / "prosody-samples" / "internal-13")
CORE = str(Path(__file__).parents[2] / "core")
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

ASKED_AT_AN_IMPORT = """
import os, sys
from headcount.__main__ import main

class Asking:
    left = int(sys.argv.pop(1))
    number = int(sys.argv.pop(1))

    def find_spec(self, *_):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)

sys.meta_path.insert(0, asking := Asking())
try:
    sys.exit(main())
finally:
    if asking.left > 0:
        os.write(1, b"never asked")
"""
"""A command that is asked to stop while it imports its so-many-th module."""


def asked_at(number: int, at: int, state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ASKED_AT_AN_IMPORT, str(at), str(number), *arguments, "--state", str(state)],
        env={**os.environ, "PYTHONPATH": CORE, "HOME": str(state.parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(autouse=True)
def signals_end_a_command() -> Iterator[None]:
    """A test run in a shell's background has SIGINT ignored, and so would what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("at", [1, 2, 30, 60, 90])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_report_that_is_interrupted_while_it_gets_ready_ends_as_one_does(
    tmp_path: Path, number: signal.Signals, at: int
) -> None:
    done = asked_at(number, at, tmp_path / "state.db", "report", SAMPLE)
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == (130 if number == signal.SIGINT else -number)


@pytest.mark.parametrize("at", [1, 60])
@pytest.mark.parametrize("number", SIGNALS)
def test_an_engine_that_is_asked_to_stop_while_it_gets_ready_stops_in_order(
    tmp_path: Path, number: signal.Signals, at: int
) -> None:
    done = asked_at(number, at, tmp_path / "state.db", "engine", SAMPLE)
    assert (done.stdout, done.returncode) == ("", 0)
    assert done.stderr.splitlines()[-1] == "INFO stopped"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("prune", "--keep", "3"), ("import", SAMPLE), ("export", "--format", "json", "out")]
)
def test_so_does_any_other_command(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = asked_at(signal.SIGINT, 40, tmp_path / "state.db", *arguments)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 130)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_demo_that_is_interrupted_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "headcount", "demo"],
        env={**os.environ, "PYTHONPATH": CORE, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: any(tmp_path.glob("headcount-demo-*/prosody")))
    demo.send_signal(number)
    said, complaint = demo.communicate(timeout=60)
    assert (said, complaint, demo.returncode) == (b"", b"", 128 + number)
    assert not list(tmp_path.glob("headcount-demo-*"))


@pytest.mark.parametrize("number", SIGNALS)
def test_an_engine_that_is_told_to_stop_writes_its_last_index(engines: Engines, number: signal.Signals) -> None:
    login(engines.source, "alice")
    engine = engines.start()
    wait_until(lambda: engines.kept() == 1 and is_live(engines.state))
    assert index_of(engines.state) is None
    engine.send_signal(number)
    assert engine.wait(timeout=60) == 0
    assert engines.log.read_text().splitlines()[-1] == "INFO stopped"
    assert index_of(engines.state) is not None
    assert engines.state.with_name(engines.state.name + ".index").exists()


def is_live(path: Path) -> bool:
    with SqliteState(path, read_only=True) as state:
        return '"phase":"live"' in state.load(counted=False).live.get("head", "").replace(" ", "")


def index_of(path: Path) -> str | None:
    with SqliteState(path, read_only=True) as state:
        return state.load(counted=False).index


def test_an_engine_that_shall_outlive_its_terminal_does(engines: Engines) -> None:
    """As `nohup headcount engine &` has it: whoever begins it has SIGHUP ignored."""
    login(engines.source, "alice")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        engine = engines.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_until(lambda: engines.kept() == 1)
    engine.send_signal(signal.SIGHUP)
    login(engines.source, "bob")
    wait_until(lambda: engines.kept() == 2)
    engine.terminate()
    assert engine.wait(timeout=60) == 0
