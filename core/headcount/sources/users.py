"""The files of a host's users, read: all of them, those that changed, or those of whom an event reported.

What was read is known by the user's key and the file's change time. A file that was read as soon as it was written may
be written once more without that time moving, so it is read again a little later.
"""

import os
import sys
from array import array
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from itertools import chain, compress

from headcount.compact_map import CompactMap
from headcount.prosody.files import user_file, user_of, users_of
from headcount.prosody.many_files import GONE, STALE, Read, Row
from headcount.records import Record, UserRecord, Users, UsersGone
from headcount.sources.layout import TURN, Host, Layout, NotListedError, Store, changed_at
from headcount.sources.readers import HELP_FROM, Names, Reader, reading
from headcount.text import clean
from headcount.user_keys import Keys

BATCH = 500
RECENT_NS = 30 * 86_400 * 1_000_000_000
"""Who was active within so long has a file that changed within it."""
SETTLED_NS = 25_000_000
"""A file that changed less than this before it was read may change once more without its change time moving: by the
kernel's clock, which may tick every ten milliseconds."""
COARSELY_SETTLED_NS = 2_500_000_000
"""The same where a file system writes whole seconds, or every other one, only."""
SHARED_NS = 1_000_000_000
"""How long ago a helper's answer may have been made that is looked at now."""
PLAIN = len(UserRecord._fields)
"""Columns of the row of a user with whom nothing is odd: it is a record as it stands."""
_record: Callable[[type[UserRecord], Row], UserRecord] = tuple.__new__
PARTS = 256
"""Parts into which all keys of users are divided, by their first bits, to look through them a few at a time."""


class UserReader:
    """Reads users' files of the hosts of a layout. `wall_ns` is the time of day that files are stamped with."""

    def __init__(self, layout: Layout, keys: Keys, wall_ns: Callable[[], int]) -> None:
        self._layout = layout
        self._keys = keys
        self._wall_ns = wall_ns

    def read_recent(
        self, host: Host, names: dict[bytes, Names], advance: Callable[[int], None]
    ) -> Iterator[list[Record]]:
        """Reads the files of a host that are not what was read of them, in all stores but those to which nothing can
        have come since all in them was read, and makes orphans of the users whose files went. Users of whom no file was
        written within thirty days, who can't have been active, are left for `read_later`. `names` are those of all
        files by the path of their store, where their listing began already; `advance` is called with how many files are
        done."""
        moved = [store for store in host.stores.values() if not is_unmoved(store)]
        if not moved:
            return
        listed = [names.pop(store.path) if store.path in names else self.names(store) for store in moved]
        try:
            for files in listed:
                files.list_on(HELP_FROM)
            with self._reading(host, sum(map(len, listed))) as reader:
                seen = Seen([*host.stores], [store.name for store in moved if len(store.files)], advance)
                for store, files in zip(moved, listed, strict=True):
                    yield from self._read_store(host, store, reader, files, seen)
                    store.unmoved_later = files.unmoved
        except (FileNotFoundError, NotListedError):
            return  # where the directory went, a look at the layout tells
        if not host.later:
            _note_unmoved(host)

    def _read_store(
        self, host: Host, store: Store, reader: Reader, files: Names, seen: "Seen"
    ) -> Iterator[list[Record]]:
        number, are_all = _number(host, store), False
        if store.name in seen.before:
            files = Names([(yield from self._changed(host, store, reader, files, seen.advance))])
        elif not seen.files[store.name]:
            are_all = True
        else:
            files.list_on(sys.maxsize)
            if seen.files[store.name] >= len(files):
                return  # they were all read along with another store's
            files = Names(self._unseen(host, store, files))
        since = self._wall_ns() - RECENT_NS
        for chunk, read in reader.rows(files, number, since, are_all=are_all):
            if read.later:
                host.later.append((b"/".join(read.later), read.later_stamps))
            yield self._said(host, chunk, read, self._wall_ns() - SHARED_NS)
            seen.take(read)

    def _unseen(self, host: Host, store: Store, files: Names) -> Iterator[list[bytes]]:
        """Those files of a store whose users were neither read nor left for later along with another store's."""
        keys, left = self._keys.of_host(host.name), CompactMap()
        for names, _ in host.later:
            for key in keys.many(users_of(names.split(b"/"))):
                left.put(key, 0)
        for chunk in files:
            of_chunk = zip(chunk, keys.many(users_of(chunk)), strict=True)
            yield [file for file, key in of_chunk if key not in store.files and key not in left]

    def read_later(self, host: Host, advance: Callable[[int], None]) -> Iterator[list[Record]]:
        """Reads the files of a host that `read_recent` left."""
        if not host.later:
            return
        later, host.later = host.later, []
        files = sum(names.count(b"/") + 1 for names, _ in later)
        try:
            with self._reading(host, files) as reader:
                seen = Seen([*host.stores], (), advance)
                for chunk, read in reader.later_rows((names.split(b"/"), stamps) for names, stamps in later):
                    yield self._said(host, chunk, read, self._wall_ns() - SHARED_NS)
                    seen.take(read)
        except FileNotFoundError:
            return
        _note_unmoved(host)

    def sweep(self, host: Host, store: Store) -> Iterator[list[Record]]:
        """The same, of a store that is being followed, in turns: after every few files it gives what it found, or an
        empty batch. In between files may be read elsewhere; whatever is read here is reported at once, so that what was
        read last is reported last. A file that is to be read again soon anyway is left to that."""
        if is_unmoved(store):
            return
        files = self.names(store)
        present, known = array("Q"), 0
        try:
            while not files.is_done:
                files.list_on()
                yield []
            with self._reading(host, len(files)) as reader:
                for looks in reader.looks(_number(host, store), files, store.files):
                    present += looks.keys
                    known += looks.known
                    changed = [look[0] for look in looks.changed if _is_to_read(host, store, *look)]
                    yield from self.read_changed(host, changed)
                    yield []
        except (FileNotFoundError, NotListedError):
            return
        if known < len(store.files):
            yield from self._note_gone(host, store, present)
        store.unmoved = files.unmoved

    def names(self, store: Store) -> Names:
        """The names of a store's files, to be listed from now on."""
        unmoved = self.signature(changed_at(store.path) or 0)
        return Names(self._layout.user_files(store), unmoved)

    def read_changed(self, host: Host, files: list[bytes]) -> Iterator[list[Record]]:
        """Reads the files of those names in all stores, in this process. Of those that are as they were when they were
        read before, nothing is said."""
        for start in range(0, len(files), BATCH):
            some, since = files[start : start + BATCH], self._wall_ns()
            try:
                with self._reading(host, 0) as reader:
                    read = reader.read(some)
            except OSError:
                return  # a sweep finds them
            yield self._said(host, some, read, since)

    def read_fresh(self, host: Host) -> Iterator[list[Record]]:
        """Reads again what was read as soon as it was written, and tells of what has changed since."""
        yield from self.read_changed(host, list(host.fresh))

    def read_orphans(self, host: Host) -> Iterator[list[Record]]:
        """Tells of users whose files went: who has one in another store still, and who is gone."""
        if not host.orphans:
            return
        orphans, host.orphans = host.orphans, set()
        left = {key for key in orphans if any(key in store.files for store in host.stores.values())}
        if orphans - left:
            yield [UsersGone(host.name, list(orphans - left))]
        if left:
            key_of = self._keys.of_host(host.name)
            files: set[bytes] = set()
            for store in host.stores.values():
                with suppress(NotListedError):
                    files.update(chain.from_iterable(self._layout.user_files(store)))
            theirs = [file for file in files if (user := user_of(file)) is not None and key_of(user) in left]
            yield from self.read_changed(host, theirs)

    def signature(self, changed: int) -> int:
        """What tells whether a file that changed then, and is read from now on, is another one later."""
        return changed if _is_settled(changed, self._wall_ns()) else STALE

    def _reading(self, host: Host, files: int) -> AbstractContextManager[Reader]:
        paths = [(store.name, store.path) for store in host.stores.values()]
        return reading(paths, self._keys, host.name, files)

    def _changed(
        self, host: Host, store: Store, reader: Reader, files: Names, advance: Callable[[int], None]
    ) -> Generator[list[Record], None, list[bytes]]:
        """The names of those files that are not what was read of them."""
        changed: list[bytes] = []
        present, known = array("Q"), 0
        for looks in reader.looks(_number(host, store), files, store.files):
            present += looks.keys
            known += looks.known
            now_changed = [look[0] for look in looks.changed if _is_to_read(host, store, *look)]
            changed += now_changed
            advance(len(looks.keys) - len(now_changed))
            yield []
        if known < len(store.files):
            yield from self._note_gone(host, store, present)
        return changed

    def _note_gone(self, host: Host, store: Store, present: "array[int]") -> Iterator[list[Record]]:
        """Makes orphans, in turns, of the users whose files are not there. A listing may leave out a name while others
        change, so that only who is left out twice is gone; and who was read again meanwhile is there."""
        parts = [array("Q") for _ in range(PARTS)]
        shift = 64 - PARTS.bit_length() + 1
        for at in range(0, len(present), TURN):
            for key in present[at : at + TURN]:
                parts[key >> shift].append(key)
            yield []
        gone: dict[int, int] = {}
        for number, part in enumerate(parts):
            there = set(part)
            of_part = store.files.part(number << shift, (number + 1) << shift)
            gone.update((key, signature) for key, signature in of_part if key not in there and signature != STALE)
            yield []
        if not gone:
            return
        keys = self._keys.of_host(host.name)
        try:
            for files in self._layout.user_files(store):
                for key in keys.many(users_of(files)):
                    gone.pop(key, None)
                yield []
        except NotListedError:
            return
        for key, signature in gone.items():
            if store.files.get(key) == signature:
                store.files.pop(key)
                host.orphans.add(key)

    def _said(self, host: Host, files: Sequence[bytes], read: Read, since: int) -> list[Record]:
        """What is to be said of files that were read, none before `since` (ns); notes them as read."""
        for file in read.nobody:
            self._note_nobody(host, file)
        keys = [row[0] for row in read.rows]
        rows = read.rows
        if host.fresh or max(map(max, filter(None, read.stamps)), default=0) >= since - COARSELY_SETTLED_NS:
            rows = _note_fresh(host, files, read, since)
        for store, stamps in zip(host.stores.values(), read.stamps, strict=True):
            _note_read(store, keys, stamps)
        if host.unread_users:
            host.unread_users.difference_update(keys)
        users = [_record(UserRecord, row) if len(row) == PLAIN else self._odd(host, row) for row in rows]
        return [Users(host.name, users)] if users else []

    def _odd(self, host: Host, row: Row) -> UserRecord:
        """The record of a user with whose files something is odd."""
        *said, problems, is_known, is_unread, was_read = row
        key, user, *_ = said
        if is_unread and not was_read:
            host.unread_users.add(key)
        paths = [os.path.join(store.path, user_file(user)) for store in host.stores.values()]
        problems = tuple(self._layout.problem(what, paths[number], clean(why)) for number, what, why in problems)
        return _record(UserRecord, (*said, problems, is_known, is_unread))

    def _note_nobody(self, host: Host, file: bytes) -> None:
        for store in host.stores.values():
            if changed_at(os.path.join(store.path, file)) is not None:
                self._layout.note_nobody(store, file)


class Seen:
    """How many files were read, or left for later, in each of the stores of those names. `before` are those of which
    files had been read before."""

    def __init__(self, stores: Sequence[str], before: Collection[str], advance: Callable[[int], None]) -> None:
        self.files = dict.fromkeys(stores, 0)
        self.before = before
        self.advance = advance

    def take(self, read: Read) -> None:
        """Takes note of what was read."""
        done = [len(stamps) - stamps.count(GONE) for stamps in read.stamps]
        later = [len(stamps) - stamps.count(GONE) for stamps in read.later_stamps or read.stamps]
        for store, files, left in zip(self.files, done, later, strict=True):
            self.files[store] += files + (left if read.later else 0)
        self.advance(sum(done))


def _number(host: Host, store: Store) -> int:
    return list(host.stores).index(store.name)


def _is_to_read(host: Host, store: Store, file: bytes, key: int, stamp: int) -> bool:
    """Whether a file is another one than was read, and is not to be read again soon anyway."""
    before = store.files.get(key)
    return before != stamp and not (before == STALE and file in host.fresh)


def _note_unmoved(host: Host) -> None:
    """All that there was in the stores has been read."""
    for store in host.stores.values():
        if store.unmoved_later:
            store.unmoved, store.unmoved_later = store.unmoved_later, 0


def _note_read(store: Store, keys: Sequence[int], stamps: "array[int]") -> None:
    """Notes as of which changes the files of the users of those keys were read."""
    if GONE not in stamps:
        store.files.put_many(keys, stamps)
        return
    is_there = [stamp != GONE for stamp in stamps]
    store.files.put_many(list(compress(keys, is_there)), list(compress(stamps, is_there)))
    if len(store.files):
        for key, stamp in zip(keys, stamps, strict=True):
            if stamp == GONE:
                store.files.pop(key)


def _note_fresh(host: Host, files: Sequence[bytes], read: Read, since: int) -> list[Row]:
    """Notes the files that were read so soon after they were written that they have to be read again; returns the rows
    of those that are not what was said of them before."""
    aside = {*read.nobody, *read.later}
    names = [file for file in files if file not in aside]
    others: list[Row] = []
    for at, (file, row) in enumerate(zip(names, read.rows, strict=True)):
        before = host.fresh.pop(file, None)
        for stamps in read.stamps:
            if not _is_settled(stamps[at], since):
                host.fresh[file] = hash(row)
                stamps[at] = STALE
        if before != hash(row):
            others.append(row)
    return others


def is_unmoved(store: Store) -> bool:
    """Whether nothing can have come to a store, as Prosody writes, since all in it was read."""
    return store.unmoved != 0 and changed_at(store.path) == store.unmoved


def _is_settled(changed: int, since: int) -> bool:
    """Whether a file that changed then (ns), and was read no earlier than `since`, will have another change time when
    it changes once more."""
    return changed < since - (SETTLED_NS if changed % 1_000_000_000 else COARSELY_SETTLED_NS)
