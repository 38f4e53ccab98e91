"""Files out of the page cache, so that a scan has to ask the disk."""

import os
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
