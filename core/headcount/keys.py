"""What a user is known by in memory: a keyed 64-bit hash of the host and the name, smaller than any name.

Who does not have the secret can neither tell a name from a hash nor ask for one. That any two of a million users share
a hash happens on one server in thirty-seven million (n² / 2⁶⁵).
"""

import os
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

SECRET_SIZE: Final = 32

KeyOf = Callable[[str], int]
"""The key of a user of one host, by the user's name."""


class Keys:
    """Gives the keys of users. `secret` is random, and the same for as long as keys are to be compared."""

    def __init__(self, secret: bytes | None = None) -> None:
        self.secret = os.urandom(SECRET_SIZE) if secret is None else secret
        self._by_host: dict[str, KeyOf] = {}

    def go_on(self, secret: bytes) -> None:
        """Takes the secret of an earlier run. Not once a key has been given."""
        if self._by_host:
            raise RuntimeError("keys have been given already")
        self.secret = secret

    def of_host(self, host: str) -> KeyOf:
        """What gives the keys of a host's users."""
        if host not in self._by_host:
            self._by_host[host] = self._key_of(host)
        return self._by_host[host]

    def _key_of(self, host: str) -> KeyOf:
        begun = blake2b(host.encode("utf-8", "surrogatepass") + b"\0", key=self.secret, digest_size=8)
        number = int.from_bytes

        def key_of(user: str) -> int:
            digest = begun.copy()
            digest.update(user.encode("utf-8", "surrogatepass"))
            return number(digest.digest(), "little")

        return key_of
