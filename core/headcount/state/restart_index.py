"""The restart index: what was read of each file and when each user was last there, so that a later start need only read
what changed since.

It is a file beside the state. It names nobody: users are known by keyed hashes (`user_keys`), and of one who was not
there for thirty days it tells nothing more. It is believed only where it is whole, was made under the same settings
and not in the future, and is the one that the state speaks of; any other costs a reading of everything, and never a
count. It may be older than the state, since what changed after it was written has other change times. It begins with
its figures, which can be shown before all of it is read.
"""

import json
import os
import struct
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from headcount.atomic_files import put
from headcount.counting.saved_users import Rest, UserFigures, UsersIndex
from headcount.sources.files_read import StoreIndex

_MAGIC: Final = b"headcount index 3\n"
_LENGTH: Final = struct.Struct("<Q")
_LARGEST_HEAD: Final = 1 << 26
FIRST: Final = 30.0
EVERY: Final = 600.0
"""Seconds until the index is written for the first time, and from one time to the next."""
COST_FACTOR: Final = 500
"""How many times as long as its writing took, at least."""

REST: Final = 0.001
"""Seconds that whoever makes an index rests again and again, so that those who count or show meanwhile, and want only
short turns of Python each, need not wait for a long one."""

Head = dict[str, Any]
_T = TypeVar("_T")


@dataclass(slots=True)
class HostIndex:
    """One host: its stores by name, and its users."""

    stores: dict[str, StoreIndex]
    users: UsersIndex


@dataclass(slots=True)
class Beginning:
    """What an index begins with: the figures of each host."""

    secret: bytes
    hosts: dict[str, UserFigures]


@dataclass(slots=True)
class Index:
    """Everything. `token` is what the state calls it by, `secret` that of the users' keys."""

    secret: bytes
    token: str = field(default_factory=lambda: os.urandom(16).hex())
    hosts: dict[str, HostIndex] = field(default_factory=dict)


class IndexKeeper:
    """Keeps the index at `path`. `made_under` tells all that decides what a record means; while it tells something else
    than at the beginning, nothing is written. `clock` is monotonic, in seconds."""

    def __init__(self, path: Path, made_under: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._now_under = made_under
        self._made_under = made_under()
        self._clock = clock
        self._due_at = clock() + FIRST
        self._writing: threading.Thread | None = None
        self._written: str | None = None
        self._hurry = threading.Event()

    def is_due(self) -> bool:
        """Whether it is time to write it again."""
        return self._writing is None and self._clock() >= self._due_at

    def write(self, secret: bytes, hosts: Callable[[Rest], dict[str, HostIndex]]) -> None:
        """Begins to write an index, in a thread, so that nobody waits for the disk, nor for what `hosts` gives there.
        Not while one is being written."""
        self._hurry.clear()
        self._due_at = self._clock() + EVERY
        if self._now_under() == self._made_under:
            self._writing = threading.Thread(target=self._write, args=(secret, hosts), name="index")
            self._writing.start()

    def written(self, *, wait: bool = False) -> str | None:
        """The token of an index that has been written since this was asked last; None where there is none. It may
        `wait` for one that is being written."""
        if self._writing is None or (self._writing.is_alive() and not wait):
            return None
        self._hurry.set()
        self._writing.join()
        self._writing = None
        token, self._written = self._written, None
        return token

    def _rest(self) -> None:
        self._hurry.wait(REST)

    def _write(self, secret: bytes, hosts: Callable[[Rest], dict[str, HostIndex]]) -> None:
        began = self._clock()
        index = Index(secret, hosts=hosts(self._rest))
        with suppress(OSError):  # there is none then, which costs a reading
            self.put(index)
            self._written = index.token
        self._due_at = began + max(EVERY, COST_FACTOR * (self._clock() - began))

    def begin(self, token: str | None, now: float) -> Beginning | None:
        """What the index of that token begins with, if it was made under these settings, and not after `now` (Unix
        seconds); None where there is none that can be believed. The rest may still turn out to be damaged."""
        begun = None if token is None else self._believed(token, _beginning)
        if begun is None or any(figures.now > now for figures in begun.hosts.values()):
            return None
        return begun

    def read(self, token: str) -> Index | None:
        """The whole index of that token; None as in `begin`, and where any of it is damaged."""
        return self._believed(token, _whole)

    def put(self, index: Index) -> None:
        """Writes it for its owner alone, whole or not at all. Raises OSError."""
        put(str(self._path), self._parts(index))

    def _parts(self, index: Index) -> "Iterator[bytes | array[int]]":
        head = {
            "order": sys.byteorder,
            "token": index.token,
            "secret": index.secret.hex(),
            "made under": self._made_under,
            "hosts": {name: _described(host) for name, host in index.hosts.items()},
        }
        text = json.dumps(head).encode()
        begin = b"".join((_MAGIC, _LENGTH.pack(len(text)), text))
        digest = blake2b(begin)
        yield begin
        yield digest.digest()
        for column in _columns(index.hosts):
            digest.update(column)
            yield column
        yield digest.digest()

    def _believed(self, token: str, read: "Callable[[_Reading, Head], _T]") -> _T | None:
        try:
            with self._path.open("rb") as file:
                reading = _Reading(file)
                head = reading.head()
                if (head["token"], head["made under"], head["order"]) != (token, self._made_under, sys.byteorder):
                    return None
                return read(reading, head)
        except (OSError, ValueError, KeyError, TypeError, EOFError, MemoryError):
            return None


class _Reading:
    """An index that is being read, and the digest of what was read of it. All raises ValueError where it is damaged."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = blake2b()

    def head(self) -> Head:
        """What it begins with."""
        start = self._file.read(len(_MAGIC) + _LENGTH.size)
        if not start.startswith(_MAGIC):
            raise ValueError("it is no index")
        (length,) = _LENGTH.unpack(start[len(_MAGIC) :])
        if length > _LARGEST_HEAD:
            raise ValueError("no index begins with so much")
        text = self._file.read(length)
        self._digest.update(start)
        self._digest.update(text)
        self._check()
        head: Head = json.loads(text)
        return head

    def numbers(self, count: int) -> "array[int]":
        """The next column."""
        if not 0 <= count * 8 <= os.fstat(self._file.fileno()).st_size:
            raise ValueError("there is not so much in the file")
        column = array("Q")
        column.fromfile(self._file, count)
        self._digest.update(column)
        return column

    def end(self) -> None:
        """There must be nothing more."""
        self._check()
        if self._file.read(1):
            raise ValueError("there is more in the file")

    def _check(self) -> None:
        if self._file.read(blake2b.MAX_DIGEST_SIZE) != self._digest.digest():
            raise ValueError("it is damaged")


def _beginning(_: _Reading, head: Head) -> Beginning:
    hosts = {name: UserFigures(*host["users"]) for name, host in head["hosts"].items()}
    return Beginning(bytes.fromhex(head["secret"]), hosts)


def _whole(reading: _Reading, head: Head) -> Index:
    begun = _beginning(reading, head)
    hosts = {}
    for name, host in head["hosts"].items():
        stores = {
            store: StoreIndex((device, inode), unmoved, reading.numbers(count), reading.numbers(count))
            for store, (device, inode, unmoved, count) in host["stores"].items()
        }
        users = begun.hosts[name]
        hosts[name] = HostIndex(stores, UsersIndex(users, reading.numbers(users.known), reading.numbers(users.known)))
    reading.end()
    return Index(begun.secret, head["token"], hosts)


def _described(host: HostIndex) -> dict[str, Any]:
    users = host.users.figures
    return {
        "stores": {name: [*store.identity, store.unmoved, len(store.keys)] for name, store in host.stores.items()},
        "users": [users.now, users.known, users.cells, users.counts, users.started],
    }


def _columns(hosts: Mapping[str, HostIndex]) -> "Iterator[array[int]]":
    for host in hosts.values():
        for store in host.stores.values():
            yield from (store.keys, store.changed)
        yield from (host.users.keys, host.users.packed)
