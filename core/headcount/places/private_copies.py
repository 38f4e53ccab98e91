"""Private copies of the GeoIP files that proved themselves, by the digest of what is in them.

A copy is written once and never changed, so nothing that happens to the operator's file reaches an engine that reads
the copy; and where that file is damaged at the next start, the copy of what it was before is still there. What was
copied from where stands in a file beside the copies, which may be lost: that costs a proof.
"""

import json
import os
import stat
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import maxminddb

from headcount.atomic_files import put
from headcount.places.database import About, has_fast_reader
from headcount.places.proving import Stamp

_LIST: Final = "known.json"
_COPY: Final = ".mmdb"
_PART: Final = ".part"


@dataclass(frozen=True, slots=True)
class Known:
    """A file of the operator's as it was when it was looked at: by what it is told from others (`stamp`), what it is
    (`about`) and, where it was proved, its digest."""

    stamp: Stamp
    about: About
    digest: str = ""

    @property
    def size(self) -> int:
        return self.stamp[1]


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy at `path`. One that is `passing` goes as soon as it is open."""

    path: str
    is_passing: bool


class Store:
    """The copies in `own`, a directory that is made when it is needed and that nobody else writes to meanwhile; and
    those that are kept in `others`. Without `own`, or where nothing can be written there, copies are temporary files.
    """

    def __init__(self, own: str | None = None, others: Sequence[str] = ()) -> None:
        self._begun: set[str] = set()
        self._own = own if own is not None and _is_ours(own) else None
        self._known = {} if self._own is None else _read(self._own)
        self._theirs = [(directory, _read(directory)) for directory in others]

    def known(self, path: str) -> tuple[Known, str | None] | None:
        """What is known of the file at `path`, and its copy where there is one; None where it was never looked at."""
        for directory, known in ((self._own, self._known), *self._theirs):
            if directory is not None and path in known:
                found = known[path]
                if not found.digest:
                    return found, None
                copy = os.path.join(directory, found.digest + _COPY)
                if os.path.isfile(copy) and os.path.getsize(copy) == found.size:
                    return found, copy
        return None

    def digests(self) -> list[str]:
        """The digests that need no proof any more."""
        every = (self._known, *(known for _, known in self._theirs))
        return sorted({found.digest for known in every for found in known.values() if found.digest})

    def new(self) -> str:
        """The name of an empty file for a copy. Raises OSError where there can't be one."""
        if self._own is not None:
            with suppress(OSError):
                _make(self._own)
                number, path = tempfile.mkstemp(suffix=_PART, dir=self._own)
                os.close(number)
                self._begun.add(path)
                return path
        number, path = tempfile.mkstemp(prefix="headcount-", suffix=_COPY)
        os.close(number)
        return path

    def drop(self, written: str) -> None:
        """Removes a copy that came to nothing, or that was passing and is open now."""
        self._begun.discard(written)
        with suppress(OSError):
            os.unlink(written)

    def keep(self, path: str, known: Known, written: str) -> Copy:
        """Keeps a copy that proved itself, which was `written` to a file of that name."""
        if self._own is None or os.path.dirname(written) != self._own:
            return Copy(written, is_passing=True)
        copy = os.path.join(self._own, known.digest + _COPY)
        try:
            os.chmod(written, 0o440 if _lets_group(self._own) else 0o400)
            os.replace(written, copy)
        except OSError:
            return Copy(written, is_passing=True)
        self._begun.discard(written)
        self.note(path, known)
        return Copy(copy, is_passing=False)

    def note(self, path: str, known: Known) -> None:
        """Notes what a file is."""
        if self._own is None or self._known.get(path) == known:
            return
        self._known[path] = known
        with suppress(OSError):
            _make(self._own)
            self._write()

    def tidy(self, in_use: Iterable[str]) -> None:
        """Forgets the files that are not `in_use`, and removes their copies."""
        if self._own is None:
            return
        paths = set(in_use)
        kept = {path: known for path, known in self._known.items() if path in paths}
        names = {known.digest + _COPY for known in kept.values()}
        with suppress(OSError):
            if kept != self._known:
                self._known = kept
                self._write()
            for name in os.listdir(self._own):
                file = os.path.join(self._own, name)
                is_left = name.endswith(_PART) and file not in self._begun
                if is_left or (name.endswith(_COPY) and name not in names):
                    os.unlink(file)

    def _write(self) -> None:
        assert self._own is not None
        files = {
            path: {"stamp": known.stamp, "about": known.about.to_json(), "digest": known.digest}
            for path, known in self._known.items()
        }
        listed = os.path.join(self._own, _LIST)
        put(listed, [json.dumps({"reader": _reader(), "files": files}).encode()])
        if _lets_group(self._own):
            os.chmod(listed, 0o640)


def _reader() -> str:
    """What read the files that proved themselves: another one may fall over what this one did not."""
    return f"maxminddb {maxminddb.__version__} {'C' if has_fast_reader() else 'Python'}"


def _read(directory: str) -> dict[str, Known]:
    """The list in a directory; empty where there is none that can be believed."""
    try:
        with open(os.path.join(directory, _LIST), "rb") as file:
            said = json.load(file)
        if said["reader"] != _reader():
            return {}
        return {str(path): _known(entry) for path, entry in said["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _known(entry: dict[str, object]) -> Known:
    stamp, digest = entry["stamp"], entry["digest"]
    if not isinstance(stamp, list) or not isinstance(digest, str) or (digest and not digest.isalnum()):
        raise ValueError("not a file's entry")
    inode, size, changed, moved = (int(part) for part in stamp)
    return Known((inode, size, changed, moved), About.from_json(entry["about"]), digest)


def _make(directory: str) -> None:
    """Makes the directory for its owner alone, or for the group too where what it lies in lets that in."""
    above = os.path.dirname(directory)
    os.makedirs(above, mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        os.mkdir(directory, 0o750 if _lets_group(above) else 0o700)


def _lets_group(directory: str) -> bool:
    return bool(os.stat(directory).st_mode & stat.S_IRGRP)


def _is_ours(directory: str) -> bool:
    """Whether it is this user's alone to write in, if it is there."""
    try:
        found = os.stat(directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
