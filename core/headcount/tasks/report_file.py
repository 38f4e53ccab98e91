"""`headcount export --format json|csv|html`: a report as a file, for others, so k-anonymous by default."""

import os
from collections.abc import Mapping, Sequence

from headcount.atomic_files import refuse_source, write
from headcount.settings import Settings
from headcount.tasks.reporting import Question, answer


def export(
    settings: Settings,
    environment: Mapping[str, str],
    directory: str,
    form: str,
    *,
    exact: bool,
    hosts: Sequence[str] = (),
    reads: bool = False,
) -> str:
    """Writes `headcount.json`, `headcount.csv` or `headcount.html` in `directory` and gives its path.

    No user is named in it, exact or not. `reads` as in `Question`. The directory is made where it is missing; a file
    that is there is replaced in one step, so that who reads it finds the old one or the new one. Its rights are 0600.
    Raises UsageError where the directory is the source's own, and whatever a report raises.
    """
    refuse_source(directory, settings.source_path())
    text = answer(settings, environment, Question(hosts=hosts, k_anonymous=not exact, local=False, reads=reads), form)
    path = os.path.join(directory, f"headcount.{form}")
    write(path, text.encode(), may_replace=True, makes_directory=True)
    return path
