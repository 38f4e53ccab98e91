"""What a command prints, and whether there is somebody to read a screen."""

import io
import os
import sys

from headcount.errors import HeadcountError


def is_there() -> bool:
    """Whether somebody can read a screen; it is drawn on standard error, so that must be a terminal too."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def show(text: str, encoding: str | None = None) -> None:
    """Prints data, by default in the terminal's encoding; a letter that this does not have becomes a question mark."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors="replace")
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise HeadcountError(f"The output can't be written: {error.strerror}.") from None


def drop_output() -> None:
    """Lets what was not written yet go nowhere, so that Python does not fail over it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
