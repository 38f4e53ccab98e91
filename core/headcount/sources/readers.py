"""Many files of a host's users read, or looked at, as fast as the disk and the cores allow.

Where the page cache holds them, two processes share them; where a disk must be waited for, threads wait together, in
the order in which the disk has them. The first files tell which it is.
"""

import os
import resource
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count, islice
from typing import Any, Final

from headcount.compact_map import CompactMap
from headcount.prosody.files import SUFFIX
from headcount.prosody.many_files import Looks, Read, Stamps, StorePaths, UserStores, look_at, read_users
from headcount.sources.helper import LARGEST_REQUEST, Helper, HelperLostError
from headcount.sources.layout import NotListedError
from headcount.user_keys import Keys

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


Chunk = tuple[list[bytes], Stamps]
"""Names of files, and the change times of all of those users' files where they were looked at before."""


class Names:
    """Names of files, which can't hold a slash, in a fraction of a list's memory. They are listed while they are gone
    through, a little ahead of it, so that reading need not wait for all: until that `is_done`. Where the listing fails,
    going through them does. `unmoved` is the caller's."""

    def __init__(self, listed: Iterable[list[bytes]], unmoved: int = 0) -> None:
        self.unmoved = unmoved
        self.is_done = False
        self._failure: NotListedError | None = None
        self._listed = iter(listed)
        self._chunks: list[bytes] = []
        self._length = 0

    def __len__(self) -> int:
        """How many were listed so far."""
        return self._length

    def __iter__(self) -> Iterator[list[bytes]]:
        """All of them, in chunks."""
        for at in count():
            self.list_on()
            if at == len(self._chunks):
                return
            yield self._chunks[at].split(b"/")

    def list_on(self, until: int = 0) -> None:
        """Lists some more, and so many as to have `until` where there are. Raises NotListedError where it can't."""
        while not self.is_done:
            try:
                some = next(self._listed, None)
            except NotListedError as error:
                self._failure = error
                some = None
            if some is None:
                self.is_done = True
                break
            self._chunks += [b"/".join(some[at : at + CHUNK]) for at in range(0, len(some), CHUNK)]
            self._length += len(some)
            if some and self._length >= until:
                return
        if self._failure is not None:
            raise self._failure


class Reader:
    """Reads the files of one host's users, about so many `files` at once. To be closed. Raises OSError where a
    directory can't be opened."""

    def __init__(self, paths: StorePaths, keys: Keys, host: str, files: int) -> None:
        self._paths, self._secret, self._host = paths, keys.secret, host
        self._stores = UserStores(paths, keys.of_host(host))
        self._wants_help = files >= HELP_FROM and _cores() > 1
        self._helper: Helper | None = None

    def close(self) -> None:
        """Lets go of the directories and of the helper."""
        self._stores.close()
        self._lose_helper()

    def read(self, files: Sequence[bytes], since: int = 0, stamps: Stamps = ()) -> Read:
        """What `read_users` gives of some files."""
        return read_users(self._stores, files, since, stamps)

    def looks(self, number: int, files: Names, known: CompactMap) -> Iterator[Looks]:
        """What `look_at` gives of all the files of the store of that number, in any order. `known` may change
        meanwhile."""
        self._begin_helper(known)
        chunks: Iterator[Chunk] = ((names, ()) for names in files)
        for (names, _), answer in self._shared(chunks, lambda helper, names, _: helper.ask_to_look(number, names)):
            if answer is None:
                yield look_at(self._stores, number, known, names)
            else:
                keys, count, changed = answer
                yield Looks(array("Q", keys), count, changed)

    def rows(
        self, files: Names, number: int, since: int = 0, *, are_all: bool = False
    ) -> Iterator[tuple[list[bytes], Read]]:
        """What `read_users` gives of the files that are in the store of that number, in any order, with the names that
        it is of; where they are waited for, in the order that the disk has them in. `are_all` says that they are all
        that there are: then one that came since may be among them."""

        def placed(read: list[bytes], rest: Iterator[Chunk]) -> Iterator[Chunk]:
            names = set(read) if are_all else {name for names, _ in rest for name in names}
            return self._in_the_disks_order(self._paths[number][1], names, is_wanted=not are_all)

        yield from self._rows(((names, ()) for names in files), since, placed)

    def later_rows(self, later: Iterable[Chunk]) -> Iterator[tuple[list[bytes], Read]]:
        """The same of files that were only looked at before, in their order of then."""
        yield from self._rows(iter(later), 0, lambda _, rest: rest)

    def _rows(
        self, chunks: Iterator[Chunk], since: int, placed: Callable[[list[bytes], Iterator[Chunk]], Iterator[Chunk]]
    ) -> Iterator[tuple[list[bytes], Read]]:
        """What `read_users` gives of the chunks; where they are waited for, in the order that `placed` gives to those
        that are left."""
        first = next(chunks, None)
        if first is None:
            return
        before, begun = _blocks_read(), time.perf_counter()
        read = self.read(first[0], since, first[1])
        is_waiting = _is_waiting(len(first[0]), _blocks_read() - before, time.perf_counter() - begun)
        yield first[0], read
        if is_waiting:
            yield from self._by_threads(placed(first[0], chunks), since)
            return
        self._begin_helper()
        for (names, stamps), answer in self._shared(
            chunks, lambda helper, names, stamps: helper.ask_to_read(names, since, stamps)
        ):
            if answer is None:
                yield names, self.read(names, since, stamps)
            else:
                rows, read_stamps, nobody, later, later_stamps = answer
                yield names, Read(rows, _columns(read_stamps), nobody, later, _columns(later_stamps))

    def _by_threads(self, chunks: Iterator[Chunk], since: int) -> Iterator[tuple[list[bytes], Read]]:
        with ThreadPoolExecutor(THREADS) as pool:
            while some := list(islice(chunks, 4 * THREADS)):
                yield from pool.map(lambda chunk: (chunk[0], self.read(chunk[0], since, chunk[1])), some)

    def _in_the_disks_order(self, directory: bytes, names: set[bytes], *, is_wanted: bool) -> Iterator[Chunk]:
        """The files that are there, in the order that the disk has them in: those of `names` alone, or all but those.
        Wanted ones that are not there come last."""
        with os.scandir(directory) as entries:
            while some := list(islice(entries, SLICE)):
                placed = sorted(
                    (entry.inode(), entry.name)
                    for entry in some
                    if (entry.name in names) is is_wanted and entry.name.endswith(SUFFIX)
                )
                found = [name for _, name in placed]
                if is_wanted:
                    names.difference_update(found)
                yield from ((chunk, ()) for chunk in Names([found]))
        if is_wanted:
            yield from ((chunk, ()) for chunk in Names([list(names)]))

    def _shared(
        self, chunks: Iterable[Chunk], ask: Callable[[Helper, list[bytes], Stamps], None]
    ) -> Iterator[tuple[Chunk, Any]]:
        """The chunks with the helper's answers, or with None: those are for the caller to do."""
        asked: deque[Chunk] = deque()
        for chunk in chunks:
            if len(asked) == OPEN and self._helper is not None and self._helper.has_answered():
                yield self._answered(asked.popleft())
            if len(asked) < OPEN and self._asked(chunk, ask):
                asked.append(chunk)
            else:
                yield chunk, None
        while asked:
            yield self._answered(asked.popleft())

    def _begin_helper(self, known: CompactMap | None = None) -> None:
        if self._wants_help and self._helper is None:
            self._wants_help = False
            with suppress(HelperLostError):
                self._helper = Helper(self._paths, self._secret, self._host)
        if self._helper is not None and known is not None:
            try:
                self._helper.know(known)
            except HelperLostError:
                self._lose_helper()

    def _asked(self, chunk: Chunk, ask: Callable[[Helper, list[bytes], Stamps], None]) -> bool:
        """Whether the helper was asked for a chunk."""
        names, stamps = chunk
        size = sum(map(len, names)) + len(names) + 8 * len(names) * len(stamps)
        if self._helper is None or size > LARGEST_REQUEST:
            return False
        try:
            ask(self._helper, names, stamps)
        except HelperLostError:
            self._lose_helper()
            return False
        return True

    def _answered(self, chunk: Chunk) -> tuple[Chunk, Any]:
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


def _columns(stamps: Sequence[bytes]) -> Stamps:
    return [array("Q", column) for column in stamps]


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
def reading(paths: StorePaths, keys: Keys, host: str, files: int) -> Iterator[Reader]:
    """A reader for about so many `files`, closed at the end. Raises OSError where a directory can't be opened."""
    reader = Reader(paths, keys, host, files)
    try:
        yield reader
    finally:
        reader.close()
