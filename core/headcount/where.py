"""Where what is kept lies, the state and the screen's memory: never in the source's own directory.

On Debian the server's data directory is the home of its user, so that who runs Headcount as that user has no home of
their own to keep anything in.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from headcount.atomic_files import lies_in
from headcount.errors import UsageError
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
    may_be_read = not writes and not os.path.exists(f"{path}-wal")  # with it, even a reader makes a file
    if not lies_in(path, source) or (may_be_read and settings.state is not None):
        return path
    if settings.state is not None:
        raise UsageError(
            f"The state {clean(str(path))} would lie in the server's own data directory, where Headcount never writes.",
            f"Name another file: --state {clean(shlex.quote(str(USUAL_STATE / path.name)))}",
        )
    places = [place for place in _elsewhere() if not lies_in(place, source)]
    kept = next((place / path.name for place in places if os.access(place / path.name, os.R_OK)), None)
    if kept is not None:
        return kept
    is_old = os.path.exists(path)
    if is_old and may_be_read:
        return path
    for place in places:
        if not is_old and (os.access(place, os.W_OK | os.X_OK) or not writes):
            return place / path.name
    raise UsageError(
        f"The usual place of this user's state, {clean(str(path))}, lies in the server's own data directory, "
        "where Headcount never writes.",
        _hint(places, path if is_old else None),
    )


def _elsewhere() -> tuple[Path, Path]:
    """The machine's place for states; and, where that is somebody else's, one for this user."""
    return USUAL_STATE, USUAL_STATE.with_name(f"{USUAL_STATE.name}-{os.geteuid()}")


def _hint(places: list[Path], old: Path | None) -> str:
    """The line that makes a place for this user's state, and moves there what was kept before."""
    mine = next((place for place in places if os.access(place, os.W_OK | os.X_OK)), None)
    place = mine or next((place for place in places if not os.path.lexists(place)), None)
    if place is None:
        return "Name a file elsewhere with --state FILE."
    make = [] if mine else [f"sudo install -d -o {os.geteuid()} -g {os.getegid()} -m 700 {place}"]
    if old is None:
        return f"Make a place for it: {make[0]}"
    return f"Move what was kept there: {' && '.join([*make, f'mv {clean(shlex.quote(str(old)))}* {place}/'])}"


def memory_file(settings: Settings, environment: Mapping[str, str]) -> Path | None:
    """Where the screen may remember its look; None where there is no such place."""
    path = settings.memory_path(environment)
    return None if path is None or lies_in(path, settings.source_path()) else path
