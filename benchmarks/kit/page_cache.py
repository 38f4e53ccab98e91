"""Files out of the page cache, so that a scan has to ask the disk."""

import errno
import os
import random
import subprocess
from pathlib import Path

from kit.tree import Tree

DROP = Path("/proc/sys/vm/drop_caches")


def way() -> str:
    """How it is done here."""
    if os.access(DROP, os.W_OK):
        return "dropping all of the kernel's caches, those of names and inodes too, before each run"
    return (
        "posix_fadvise(DONTNEED) over all files before each run (drop_caches needs root): names and inodes stay cached"
    )


def cached(tree: Tree) -> float:
    """The share of a tree's files, by a sample, whose bytes are in the page cache."""
    store, names = os.open(tree.store, os.O_RDONLY), [f"user{number}.dat" for number in _sample(tree.users)]
    there = 0
    for name in names:
        descriptor = os.open(name, os.O_RDONLY, dir_fd=store)
        try:
            there += os.preadv(descriptor, [bytearray(1)], 0, os.RWF_NOWAIT)
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            there += 1  # a file system that is in memory as a whole
        finally:
            os.close(descriptor)
    os.close(store)
    return there / len(names)


def _sample(users: int) -> list[int]:
    """Numbers of some users, none of whose names is written with a percent sign."""
    return [number // 10 * 10 + 1 for number in random.Random(users).choices(range(users), k=300)]


def drop(tree: Tree) -> None:
    """Lets the kernel forget the tree's files."""
    subprocess.run(["sync"], check=True)
    if os.access(DROP, os.W_OK):
        DROP.write_text("3\n")
        return
    store = os.open(tree.store, os.O_RDONLY)
    for name in os.listdir(store):
        descriptor = os.open(name, os.O_RDONLY, dir_fd=store)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    os.close(store)
