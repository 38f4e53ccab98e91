"""The files of a host's users, read: all of them, those that changed, or those of whom an event told.

What was read is known by the user's key and the file's change time. A file that was read as soon as it was written may
be written once more without that time moving, so it is read again a little later.
"""

import operator
import os
import stat
from array import array
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from itertools import chain, compress

from headcount.errors import PERMISSION_DENIED
from headcount.prosody.files import LASTLOG2, LOGIN_STORE, user_of, users_of
from headcount.prosody.many import Rows, StorePaths
from headcount.prosody.stores import MAX_SIZE, read_store
from headcount.records import Activity, Flaw, Login, PlainUsers, Record, UserRecord, UsersGone
from headcount.sources.layout import STALE, TURN, Host, Layout, NotListedError, Store, changed_at
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
PARTS = 256
"""Parts into which all keys of users are divided, by their first bits, to look through them a few at a time."""


class UserReader:
    """Reads users' files of the hosts of a layout. `wall_ns` is the time of day that files are stamped with."""

    def __init__(self, layout: Layout, keys: Keys, wall_ns: Callable[[], int]) -> None:
        self._layout = layout
        self._keys = keys
        self._wall_ns = wall_ns

    def read_store(
        self, host: Host, store: Store, files: Names | None, advance: Callable[[int], None]
    ) -> Iterator[list[Record]]:
        """Reads the files of a store that are not what was read of them, unless nothing can have come since all were
        read, and makes orphans of the users whose files went. Those who can't have been active within thirty days are
        left for `read_later`. `files` are all files' names, None where their listing did not begin yet; `advance` is
        told how many of them are done."""
        if is_unmoved(store):
            return
        files = self.names(store) if files is None else files
        unmoved, are_all = files.unmoved, not len(store.files)
        try:
            files.list_on(HELP_FROM)
            with self._reading(host, store, len(files)) as reader:
                if not are_all:
                    files = Names([(yield from self._changed(host, store, reader, files, advance))])
                if store.name == LASTLOG2:
                    since = self._wall_ns() - RECENT_NS
                    rows = reader.rows(files, since=since, are_all=are_all)
                    yield from self._read_plain_files(host, store, rows, advance)
                else:
                    for chunk in files:
                        yield from self._read_users(host, chunk)
                        advance(len(chunk))
        except (FileNotFoundError, NotListedError):
            return  # where the directory went, a look at the layout tells
        if store.later:
            store.unmoved_later = unmoved
        else:
            store.unmoved = unmoved

    def read_later(self, host: Host, store: Store, advance: Callable[[int], None]) -> Iterator[list[Record]]:
        """Reads the files of a store that `read_store` left."""
        if not store.later:
            return
        later, store.later = store.later, []
        chunks = ((names.split(b"/"), stamps) for names, stamps in later)
        try:
            with self._reading(host, store, sum(len(stamps) for _, stamps in later)) as reader:
                yield from self._read_plain_files(host, store, reader.later_rows(chunks), advance)
        except FileNotFoundError:
            return
        store.unmoved = store.unmoved_later

    def sweep(self, host: Host, store: Store) -> Iterator[list[Record]]:
        """The same, of a store that is being followed, in turns: after every few files it gives what it found, or an
        empty batch. In between files may be read elsewhere; whatever is read here is told at once, so that what was
        read last is told last. A file that is to be read again soon anyway is left to that."""
        if is_unmoved(store):
            return
        files = self.names(store)
        present, known = array("Q"), 0
        try:
            while not files.is_done:
                files.list_on()
                yield []
            with self._reading(host, store, len(files)) as reader:
                for looks in reader.looks(files, store.files):
                    present += looks.keys
                    known += looks.known
                    changed = [
                        file
                        for file, key, stamp in looks.changed
                        if store.files.get(key) != stamp and file not in store.fresh
                    ]
                    yield from self.read_changed(host, changed)
                    yield []
        except (FileNotFoundError, NotListedError):
            return
        if known < len(store.files):
            yield from self._note_gone(host, store, present)
        store.unmoved = files.unmoved

    def names(self, store: Store) -> Names:
        """The names of a store's files, to be listed from now on."""
        unmoved = self._signature(changed_at(store.path) or 0)
        return Names(self._layout.user_files(store), unmoved)

    def read_changed(self, host: Host, files: list[bytes]) -> Iterator[list[Record]]:
        """Reads the files of those names in all stores, where there are any."""
        store = host.stores.get(LASTLOG2)
        if store is None:
            yield from self._read_users(host, files)
            return
        for start in range(0, len(files), BATCH):
            yield from self._read_here(host, store, files[start : start + BATCH])

    def read_fresh(self, host: Host) -> Iterator[list[Record]]:
        """Reads again what was read as soon as it was written, and tells of what is another one now."""
        fresh = list({file for store in host.stores.values() for file in store.fresh})
        for name, store in host.stores.items():
            if name != LASTLOG2:
                store.fresh.clear()
        yield from self.read_changed(host, fresh)

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
            yield from self._read_users(host, theirs)

    def read_file(self, path: bytes, limit: int) -> tuple[bytes | None, int | None, str]:
        """A file's bytes and signature, or why it can't be read; no signature where it is not there.

        Never waits: what is no regular file (a FIFO, say) is not read.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None, None, ""
        except OSError as error:
            why = PERMISSION_DENIED if isinstance(error, PermissionError) else clean(error.strerror or "")
            return None, self._signature(changed_at(path) or STALE), why
        try:
            found = os.fstat(descriptor)
            signature = self._signature(found.st_ctime_ns)
            if not stat.S_ISREG(found.st_mode):
                return None, signature, "it is not a file"
            if found.st_size > limit:
                return None, signature, f"it is larger than {limit >> 20} MiB"
            return os.read(descriptor, found.st_size + 1), signature, ""
        except OSError as error:
            return None, STALE, clean(error.strerror or "")
        finally:
            os.close(descriptor)

    def _reading(self, host: Host, store: Store, files: int) -> AbstractContextManager[Reader]:
        records = host.stores.get(LOGIN_STORE) if store.name == LASTLOG2 else None
        beside = [other.path for other in host.stores.values() if other is not store and other is not records]
        return reading(StorePaths(store.path, records.path if records else None, beside), self._keys, host.name, files)

    def _signature(self, changed: int) -> int:
        """What tells whether a file that changed then, and is read from now on, is another one later."""
        return changed if _is_settled(changed, self._wall_ns()) else STALE

    def _changed(
        self, host: Host, store: Store, reader: Reader, files: Names, advance: Callable[[int], None]
    ) -> Generator[list[Record], None, list[bytes]]:
        """The names of those files that are not what was read of them."""
        changed: list[bytes] = []
        present, known = array("Q"), 0
        for looks in reader.looks(files, store.files):
            present += looks.keys
            known += looks.known
            now_changed = [
                file for file, key, stamp in looks.changed if store.files.get(key) != stamp and file not in store.fresh
            ]
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

    def _read_plain_files(
        self,
        host: Host,
        store: Store,
        read: Iterator[tuple[list[bytes], Rows]],
        advance: Callable[[int], None],
    ) -> Iterator[list[Record]]:
        for chunk, rows in read:
            if rows.later:
                store.later.append((b"/".join(rows.later), rows.later_changed))
            if rows.rows:
                self._note_read(host, store, chunk, rows, self._wall_ns() - SHARED_NS)
                yield [PlainUsers(host.name, rows.rows)]
            if rows.others:
                yield from self._read_users(host, rows.others)
            advance(len(chunk) - len(rows.later))

    def _read_here(self, host: Host, store: Store, files: list[bytes]) -> Iterator[list[Record]]:
        """Reads some plain files in this process; of those that were read before as they are now nothing is told."""
        since = self._wall_ns()
        try:
            with self._reading(host, store, 0) as reader:
                read = reader.read(files)
        except OSError:
            yield from self._read_users(host, files)
            return
        rows = read.rows
        before = [store.fresh.get(file) for file in files] if store.fresh else []
        self._note_read(host, store, files, read, since)
        if any(known is not None for known in before):
            said = {known for known in before if known is not None}
            rows = [row for row in rows if hash(row) not in said]
        if rows:
            yield [PlainUsers(host.name, rows)]
        if read.others:
            yield from self._read_users(host, read.others)

    def _note_read(self, host: Host, store: Store, files: Sequence[bytes], read: Rows, since: int) -> None:
        """Notes which files were read, none before `since` (ns), and as of which change."""
        changed, recorded = read.changed, read.recorded
        if store.fresh or max((*changed, *recorded), default=0) >= since - COARSELY_SETTLED_NS:
            left = {*read.others, *read.later}
            names = [file for file in files if file not in left]
            are_settled = [
                _is_settled(one, since) and _is_settled(other, since)
                for one, other in zip(changed, recorded, strict=True)
            ]
            for file, row, is_settled in zip(names, read.rows, are_settled, strict=True):
                if not is_settled:
                    store.fresh[file] = hash(row)
                elif store.fresh:
                    store.fresh.pop(file, None)
            changed = array("Q", map(_or_stale, changed, are_settled))
            recorded = array("Q", map(_or_stale, recorded, are_settled))
        keys = [row[0] for row in read.rows]
        if host.unread_users:
            host.unread_users.difference_update(keys)
        store.files.put_many(keys, changed)
        records = host.stores.get(LOGIN_STORE)
        if records is not None:
            records.files.put_many(list(compress(keys, read.recorded)), array("Q", compress(recorded, read.recorded)))
            for key in compress(keys, map(operator.not_, read.recorded)):
                records.files.pop(key)

    def _read_users(self, host: Host, files: Sequence[bytes]) -> Iterator[list[Record]]:
        for start in range(0, len(files), BATCH):
            batch = files[start : start + BATCH]
            yield [record for file in batch if (record := self._read_user(host, file)) is not None]

    def _read_user(self, host: Host, file: bytes) -> UserRecord | None:
        """What all stores have in files of that name; None where it is nobody's."""
        user = user_of(file)
        if user is None:
            for store in host.stores.values():
                if changed_at(os.path.join(store.path, file)) is not None:
                    self._layout.note_nobody(store, file)
            return None
        key = self._keys.of_host(host.name)(user)
        known = is_unread = was_read = False
        activities: list[Activity] = []
        logins: list[Login] = []
        flaws: list[Flaw] = []
        for store in host.stores.values():
            path = os.path.join(store.path, file)
            data, signature, trouble = self.read_file(path, MAX_SIZE)
            store.fresh.pop(file, None)
            if signature is None:
                store.files.pop(key)
                continue
            store.files.put(key, signature)
            if data is None:
                flaws.append(self._layout.flaw("unreadable record", path, trouble))
                known = is_unread = True
                continue
            if signature == STALE:
                store.fresh[file] = None
            reading = read_store(store.name, data)
            was_read = True
            known = known or reading.known
            activities += reading.activities
            logins += reading.logins
            flaws += [self._layout.flaw(fault.what, path, fault.why) for fault in reading.faults]
        if is_unread and not was_read:
            host.unread_users.add(key)
        else:
            host.unread_users.discard(key)
        return UserRecord(host.name, user, known, tuple(activities), tuple(logins), tuple(flaws), is_unread)


def is_unmoved(store: Store) -> bool:
    """Whether nothing can have come to a store, as Prosody writes, since all in it was read."""
    return store.unmoved != 0 and changed_at(store.path) == store.unmoved


def _or_stale(changed: int, is_settled: bool) -> int:
    return changed if is_settled else STALE


def _is_settled(changed: int, since: int) -> bool:
    """Whether a file that changed then (ns), and was read no earlier than `since`, will have another change time when
    it changes once more."""
    return changed < since - (SETTLED_NS if changed % 1_000_000_000 else COARSELY_SETTLED_NS)
