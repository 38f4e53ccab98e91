"""Writes a data directory as Prosody does: the same names, modes, and one rename for each write.

Source: `atomic_store` and `store` in Prosody's util/datamanager.lua.
"""

import os
from collections.abc import Mapping
from contextlib import suppress

from headcount.prosody.lua_table import as_lua
from headcount.prosody.lua_write import serialise
from headcount.prosody.names import encode, encode_store

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


class DataDirectory:
    """A `data_path`. `written` counts the files that were put in place."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.fsencode(root)
        self.written = 0

    def write(self, host: str, store: str, user: str | None, table: Mapping[str, object], when: float) -> None:
        """Replace one record; its file's time is `when`, as it is where the server's clock is the machine's.

        `user` is None for a record of the host itself.
        """
        path = self._path(host, store, user)
        try:
            file = os.open(path + b"~", _FLAGS, 0o640)
        except FileNotFoundError:  # a store has no directory before its first record
            self._make_directory(os.path.dirname(path))
            file = os.open(path + b"~", _FLAGS, 0o640)
        try:
            os.fchmod(file, 0o640)  # Prosody sets its own umask, 027
            os.write(file, serialise(as_lua(table)))
            os.utime(file, ns=(int(when * 1e9),) * 2)
        finally:
            os.close(file)
        os.rename(path + b"~", path)
        self.written += 1

    def remove(self, host: str, store: str, user: str, when: float) -> None:
        """Empty one record and remove its file, as Prosody does when an account is deleted."""
        self.write(host, store, user, {}, when)
        os.unlink(self._path(host, store, user))

    def _path(self, host: str, store: str, user: str | None) -> bytes:
        name = encode_store(store) if user is None else encode_store(store) + b"/" + encode(user)
        return os.path.join(self._root, encode(host), name + b".dat")

    def _make_directory(self, path: bytes) -> None:
        if not os.path.isdir(os.path.dirname(path)):
            self._make_directory(os.path.dirname(path))
        with suppress(FileExistsError):
            os.mkdir(path, 0o750)
            os.chmod(path, 0o750)  # noqa: S103 - as Prosody's own, whatever our umask is
