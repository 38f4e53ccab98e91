"""However the screen ends, and whenever: the terminal is as it was, the state is whole, and the process is gone."""

import fcntl
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest
from pty_terminal import ROOT, terminal

from headcount.state.files import is_locked
from headcount_tui.running.ending import Ending

DATA = ROOT / "tests" / "data" / "prosody-samples" / "internal-13"
FIRST_ESCAPE = b"\x1b[?1049h"
PICTURE = b"Countries"
ENDS = {"q": 0, "ctrl+c": 0, "SIGTERM": 0, "SIGHUP": 0, "SIGINT": 130, "SIGQUIT": 131}
SELDOM = ("SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGIO", "SIGPWR", "SIGSTKFLT")


class Screen:
    """The real command in a terminal of its own, all that it sent, and what the terminal is like."""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "state.db"
        self.fd, self._inside = pty.openpty()
        self.modes = termios.tcgetattr(self._inside)
        self.sent = b""
        paths = os.pathsep.join(str(ROOT / part) for part in ("core", "tui"))
        places = {"HOME": str(directory), "XDG_STATE_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headcount", str(DATA), "--state", str(self.state)],
            stdin=self._inside,
            stdout=self._inside,
            stderr=self._inside,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": paths,
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                **places,
            },
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            start_new_session=True,
        )
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._closed.is_set():
            if select.select([self.fd], [], [], 0.02)[0]:
                try:
                    self.sent += os.read(self.fd, 65536)
                except OSError:  # nobody writes there any more
                    return

    def until(self, words: bytes) -> None:
        end = time.monotonic() + 60
        while words not in self.sent:
            assert time.monotonic() < end, self.sent[-2000:]
            assert self.process.poll() is None, self.sent[-2000:]
            time.sleep(0.005)

    def end(self, how: str) -> None:
        if how in ("q", "ctrl+c"):
            os.write(self.fd, b"q" if how == "q" else b"\x03")
        else:
            self.process.send_signal(getattr(signal, how))

    def wait(self) -> int:
        return self.process.wait(60)

    def close(self) -> None:
        """The terminal goes: its window was closed, say. Nobody may be reading it, since that keeps it open."""
        self._closed.set()
        self._reader.join()
        os.close(self._inside)
        os.close(self.fd)

    def require_order(self) -> None:
        """The terminal is as it was and the state is whole and free."""
        assert termios.tcgetattr(self._inside) == self.modes
        os.write(self._inside, b"-end-")  # after all that was sent
        end = time.monotonic() + 60
        while not self.sent.endswith(b"-end-"):
            assert time.monotonic() < end
            time.sleep(0.005)
        assert left_on(self.sent) == set()
        assert b"Traceback" not in self.sent
        self.require_whole_state()

    def require_whole_state(self) -> None:
        if self.state.exists():
            assert not is_locked(self.state)
            with sqlite3.connect(self.state) as state:
                assert state.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def left_on(sent: bytes) -> set[str]:
    """The modes of a terminal that differ, after all that was sent to it, from those that a shell expects."""
    wanted_on = {"7", "25"}
    modes = dict.fromkeys(wanted_on, "h")
    for number, is_on in re.findall(rb"\x1b\[\?(\d+)([hl])", sent):
        modes[number.decode()] = is_on.decode()
    left = {number for number, is_on in modes.items() if (is_on == "h") != (number in wanted_on)}
    return left | ({"kitty"} if len(re.findall(rb"\x1b\[>\d+u", sent)) != sent.count(b"\x1b[<u") else set())


@pytest.mark.parametrize("moment", [FIRST_ESCAPE, b"\x1b[?2004h", PICTURE])
@pytest.mark.parametrize("how", ENDS)
def test_every_end_gives_the_terminal_back(how: str, moment: bytes, tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.until(moment)
    screen.end(how)
    assert screen.wait() == ENDS[how]
    screen.require_order()


@pytest.mark.parametrize("how", [name for name in SELDOM if hasattr(signal, name)])
def test_so_does_an_end_by_a_signal_that_means_nothing_to_it(how: str, tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.until(PICTURE)
    screen.end(how)
    assert screen.wait() == 128 + getattr(signal, how)
    screen.require_order()


@pytest.mark.parametrize("moment", [FIRST_ESCAPE, PICTURE])
def test_it_ends_when_its_terminal_is_closed(moment: bytes, tmp_path: Path) -> None:
    screen = Screen(tmp_path)
    screen.until(moment)
    screen.close()
    assert screen.wait() in (0, 120)  # what Python ends with where nothing can be written any more
    screen.require_whole_state()


def test_it_ends_though_its_loop_hangs_and_what_was_counted_is_kept() -> None:
    with terminal("hang", 80, 24) as there:
        sent = there.until(b"Germany") + there.read(1.5)
        os.kill(there.process, signal.SIGTERM)
        sent += there.until(b"\x1b[?25h")
        assert b"feed ended in order" in sent
        assert left_on(sent) == set()
        assert there.exit_code() == 0


def test_it_ends_though_its_terminal_takes_nothing_any_more() -> None:
    """As over a line that hangs: what is written waits for ever. It comes back after the end."""
    with terminal("busy", 140, 45) as there:
        sent = there.until(b"Germany")
        for step in range(200):  # each paints everything, and nobody reads
            there.resize(100 + step % 40, 45)
            time.sleep(0.01)
        os.kill(there.process, signal.SIGTERM)
        end = time.monotonic() + 60
        while not (ended := os.waitpid(there.process, os.WNOHANG))[0]:
            assert time.monotonic() < end
            time.sleep(0.05)
        there.process = 0
        assert os.waitstatus_to_exitcode(ended[1]) == 0
        assert left_on(sent + there.read(1.0)) == set()


def threads_of(process: int) -> int:
    return len(os.listdir(f"/proc/{process}/task"))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the threads of a process are in /proc on Linux alone")
def test_it_takes_the_terminal_once_however_often_it_is_woken() -> None:
    with terminal("still", 80, 24) as there:
        there.until(b"Germany")
        assert there.is_silent(1.0)
        before = threads_of(there.process)
        for _ in range(3):
            os.kill(there.process, signal.SIGSTOP)
            os.kill(there.process, signal.SIGCONT)
            there.until(b"Germany")
        assert there.is_silent(1.0)
        assert threads_of(there.process) == before
        there.press("q")
        assert there.exit_code() == 0


class Watched:
    """A watch whose screen answers as it is told to; what it was asked, and the end it was given."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.forced = threading.Event()
        self.code: int | None = None
        self.there = True
        self.woken = 0
        self.ending = Ending(self.asked.append, lambda: self.there, self._force, self._wake, grace=0.2, look=0.05)

    def _wake(self) -> None:
        self.woken += 1

    def _force(self, code: int) -> None:
        self.code = code
        self.forced.set()


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(signal, "set_wakeup_fd", lambda *_, **__: -1)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    watched = Watched()
    watched.ending.start()
    return watched


def test_a_screen_that_ends_by_itself_is_not_asked_but_awaited(watched: Watched) -> None:
    watched.ending.begin(3)
    assert watched.forced.wait(60)
    assert (watched.asked, watched.code) == ([], 3)


def test_any_signal_wakes_the_main_thread_which_alone_runs_handlers(watched: Watched) -> None:
    watched.ending._woken.send(bytes([signal.SIGCONT]))
    end = time.monotonic() + 60
    while not watched.woken:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert watched.asked == []
    watched.ending.begin(0)
    assert watched.forced.wait(60)


def test_a_terminal_that_goes_without_a_word_ends_the_screen(watched: Watched) -> None:
    watched.there = False
    assert watched.forced.wait(60)
    assert (watched.asked, watched.code) == ([0], 0)


def test_the_first_reason_to_end_is_the_one(watched: Watched) -> None:
    watched.ending.begin(4)
    watched.ending.begin(0)
    assert watched.forced.wait(60)
    assert watched.code == 4
