"""`headcount export --format prosody-…`: months as mod_monthly_visitors' own files, for a server to go on from."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from headcount.atomic_files import in_words, refuse_source
from headcount.engine.assemble import open_run
from headcount.errors import HeadcountError, NoDataError, UsageError
from headcount.figures.anonymity import anonymous
from headcount.figures.filters import only_hosts
from headcount.outputs.as_prosody import HostFiles, Shape, to_prosody
from headcount.settings import Settings
from headcount.sources.directory import DirectorySource
from headcount.tasks.reporting import hosts_asked
from headcount.tasks.visitors_import import left_in
from headcount.text import clean

DIRECTORY_MODE: Final = 0o750  # as Prosody makes them, whose umask is 027
FILE_MODE: Final = 0o640
SHAPES: Final[Mapping[str, Shape]] = {"prosody-flat": "flat", "prosody-nested": "nested"}
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Handed:
    """How many files an export wrote in a directory; `left_out` are the hosts' months that the shape can't say,
    `damage` what is wrong with the state."""

    directory: str
    counts: int
    markers: int
    left_out: tuple[str, ...]
    exact: bool
    damage: tuple[str, ...] = ()

    def to_text(self) -> str:
        """What was written, in words."""
        written = "".join(f"{why}\n" for why in self.damage)
        written += f"Wrote in {self.directory}: counts (hosts: {self.counts:,}), markers (users: {self.markers:,}).\n"
        if self.exact:
            return written
        return written + (
            "Figures are folded and nobody is named, so a server's module would count this month's users once more;\n"
            "for a server to go on counting from: --exact\n"
        )

    def require_all(self) -> None:
        """Raises HeadcountError where a month could not be written."""
        if self.left_out:
            some = ", ".join(self.left_out[:_SHOWN]) + (" …" if len(self.left_out) > _SHOWN else "")
            raise HeadcountError(
                f"{len(self.left_out)} months were left out: the nested shape needs clients by place, which are not "
                f"known of these: {some}.",
                "Write them with --format prosody-flat.",
            )


def hand_out(
    settings: Settings,
    environment: Mapping[str, str],
    directory: str,
    shape: Shape,
    *,
    exact: bool,
    hosts: Sequence[str] = (),
    now: float | None = None,
) -> Handed:
    """Writes the months below `directory` as mod_monthly_visitors' own files.

    An `exact` export is for a server that goes on counting: all figures, and a marker for each user who is counted in
    the current month. Any other is for somebody else: folded, and without a name. Raises UsageError where there is
    something already, or the directory is the source's own, which is never written to.
    """
    with open_run(settings, environment, keep="never", now=now) as run:
        run.require_source()
        snapshot = run.engine.read_once()
        if wanted := hosts_asked(hosts, snapshot, run.source.hosts()):
            snapshot = only_hosts(snapshot, wanted)
        counted: Mapping[str, list[str]] = {}
        if exact and isinstance(run.source, DirectorySource):
            counted = run.engine.users_counted(snapshot.month, left_in(run.source, snapshot.month).marked)
    damage = tuple(problem.why for problem in snapshot.problems if problem.what == "state damaged")
    if not exact:
        snapshot = anonymous(snapshot, settings.min_count)
    files = [found for found in to_prosody(snapshot, shape, counted) if found.counts is not None or found.left_out]
    if not files:
        raise NoDataError("There is no month to export.")
    root = os.fsencode(directory)
    _refuse(root, files, os.fsencode(settings.source_path()))
    with in_words(directory):
        for found in files:
            _write(root, found)
    months = tuple(f"{clean(found.host)} {month}" for found in files for month in found.left_out)
    written = sum(found.counts is not None for found in files)
    markers = sum(len(found.markers) for found in files)
    return Handed(clean(directory), written, markers, months, exact, damage)


def _refuse(root: bytes, hosts: list[HostFiles], source: bytes) -> None:
    """Raises UsageError where what would be written is there already, or is in the source."""
    for found in hosts:
        refuse_source(os.path.join(root, found.marker_directory), source)
        for name in found.must_be_free:
            taken = os.path.join(root, name)
            if os.path.lexists(taken):
                raise UsageError(f"There is {clean(taken)} already.", "Move it away, or name another directory.")


def _write(root: bytes, found: HostFiles) -> None:
    """Writes a host's files. The counts come last: without the markers, users would be counted again."""
    if found.counts is None:
        return
    store = os.path.join(root, found.marker_directory)
    _make_directory(root)
    _make_directory(os.path.dirname(store))
    if found.markers:
        _make_directory(store)
    for name in found.markers:
        _write_file(os.path.join(store, name), found.marker)
    _write_file(os.path.join(root, found.counts_file), found.counts)


def _make_directory(path: bytes) -> None:
    if not os.path.isdir(path):
        os.makedirs(path)
        os.chmod(path, DIRECTORY_MODE)


def _write_file(path: bytes, data: bytes) -> None:
    """Writes a file as Prosody does: beside it first, so that it is never there in part."""
    beside = path + b"~"
    with open(beside, "wb", opener=lambda name, flags: os.open(name, flags | os.O_CLOEXEC, FILE_MODE)) as file:
        os.fchmod(file.fileno(), FILE_MODE)
        file.write(data)
    os.rename(beside, path)
