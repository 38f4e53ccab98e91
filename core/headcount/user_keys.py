"""What a user is known by in memory: a keyed 64-bit hash of the host and the name, smaller than any name.

Who does not have the secret can neither tell a name from a hash nor ask for one. That any two of a million users share
a hash happens on one server in thirty-seven million (n² / 2⁶⁵).
"""

import os
import sys
from array import array
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final

SECRET_SIZE: Final = 32
_NOBODY: Final = bytes(8)

KeyOf = Callable[[str], int]
"""The key of a user of one host, by the user's name."""


class HostKeys:
    """Gives the keys of one host's users, as `secret` makes them."""

    def __init__(self, secret: bytes, host: str) -> None:
        self._begun = blake2b(host.encode("utf-8", "surrogatepass") + b"\0", key=secret, digest_size=8)

    def __call__(self, user: str) -> int:
        """The key of one user."""
        return self.many((user,))[0]

    def many(self, users: Iterable[str | None]) -> "array[int]":
        """The keys of many users, 0 for each that is None."""
        begun, digests = self._begun.copy, []
        for user in users:
            if user is None:
                digests.append(_NOBODY)
                continue
            digest = begun()
            digest.update(user.encode("utf-8", "surrogatepass"))
            digests.append(digest.digest())
        keys = array("Q", b"".join(digests))
        if sys.byteorder == "big":
            keys.byteswap()
        return keys


class Keys:
    """Gives the keys of users. `secret` is random, and the same for as long as keys are to be compared."""

    def __init__(self, secret: bytes | None = None) -> None:
        self.secret = os.urandom(SECRET_SIZE) if secret is None else secret
        self._by_host: dict[str, HostKeys] = {}

    def go_on(self, secret: bytes) -> None:
        """Takes the secret of an earlier run. Not once a key has been given."""
        if self._by_host:
            raise RuntimeError("keys have been given already")
        self.secret = secret

    def of_host(self, host: str) -> HostKeys:
        """What gives the keys of a host's users."""
        if host not in self._by_host:
            self._by_host[host] = HostKeys(self.secret, host)
        return self._by_host[host]
