"""What many tests do: write files as Prosody does, and act as a user without privileges."""

import codecs
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headcount.prosody.names import encode

NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Without root's right to read and write everything, if the tests have it."""
    if os.geteuid() != 0:
        yield
        return
    for encoding in ("ascii", "latin-1", "utf-8", "idna"):  # a Python that only root may read can't load them then
        codecs.lookup(encoding)
    group, user = os.getegid(), os.geteuid()
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        os.setegid(group)


def prosody_writes(root: Path, host: str, store: str, user: str, text: str) -> Path:
    """Writes a user's file as Prosody does: a temporary file, then a rename."""
    path = root / os.fsdecode(encode(host)) / store / (os.fsdecode(encode(user)) + ".dat")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + "~")
    temporary.write_text(text)
    temporary.rename(path)
    return path
