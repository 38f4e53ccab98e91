"""A database beside the server's files that is newer than all of them: the server seems to have moved to it.

Of a database no more is read than the first bytes, since whoever opens one may hold up the server that writes it.
A server may also keep users in files and something else, its archive say, in a database: then both are written by
turns. A database beside which files were written after all is believed again only when they were silent for long.
"""

import os
import stat
from collections.abc import Collection
from typing import Final

SILENT_NS: Final = 6 * 3600 * 1_000_000_000
"""How long (ns) no file was written beside a database that is known to be written beside files."""
_SUFFIX: Final = b".sqlite"
_LOG: Final = b"-wal"
_MAGIC: Final = b"SQLite format 3\0"
"""How a database begins. Source: https://www.sqlite.org/fileformat.html"""


class Databases:
    """The databases in the data directory `root`."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._newer_at: dict[bytes, int] = {}
        self._beside: set[bytes] = set()

    @staticmethod
    def are_among(entries: Collection[bytes]) -> bool:
        """Whether any of these files may be a database."""
        return any(entry.endswith(_SUFFIX) for entry in entries)

    def newer(self, entries: Collection[bytes], written: int) -> bytes | None:
        """The name of a database, among the `entries` of the directory, that the server seems to have moved to.
        `written` is when a user's file was written last (ns), 0 where there is none."""
        for entry in entries:
            if entry.endswith(_SUFFIX) and self._is_newer(entry, written):
                return entry
        return None

    def _is_newer(self, entry: bytes, written: int) -> bool:
        path = os.path.join(self._root, entry)
        changed = max(modified_at(path), modified_at(path + _LOG))
        if written > self._newer_at.get(entry, written):
            self._beside.add(entry)
        if changed <= written or not _is_database(path):
            return False
        self._newer_at.setdefault(entry, written)
        return changed - written > (SILENT_NS if entry in self._beside else 0)


def modified_at(path: bytes) -> int:
    """When a file or directory was written last (ns); 0 where there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _is_database(path: bytes) -> bool:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb", buffering=0) as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False
