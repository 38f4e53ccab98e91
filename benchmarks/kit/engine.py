"""An engine in a process of its own, and what it says of its snapshots: `probe.py` from outside."""

import bisect
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from headcount.engine.assemble import INDEX
from kit.native import room
from kit.processes import processor
from kit.runs import Run
from kit.tree import Tree

PROBE = Path(__file__).with_name("probe.py")
STATE = "state.db"
TOO_LONG = 900.0


class Said(NamedTuple):
    """What a snapshot showed at a moment (CLOCK_MONOTONIC)."""

    at: float
    phase: str
    known: int
    active: tuple[int, int, int]
    month_users: int


class Engine:
    """An engine that follows a tree. `home` keeps its state, and is deleted at the end where none is given."""

    def __init__(self, source: Path, home: Path | None = None, cores: int | None = None, **settings: object) -> None:
        self._own = home is None
        self.home = home or Path(tempfile.mkdtemp(dir=room(), prefix="state-"))
        self.said: list[Said] = []
        self._changed = threading.Condition()
        environment = {**os.environ, **{f"HEADCOUNT_{key.upper()}": str(value) for key, value in settings.items()}}
        self.begun = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, str(PROBE), str(source), str(self.home / STATE)],
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self.pid = self._process.pid
        if cores:
            os.sched_setaffinity(self.pid, sorted(os.sched_getaffinity(0))[:cores])
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def wait(self, is_so: Callable[[Said], bool], within: float = TOO_LONG, since: float = 0.0) -> Said | None:
        """The first snapshot since a moment of which it is so; None where there is none in time."""
        end, at = time.monotonic() + within, bisect.bisect_left(self.said, since, key=lambda said: said.at)
        with self._changed:
            while True:
                for said in self.said[at:]:
                    if is_so(said):
                        return said
                at = len(self.said)
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(min(left, 1.0))
                if self._process.poll() is not None and at == len(self.said):
                    raise RuntimeError(f"the engine ended with {self._process.returncode}")

    def wait_for(self, tree: Tree, *, whole: bool = True) -> Said:
        """The first snapshot that shows all active users of a tree; `whole` when everything has been read."""
        within = max(TOO_LONG, tree.users / 2000)
        right = self.wait(lambda said: said.active == tree.active and (said.phase == "live" or not whole), within)
        if right is None:
            raise TimeoutError(f"{tree.active} not counted in {within:.0f} s; last: {self.said[-1:]}")
        return right

    def processor(self) -> float:
        """Seconds of processor time so far."""
        return processor(self.pid)

    def pause(self) -> None:
        """Stops the whole of it, as a debugger or a starved machine does."""
        os.killpg(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets it run again."""
        os.killpg(self.pid, signal.SIGCONT)

    def end(self) -> None:
        """Ends it as a service manager does."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()
        self._reader.join(timeout=5)
        if self._own:
            shutil.rmtree(self.home, ignore_errors=True)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at, phase, known, *counts = line.decode().split()
            day, week, month, visitors = map(int, counts)
            with self._changed:
                self.said.append(Said(float(at), phase, int(known), (day, week, month), visitors))
                self._changed.notify_all()


def start(tree: Tree, home: Path | None = None, cores: int | None = None, *, whole: bool = True) -> Run:
    """A start of the engine until it shows the right counts: its first start where no state is given. `whole` as in
    `Engine.wait_for`."""
    with Engine(tree.root, home, cores) as engine:
        right = engine.wait_for(tree, whole=whole)
        return Run(right.at - engine.begun, engine.processor(), "{} {} {}".format(*right.active))


def wait_for_index(state: Path, within: float = TOO_LONG) -> None:
    """Waits until the restart index beside a state, which takes memory, was written once. Raises TimeoutError."""
    index, end = state.with_name(state.name + INDEX), time.monotonic() + within
    while not index.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"no restart index in {within:.0f} s")
        time.sleep(0.5)
