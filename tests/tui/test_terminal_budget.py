"""The real program in a real terminal (a pty): what it sends when nothing happens, when much does, and that it ends."""

import os
import pty
import signal
import subprocess
import sys

import pytest
from pty_terminal import HERE, ROOT, Terminal, terminal

LIVE_BYTES = 12_000
"""The most that a screen of 140x45 may send a second while rows change once a second."""


def test_idle_it_sends_nothing() -> None:
    with terminal("still") as there:
        there.until(b"Germany")
        assert there.is_silent(3.0)
        for key in "34567":
            there.press(key)
            assert there.is_silent(1.2), key


def test_live_it_sends_little_and_it_ends_when_told() -> None:
    with terminal("busy") as there:
        there.until(b"Germany")
        there.read(3.0)
        sent = there.read(5.0)
        assert sent
        assert len(sent) / 5 < LIVE_BYTES
        there.press("q")
        assert there.exit_code() == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_it_ends_in_order_when_its_terminal_is_closed(number: signal.Signals) -> None:
    with terminal("still", 80, 24) as there:
        there.until(b"Germany")
        os.kill(there.process, number)
        assert there.exit_code() == 0


def test_it_ends_where_its_terminal_goes_and_no_signal_tells() -> None:
    """As one that was begun in a session of its own: nobody sends it a SIGHUP."""
    fd, inside = pty.openpty()
    paths = os.pathsep.join(str(ROOT / part) for part in ("core", "tui", "tests/tui"))
    process = subprocess.Popen(
        [sys.executable, str(HERE / "preview.py"), "still"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "TERM": "xterm-256color", "LANG": "C.UTF-8"},
        start_new_session=True,
    )
    os.close(inside)
    try:
        Terminal(process.pid, fd).until(b"Germany")
        os.close(fd)
        assert process.wait(120) in (0, 120)  # what Python ends with where nothing can be written any more
    finally:
        process.kill()
        process.wait()


def test_it_outlives_a_storm_of_resizes() -> None:
    with terminal("busy", 80, 24) as there:
        there.until(b"Germany")
        for step in range(60):
            there.resize(20 + (step * 37) % 160, 3 + (step * 13) % 50)
            there.read(0.02)
        there.resize(60, 15)
        there.read(1.5)
        there.press("?")
        there.until(b"Help")
        there.press("q")
        there.press("q")
        assert there.exit_code() == 0


@pytest.mark.parametrize(
    "environment", [{"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "dumb"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_it_works_in_poor_terminals(environment: dict[str, str]) -> None:
    with terminal("still", 80, 24, **environment) as there:
        sent = there.until(b"Germany")
        if "NO_COLOR" not in environment:
            text = sent.decode("utf-8")
            assert [char for char in text if not char.isascii()] == []
        there.press("\x03")
        assert there.exit_code() == 0


def test_a_problem_of_the_screens_own_is_told_without_a_traceback() -> None:
    with terminal("broken", 80, 24) as there:
        sent = there.until(b"Headcount failed: ZoneInfoNotFoundError")
        assert there.exit_code() == 1
        assert b"Traceback" not in sent
        assert b"Nowhere" not in sent  # what stood in the data
