"""Has a GeoIP file prove itself in a child process, which may fall over it: that is an answer too."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

import maxminddb

from headcount.places.database import About
from headcount.places.proving import Stamp, seconds_for
from headcount.text import clean

_BEGIN: Final = (
    "import sys; sys.path[:0] = sys.argv[1].split('\\n'); from headcount.places.proving import serve; serve()"
)
_SLACK: Final = 10
"""How many times as long as a file may take of a processor it may take in all, on a machine that has other work."""
_ENDING: Final = 5.0
"""Seconds that a child may take to end once it has said all."""

Verdict = Literal["whole", "set aside", "damaged", "unreadable", "foreign", "changed", "no copy", "no answer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a file. Where it is `whole`, its copy is, and has that digest; `stamp` is the file's then.

    "set aside": it holds no places; "foreign": it is no GeoIP database; "changed": it was written to meanwhile.
    `why` has no full stop; `error` is the system's number, where it is one.
    """

    verdict: Verdict
    why: str = ""
    digest: str = ""
    stamp: Stamp | None = None
    error: int = 0


class Proof:
    """A child at work on the file at `path`, of so many bytes; `good` are digests that need no proof any more.

    `about` is what it says that the file is, once it did. It waits then until `go_on`. Raises OSError where no child
    can be begun.
    """

    def __init__(self, path: str, size: int, good: Collection[str], ticks: Callable[[], float]) -> None:
        self.about: About | None = None
        self._ticks = ticks
        self._ends_at = ticks() + _SLACK * seconds_for(size)
        self._said = b""
        self._answer: Answer | None = None
        ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        theirs = os.path.dirname(os.path.dirname(os.path.abspath(maxminddb.__file__)))
        self._process = subprocess.Popen(  # noqa: S603 - this Python with a text of our own
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                _BEGIN,
                f"{ours}\n{theirs}",
                json.dumps([os.getpid(), path, list(good)]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt at the terminal is for its parent to act on
        )

    def go_on(self, copy: str) -> None:
        """Has the file copied to `copy`, and every record of that looked at."""
        assert self._process.stdin is not None
        with suppress(OSError):  # one that has fallen already is seen to have
            self._process.stdin.write(json.dumps(copy).encode() + b"\n")
            self._process.stdin.flush()

    def answer(self, patience: float) -> Answer | None:
        """What became of the file; None while that is not known. It waits so many seconds for news at the most."""
        if self._answer is None:
            self._hear(patience)
            if self._answer is None and self._ticks() >= self._ends_at:
                self._answer = Answer("no answer", "it took too long to look through")
        return self._answer

    def close(self) -> None:
        """Ends the child."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):  # one that waits for a disk that does not answer ends when that does
            self._process.wait(_ENDING)

    def _hear(self, patience: float) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        if not select.select([pipe], [], [], patience)[0]:
            return
        part = os.read(pipe.fileno(), 1 << 16)
        *lines, self._said = (self._said + part).split(b"\n")
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, RecursionError):
                self._answer = Answer("no answer", "the look through it went wrong")
        if not part and self._answer is None:
            self._answer = self._fallen()

    def _take(self, said: dict[str, Any]) -> None:
        match said:
            case {"whole": str(digest), "stamp": [*stamp]}:
                self.about = About.from_json(said["about"])
                inode, size, changed, moved = (int(part) for part in stamp)
                self._answer = Answer("whole", digest=digest, stamp=(inode, size, changed, moved))
            case {"about": about}:
                self.about = About.from_json(about)
            case {"foreign": _}:
                self._answer = Answer("foreign")
            case {"damaged": why}:
                self._answer = Answer("damaged", f"a record can't be read ({clean(str(why), 40)})")
            case {"changed": _}:
                self._answer = Answer("changed")
            case {"error": int(number)}:
                self._answer = Answer("unreadable", clean(os.strerror(number)), error=number)
            case {"no_copy": int(number)}:
                self._answer = Answer("no copy", clean(os.strerror(number)), error=number)
            case _:
                raise ValueError("not an answer")

    def _fallen(self) -> Answer:
        """What it means that the child ended without a word."""
        try:
            code = self._process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            return Answer("no answer", "the look through it went wrong")
        if code >= 0:
            return Answer("no answer", f"the look through it ended with {code}")
        if -code == signal.SIGXCPU:
            return Answer("no answer", "it took too long to look through")
        return Answer("damaged", f"it ends the program that reads it ({_name(-code)})")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
