"""What a child process does with a GeoIP file that is new: it says what the file is, makes a private copy of it, and
looks at every record of the copy. `proof.py` is the other end.

A damaged file can end whoever reads it, make them take all memory, or never let them go. So nobody but this process,
which has limits and nothing to lose, reads a file that has not proved itself. The copy is what is proved: the file may
be written to at any moment.
"""

import errno
import hashlib
import json
import mmap
import os
import resource
import stat
import sys
from collections.abc import Collection
from typing import IO, Final

from headcount.places.database import DAMAGE, About, open_reader
from headcount.places.walk import addresses, describe

_CHUNK: Final = 1 << 20
_MANY: Final = 4096

Stamp = tuple[int, int, int, int]


def stamp_of(found: os.stat_result) -> Stamp:
    """What tells a file from others that were at its place, and from what it was before it was written to."""
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def seconds_for(size: int) -> int:
    """Seconds of a processor that a file of so many bytes may take: some twenty times what a whole City file does."""
    return 60 + 2 * (size >> 20)


def serve() -> None:
    """Answers on standard output, a line of JSON each: first what the file is; then, once standard input names where
    its copy is to be, whether that is whole. The command line names the file and the digests of those that are known
    to be."""
    os.nice(10)  # whoever waits for a key's answer, and the server, go first where cores are few
    parent, path, good = json.loads(sys.argv[2])
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            _answer(path, file, good, parent)
    except OSError as error:
        _say(error=error.errno or errno.EIO)
    except (*DAMAGE, MemoryError) as error:
        _say(damaged=type(error).__name__)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # else a FIFO would be waited for until somebody writes to it


def _answer(path: str, file: IO[bytes], good: Collection[str], parent: int) -> None:
    before = os.fstat(file.fileno())
    if not stat.S_ISREG(before.st_mode):
        raise OSError(errno.EINVAL, "not a file")
    _limit(before.st_size)
    try:
        open_reader(path).close()
    except DAMAGE:
        return _say(foreign=True)
    _say(about=_description(path).to_json())
    asked = sys.stdin.readline()
    if not asked:  # it is not wanted
        return None
    copy = json.loads(asked)
    try:
        digest = _copied(file, copy)
    except OSError as error:
        return _say(no_copy=error.errno or errno.EIO)
    if stamp_of(os.fstat(file.fileno())) != stamp_of(before):
        return _say(changed=True)
    if digest not in good:
        _prove(copy, parent)
    return _say(whole=digest, stamp=stamp_of(before), about=_description(copy).to_json())


def _limit(size: int) -> None:
    """Sets what this process may take. It leaves no image of its memory when it falls."""
    for what, least in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds_for(size)),
        (resource.RLIMIT_AS, (512 << 20) + 4 * size),
    ):
        _, most = resource.getrlimit(what)
        resource.setrlimit(what, (least if most == resource.RLIM_INFINITY else min(least, most), most))


def _description(path: str) -> About:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as tree:
        reader = open_reader(path)
        try:
            return describe(reader, tree)
        finally:
            reader.close()


def _copied(file: IO[bytes], copy: str) -> str:
    """Writes the copy, to the disk; its digest."""
    digest = hashlib.sha256()
    with open(copy, "wb") as out:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _prove(path: str, parent: int) -> None:
    """Reads each record once. Raises one of `DAMAGE`, or ends the process, where one can't be read."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as tree:
        reader = open_reader(path)
        for number, address in enumerate(addresses(reader, tree)):
            reader.get(address)
            if number % _MANY == 0 and os.getppid() != parent:  # nobody waits for the answer, nor removes the copy
                os.unlink(path)
                sys.exit()
        reader.close()


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)
