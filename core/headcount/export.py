"""`headcount export --format json|csv`: a report as a file, for others, so k-anonymous by default."""

import os
import tempfile
from collections.abc import Mapping

from headcount.errors import HeadcountError, NoPermissionError, UsageError
from headcount.report import Question, answer
from headcount.settings import Settings
from headcount.text import clean


def export(
    settings: Settings, environment: Mapping[str, str], directory: str, form: str, *, exact: bool, host: str | None
) -> str:
    """Writes `headcount.json` or `headcount.csv` in `directory` and gives its path.

    The directory is made where it is missing; a file that is there is replaced in one step, so that who reads it
    finds the old one or the new one. Its rights are 0600. Raises UsageError where the directory is the source's own,
    and whatever a report raises.
    """
    refuse_source(directory, settings.source_path())
    text = answer(settings, environment, Question(host=host, k_anonymous=not exact), form)
    path = os.path.join(directory, f"headcount.{form}")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        _replace(path, text.encode())
    except PermissionError:
        raise NoPermissionError(f"No permission to write {clean(path)}.") from None
    except OSError as error:
        raise HeadcountError(f"{clean(path)} can't be written: {error.strerror}.") from None
    return path


def refuse_source(directory: str | bytes, source: str | bytes) -> None:
    """Raises UsageError where the directory is the source's own or lies in it, which is never written to."""
    own, path = os.path.realpath(os.fsencode(source)), os.path.realpath(os.fsencode(directory))
    if os.path.commonpath([own, path]) == own:
        raise UsageError(
            f"{clean(os.fsencode(directory))} is the server's own data directory, where Headcount never writes.",
            "Name another directory.",
        )


def _replace(path: str, data: bytes) -> None:
    """Writes a file anew, whole or not at all."""
    handle, beside = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path) or ".")  # 0600
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
