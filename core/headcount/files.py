"""Writing a file of our own: whole or not at all, for its owner alone, and what hinders it told in words."""

import os
import tempfile

from headcount.errors import HeadcountError, NoPermissionError, TakenError, UsageError
from headcount.text import clean


def write(path: str, data: bytes, *, may_replace: bool) -> None:
    """Writes a file in one step: who reads it finds all of it, or what was there before. Its rights are 0600.

    Raises TakenError where it is there already and may not be replaced, HeadcountError where it can't be written.
    """
    directory, name = os.path.split(path)
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{name[:64]}.", dir=directory or ".")  # 0600
        try:
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if may_replace:
                os.replace(beside, path)
            else:
                _place(beside, path, data)
        finally:
            if os.path.lexists(beside):
                os.unlink(beside)
    except FileExistsError:
        raise TakenError(f"{clean(path)} is there already.", "Choose another name.") from None
    except PermissionError:
        raise NoPermissionError(f"No permission to write {clean(path)}.") from None
    except FileNotFoundError:
        raise UsageError(f"There is no directory {clean(directory)}.", "Name one that there is.") from None
    except ValueError:
        raise UsageError(f"{clean(path)} can't be the name of a file.", "Choose another name.") from None
    except OSError as error:
        raise HeadcountError(f"{clean(path)} can't be written: {error.strerror}.") from None


def _place(beside: str, path: str, data: bytes) -> None:
    """Gives the file its name if that is free; raises FileExistsError if not."""
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as FAT
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(data)


def refuse_source(directory: str | bytes, source: str | bytes) -> None:
    """Raises UsageError where the directory is the source's own or lies in it, which is never written to."""
    own, path = os.path.realpath(os.fsencode(source)), os.path.realpath(os.fsencode(directory))
    if os.path.commonpath([own, path]) == own:
        raise UsageError(
            f"{clean(os.fsencode(directory))} is the server's own data directory, where Headcount never writes.",
            "Name another directory.",
        )
