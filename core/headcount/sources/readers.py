"""Many files of one store read, or looked at, as fast as the disk and the cores allow.

Where the page cache holds them, two processes share them; where a disk must be waited for, threads wait together, in
the order in which the disk has them. The first files tell which it is.
"""

import os
import resource
import time
from array import array
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from typing import Any, Final

from headcount.keys import Keys
from headcount.prosody.files import SUFFIX
from headcount.prosody.helping import DIRECTORY
from headcount.prosody.plain import Rows, look_at, read_plain
from headcount.sources.helper import LARGEST_REQUEST, Helper, HelperLostError

CHUNK: Final = 500
HELP_FROM: Final = 20_000
"""Files for which it is worth to begin a helper."""
SLOW: Final = 1e-3
"""Seconds that a file takes only where something far away is waited for; one from memory takes a hundredth."""
THREADS: Final = 8
SLICE: Final = 1 << 16
"""Files that are put in the disk's order at once."""
OPEN: Final = 2
"""Chunks that the helper is asked for before it has answered, so that it never waits for a question."""

Looks = tuple[list[bytes], "array[int]", "array[int]"]
"""Names of files, and of each the user's key and the change time, as `plain.look_at` gives them."""


class Names:
    """Names of files, which can't hold a slash, in a fraction of a list's memory."""

    def __init__(self, files: list[bytes]) -> None:
        self._chunks = [b"/".join(files[at : at + CHUNK]) for at in range(0, len(files), CHUNK)]
        self._length = len(files)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[list[bytes]]:
        """All of them, in chunks."""
        return (chunk.split(b"/") for chunk in self._chunks)


class Reader:
    """Reads the files of one store of one host. `directory` is its path, `beside` are those of the host's others. To be
    closed."""

    def __init__(self, directory: bytes, beside: list[bytes], keys: Keys, host: str, files: int) -> None:
        self._path, self._paths_beside, self._secret, self._host = directory, beside, keys.secret, host
        self._key_of = keys.of_host(host)
        self._opened = ExitStack()
        self._descriptor, *self._beside = self._open(directory, *beside)
        self._wants_help = files >= HELP_FROM and _cores() > 1
        self._helper: Helper | None = None

    def close(self) -> None:
        """Lets go of the directory and of the helper."""
        self._opened.close()
        self._lose_helper()

    def _open(self, *paths: bytes) -> list[int]:
        descriptors = []
        with ExitStack() as opened:
            for path in paths:
                descriptors.append(os.open(path, DIRECTORY))
                opened.callback(os.close, descriptors[-1])
            self._opened = opened.pop_all()
        return descriptors

    def read(self, files: list[bytes]) -> Rows:
        """What `read_plain` gives of some files."""
        return read_plain(self._descriptor, self._key_of, files, self._beside)

    def looks(self, files: Names) -> Iterator[Looks]:
        """All the files' keys and change times, in any order."""
        for chunk, answer in self._shared(iter(files), is_to_read=False):
            if answer is None:
                yield chunk, *look_at(self._descriptor, self._key_of, chunk)
            else:
                keys, changed = array("Q"), array("Q")
                keys.frombytes(answer[0])
                changed.frombytes(answer[1])
                yield chunk, keys, changed

    def rows(self, files: Names, *, are_all: bool) -> Iterator[tuple[list[bytes], Rows]]:
        """What `read_plain` gives of the files, in any order, with the names that it is of. `are_all` says that they
        are all that there are: then one may be read twice, or one that came since."""
        chunks = iter(files)
        first = next(chunks, [])
        before, begun = _blocks_read(), time.perf_counter()
        read = self.read(first)
        is_waiting = _is_waiting(len(first), _blocks_read() - before, time.perf_counter() - begun)
        yield first, read
        if is_waiting and len(files) > len(first):
            yield from self._rows_by_threads(None if are_all else {file for chunk in chunks for file in chunk})
            return
        for chunk, answer in self._shared(chunks, is_to_read=True):
            yield chunk, answer or self.read(chunk)

    def _rows_by_threads(self, wanted: set[bytes] | None) -> Iterator[tuple[list[bytes], Rows]]:
        """Those of `wanted`, None for all that are there."""
        with ThreadPoolExecutor(THREADS) as pool, os.scandir(self._path) as entries:
            while some := list(islice(entries, SLICE)):
                if wanted is None:
                    placed = sorted((entry.inode(), entry.name) for entry in some if entry.name.endswith(SUFFIX))
                else:
                    placed = sorted((entry.inode(), entry.name) for entry in some if entry.name in wanted)
                names = [name for _, name in placed]
                if wanted is not None:
                    wanted.difference_update(names)
                yield from self._pooled(pool, names)
            yield from self._pooled(pool, list(wanted or ()))  # what went meanwhile, or was not given

    def _pooled(self, pool: ThreadPoolExecutor, files: list[bytes]) -> Iterator[tuple[list[bytes], Rows]]:
        chunks = iter(Names(files))
        while some := list(islice(chunks, 4 * THREADS)):
            yield from pool.map(lambda chunk: (chunk, self.read(chunk)), some)

    def _shared(self, chunks: Iterator[list[bytes]], *, is_to_read: bool) -> Iterator[tuple[list[bytes], Any]]:
        """The chunks with the helper's answers, or with None: those are for the caller to do."""
        self._begin_helper()
        asked: deque[list[bytes]] = deque()
        for chunk in chunks:
            if len(asked) == OPEN and self._helper is not None and self._helper.has_answered():
                yield self._answered(asked.popleft())
            if len(asked) < OPEN and self._asked(chunk, is_to_read=is_to_read):
                asked.append(chunk)
            else:
                yield chunk, None
        while asked:
            yield self._answered(asked.popleft())

    def _begin_helper(self) -> None:
        if self._wants_help:
            self._wants_help = False
            with suppress(HelperLostError):
                self._helper = Helper(self._path, self._paths_beside, self._secret, self._host)

    def _asked(self, chunk: list[bytes], *, is_to_read: bool) -> bool:
        """Whether the helper was asked for a chunk."""
        if self._helper is None or sum(map(len, chunk)) + len(chunk) > LARGEST_REQUEST:
            return False
        try:
            self._helper.ask(chunk, is_to_read=is_to_read)
        except HelperLostError:
            self._lose_helper()
            return False
        return True

    def _answered(self, chunk: list[bytes]) -> tuple[list[bytes], Any]:
        """The helper's answer for a chunk, the first that it was asked for of those that are open."""
        if self._helper is not None:
            try:
                return chunk, self._helper.answer()
            except HelperLostError:
                self._lose_helper()
        return chunk, None

    def _lose_helper(self) -> None:
        if self._helper is not None:
            self._helper.close()
            self._helper = None


def _blocks_read() -> int:
    """What this process has had to read from a disk so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_inblock


def _is_waiting(files: int, blocks: int, seconds: float) -> bool:
    """Whether so many files, read in so many seconds, had to be waited for."""
    return blocks > files or seconds > SLOW * files


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def reading(directory: bytes, beside: list[bytes], keys: Keys, host: str, files: int) -> Iterator[Reader]:
    """A reader for about so many `files`, closed at the end. Raises OSError where a directory can't be opened."""
    reader = Reader(directory, beside, keys, host, files)
    try:
        yield reader
    finally:
        reader.close()
