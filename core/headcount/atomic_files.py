"""Writing a file of our own: whole or not at all, for its owner alone, and what hinders it told in words."""

import os
import shutil
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from headcount.errors import HeadcountError, NoPermissionError, TakenError, UsageError
from headcount.text import clean


def put(path: str, parts: "Iterable[bytes | array[int]]", place: Callable[[str, str], None] = os.replace) -> None:
    """Writes a file of these parts, its rights 0600, and has `place` give it its name when all of it is on the disk.
    Raises OSError, and then nothing of it is left."""
    directory, name = os.path.split(path)
    handle, beside = tempfile.mkstemp(prefix=f".{name[:64]}.", dir=directory or ".")  # 0600
    try:
        with open(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        place(beside, path)
    finally:
        if os.path.lexists(beside):
            os.unlink(beside)


def write(path: str, data: bytes, *, may_replace: bool, makes_directory: bool = False) -> None:
    """Writes a file in one step: who reads it finds all of it, or what was there before. Its rights are 0600.

    A directory that is not there is made, with the rights 0700, where `makes_directory`. Raises TakenError where the
    file is there already and may not be replaced, HeadcountError where it can't be written.
    """
    with in_words(path):
        if makes_directory:
            os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        try:
            put(path, [data], os.replace if may_replace else _link)
        except FileExistsError:
            raise TakenError(f"{clean(path)} is there already.", "Choose another name.") from None
        except FileNotFoundError:
            directory = clean(os.path.dirname(path))
            raise UsageError(f"There is no directory {directory}.", "Name one that there is.") from None
        except ValueError:
            raise UsageError(f"{clean(path)} can't be the name of a file.", "Choose another name.") from None


@contextmanager
def in_words(path: str) -> Iterator[None]:
    """Says in words why what is written at a path can't be: raises HeadcountError in place of an OSError."""
    try:
        yield
    except PermissionError:
        raise NoPermissionError(f"No permission to write {clean(path)}.") from None
    except OSError as error:
        raise HeadcountError(f"{clean(path)} can't be written: {error.strerror}.") from None


def _link(beside: str, path: str) -> None:
    """Gives the file its name if that is free; raises FileExistsError if not."""
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as FAT
        with (
            open(beside, "rb") as written,
            open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file,
        ):
            shutil.copyfileobj(written, file)


def lies_in(path: "str | bytes | os.PathLike[str]", directory: str | bytes) -> bool:
    """Whether a path is a directory's own, or is in it, there already or not: through links, and by whatever name the
    directory is mounted."""
    own, place = os.path.realpath(os.fsencode(directory)), os.path.realpath(os.fsencode(path))
    if os.path.commonpath([own, place]) == own:
        return True
    try:
        known = os.stat(own)
    except (OSError, ValueError):
        return False
    while True:
        with suppress(OSError, ValueError):
            if os.path.samestat(os.stat(place), known):
                return True
        if place == os.path.dirname(place):
            return False
        place = os.path.dirname(place)


def refuse_source(directory: str | bytes, source: str | bytes) -> None:
    """Raises UsageError where the directory is the source's own or lies in it, which is never written to."""
    if lies_in(directory, source):
        raise UsageError(
            f"{clean(os.fsencode(directory))} is the server's own data directory, where Headcount never writes.",
            "Name another directory.",
        )
