"""What many tests need: real captured data, files as Prosody writes them, and a user without privileges."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A temporary directory that every user may enter."""
    path = Path(tempfile.mkdtemp(prefix="headcount-test-"))
    path.chmod(0o755)
    yield path
    for directory, _, _ in os.walk(path):
        Path(directory).chmod(0o700)
    shutil.rmtree(path)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Without root's right to read and write everything, if the tests have it."""
    if os.geteuid() != 0:
        yield
        return
    group, user = os.getegid(), os.geteuid()
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        os.setegid(group)
