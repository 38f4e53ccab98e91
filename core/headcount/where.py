"""Where what is kept lies, the state and the screen's memory: never in the source's own directory.

On Debian the server's data directory is the home of its user, so that who runs Headcount as that user has no home of
their own to keep anything in.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from headcount.errors import UsageError
from headcount.files import lies_in
from headcount.settings import USUAL_STATE, Settings
from headcount.state.files import path_of
from headcount.text import clean


def state_file(settings: Settings, environment: Mapping[str, str], *, writes: bool = True) -> Path:
    """The file of the state: the one that is set, else one in the usual place of this user, else of this machine.

    Raises UsageError, with the line to use, where it would lie in the source's directory. One that lies there from
    an earlier time may still be read, where nothing `writes`.
    """
    source = settings.source_path()
    path = path_of(settings.state_path(environment))
    if not lies_in(path, source):
        return path
    elsewhere = USUAL_STATE / path.name
    if settings.state is not None:
        raise UsageError(
            f"The state {clean(str(path))} would lie in the server's own data directory, where Headcount never writes.",
            f"Name another file: --state {clean(shlex.quote(str(elsewhere)))}",
        )
    if lies_in(elsewhere, source):
        raise _nowhere(path, "Name a file elsewhere with --state FILE.")
    make = f"sudo install -d -o {os.geteuid()} -g {os.getegid()} -m 700 {USUAL_STATE}"
    if path.exists():
        if not writes:
            return path
        move = f"sudo mv {clean(shlex.quote(str(path)))}* {USUAL_STATE}/"
        raise _nowhere(path, f"Move what was kept there: {make} && {move}")
    if not writes or os.access(USUAL_STATE, os.W_OK | os.X_OK):
        return elsewhere
    raise _nowhere(path, f"Make a place for it: {make}")


def memory_file(settings: Settings, environment: Mapping[str, str]) -> Path | None:
    """Where the screen may remember its look; None where there is no such place."""
    path = settings.memory_path(environment)
    return None if path is None or lies_in(path, settings.source_path()) else path


def _nowhere(path: Path, mend: str) -> UsageError:
    return UsageError(
        f"The usual place of this user's state, {clean(str(path))}, lies in the server's own data directory, "
        "where Headcount never writes.",
        mend,
    )
