"""The restart index: what was read of each file and when each user was last there, so that a later start need only read
what changed since.

It is a file beside the state. It names nobody: users are known by keyed hashes (`keys`), and of one who was not there
for thirty days it tells nothing more. It is believed only where it is whole, was made under the same settings, and is
the one that the state speaks of; any other costs a reading of everything, and never a count. It may be older than the
state, since what changed after it was written has other change times.
"""

import json
import os
import secrets
import struct
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any, Final

_MAGIC: Final = b"headcount index 1\n"
_LENGTH: Final = struct.Struct("<Q")
_LARGEST_HEAD: Final = 1 << 26
FIRST: Final = 30.0
EVERY: Final = 600.0
"""Seconds until the index is written for the first time, and from one time to the next."""
COST_FACTOR: Final = 500
"""How many times as long as its writing took, at least."""


@dataclass(slots=True)
class StoreIndex:
    """One store: what tells its directory from another one, its change time (ns) when everything in it had been read (0
    where that is not known), and by user's key, ascending, the change time of each file that was read."""

    identity: tuple[int, int]
    unmoved: int
    keys: "array[int]"
    changed: "array[int]"


@dataclass(slots=True)
class UsersIndex:
    """The active users of one host at a moment (`ActiveUsers.export`)."""

    now: float
    cells: list[list[Any]]
    counts: list[list[int]]
    keys: "array[int]"
    packed: "array[int]"


@dataclass(slots=True)
class HostIndex:
    """One host: its stores by name, and its users."""

    stores: dict[str, StoreIndex]
    users: UsersIndex


@dataclass(slots=True)
class Index:
    """Everything. `token` is what the state calls it by, `secret` that of the users' keys."""

    secret: bytes
    token: str = field(default_factory=lambda: secrets.token_hex(16))
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

    def restored(self, token: str | None) -> Index | None:
        """The index, if it is whole, made under these settings and the one that the state calls by that token."""
        return None if token is None else self.read(token)

    def is_due(self) -> bool:
        """Whether it is time to write it again."""
        return self._clock() >= self._due_at

    def write(self, secret: bytes, hosts: dict[str, HostIndex]) -> str | None:
        """Writes an index; returns its token, None where that is not to be or can't be."""
        began = self._clock()
        self._due_at = began + EVERY
        if self._now_under() != self._made_under:
            return None
        index = Index(secret, hosts=hosts)
        try:
            self.put(index)
        except OSError:
            return None
        self._due_at = began + max(EVERY, COST_FACTOR * (self._clock() - began))
        return index.token

    def read(self, token: str) -> Index | None:
        """The index of that token; None where there is none that can be believed."""
        try:
            with self._path.open("rb") as file:
                return self._read(file, token)
        except (OSError, ValueError, KeyError, TypeError, EOFError, MemoryError):
            return None

    def put(self, index: Index) -> None:
        """Writes it for its owner alone, whole or not at all. Raises OSError."""
        handle, beside = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)  # 0600
        try:
            with open(handle, "wb") as file:
                self._write(file, index)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(beside)

    def _write(self, file: IO[bytes], index: Index) -> None:
        head = {
            "order": sys.byteorder,
            "token": index.token,
            "secret": index.secret.hex(),
            "made under": self._made_under,
            "hosts": {name: _described(host) for name, host in index.hosts.items()},
        }
        digest = blake2b()
        text = json.dumps(head).encode()
        parts: list[bytes | array[int]] = [_MAGIC, _LENGTH.pack(len(text)), text, *_columns(index.hosts)]
        for part in parts:
            digest.update(part)
            file.write(part)
        file.write(digest.digest())

    def _read(self, file: IO[bytes], token: str) -> Index | None:
        start = file.read(len(_MAGIC) + _LENGTH.size)
        if not start.startswith(_MAGIC):
            return None
        (length,) = _LENGTH.unpack(start[len(_MAGIC) :])
        if length > _LARGEST_HEAD:
            return None
        text = file.read(length)
        head = json.loads(text)
        if (head["token"], head["made under"], head["order"]) != (token, self._made_under, sys.byteorder):
            return None
        digest = blake2b(start + text)
        left = os.fstat(file.fileno()).st_size

        def numbers(count: int) -> "array[int]":
            if not 0 <= count * 8 <= left:
                raise ValueError("there is not so much in the file")
            column = array("Q")
            column.fromfile(file, count)
            digest.update(column)
            return column

        hosts = {}
        for name, host in head["hosts"].items():
            stores = {
                store: StoreIndex((device, inode), unmoved, numbers(count), numbers(count))
                for store, (device, inode, unmoved, count) in host["stores"].items()
            }
            now, cells, counts, count = host["users"]
            hosts[name] = HostIndex(stores, UsersIndex(now, cells, counts, numbers(count), numbers(count)))
        if file.read() != digest.digest():
            return None
        return Index(bytes.fromhex(head["secret"]), token, hosts)


def _described(host: HostIndex) -> dict[str, Any]:
    users = host.users
    return {
        "stores": {name: [*store.identity, store.unmoved, len(store.keys)] for name, store in host.stores.items()},
        "users": [users.now, users.cells, users.counts, len(users.keys)],
    }


def _columns(hosts: Mapping[str, HostIndex]) -> list["array[int]"]:
    columns: list[array[int]] = []
    for host in hosts.values():
        for store in host.stores.values():
            columns += [store.keys, store.changed]
        columns += [host.users.keys, host.users.packed]
    return columns
