"""A second process that reads half of the files, since one process of Python uses one core alone.

It is a new process, never a fork (the screen's has threads), and it ends when its standard input does: so it is never
left behind. Whatever becomes of it, its caller goes on alone.
"""

import contextlib
import marshal
import os
import select
import subprocess
import sys
from typing import Any, Final

from headcount.compact_map import CompactMap
from headcount.prosody.helping import received, send
from headcount.prosody.many_files import Stamps, StorePaths

LARGEST_REQUEST: Final = 24_000
"""Bytes of names and change times in a request: two of them fit into a pipe, so that sending one never waits for the
helper."""
_BEGIN: Final = "import sys; sys.path.insert(0, sys.argv[1]); from headcount.prosody.helping import serve; serve()"


class HelperLostError(Exception):
    """The helper is gone, or never came."""


class Helper:
    """The helper for the stores of those `paths`; `secret` and `host` give the keys of their users.

    Raises HelperLostError where it can't begin; so do all others once it is gone.
    """

    def __init__(self, paths: StorePaths, secret: bytes, host: str) -> None:
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this Python with a text of our own
                [sys.executable, "-S", "-E", "-c", _BEGIN, root],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt at the terminal is for its parent to act on
            )
        except (OSError, ValueError) as error:
            raise HelperLostError from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked, self._said = self._process.stdin, self._process.stdout
        self._send((tuple(paths), secret, host))

    def know(self, files: CompactMap) -> None:
        """Tells it the change times that are known, before files are to be looked at."""
        self._send((0, b"", *files.columns()))

    def ask_to_look(self, number: int, files: list[bytes]) -> None:
        """Has `files` of the store of that number looked at. No more than two questions may be open."""
        self._send((number, b"/".join(files)))

    def ask_to_read(self, files: list[bytes], since: int, stamps: Stamps) -> None:
        """Has `files` read; as many questions may be open."""
        self._send((-1, b"/".join(files), since, list(stamps)))

    def has_answered(self) -> bool:
        """Whether `answer` need not wait long."""
        return bool(select.select([self._said], [], [], 0)[0])

    def answer(self) -> Any:
        """What `read_users` or `look_at` gave for the files that were asked for first; of arrays the bytes."""
        try:
            return marshal.loads(received(self._said))  # noqa: S302 - from a process that we began
        except (OSError, EOFError, ValueError, TypeError) as error:
            raise HelperLostError from error

    def close(self) -> None:
        """Ends it."""
        for pipe in (self._asked, self._said):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.kill()
        self._process.wait()

    def _send(self, message: Any) -> None:
        try:
            send(self._asked, message)
        except (OSError, ValueError) as error:
            raise HelperLostError from error
