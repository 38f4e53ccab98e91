"""The files of mod_monthly_visitors, read: what it counted, and whom it says it has counted."""

import os

from headcount.prosody.file_problems import FileProblem
from headcount.prosody.files import VISITORS_NAMES, user_of
from headcount.prosody.many_files import STALE, UNREAD, read_file
from headcount.prosody.visitors import read_marker, read_visitors
from headcount.records import HostVisitors, VisitedMonth, VisitorMarkers
from headcount.sources.layout import Host, Layout
from headcount.sources.users import UserReader
from headcount.text import clean

MAX_VISITORS = 1 << 26


class VisitorsReader:
    """Reads what the module keeps of the hosts of a layout."""

    def __init__(self, layout: Layout, reader: UserReader) -> None:
        self._layout = layout
        self._reader = reader

    def read(self, host: Host) -> HostVisitors:
        """What it counted. Where both spellings of the file are there, the encoded one is live and the other holds the
        months from before an upgrade."""
        months: dict[str, VisitedMonth] = {}
        problems = []
        for file in host.visitors:
            path = os.path.join(host.path, file)
            changed, data = read_file(path, limit=MAX_VISITORS)
            host.visitors[file] = STALE if data is None else self._reader.signature(changed)
            if not isinstance(data, bytes):
                if data is not None:
                    problems.append(self._layout.problem(UNREAD, path, clean(data)))
                continue
            reading = read_visitors(data)
            problems += [self._layout.problem(problem.what, path, problem.why) for problem in reading.problems]
            for month in reading.months:
                if months.setdefault(month.month, month) != month:
                    why = f"{month.month} stands in both; the other file, which Prosody reads today, is believed"
                    problems.append(self._layout.problem("month in two files", path, why))
        return HostVisitors(host.name, tuple(months.values()), tuple(problems))

    def read_markers(self, host: Host, month: str) -> VisitorMarkers:
        """The users whom it marked as counted in `month`, in stores of either spelling."""
        users: set[str] = set()
        problems = []
        for store in (os.path.join(host.path, name) for name in VISITORS_NAMES):
            try:
                files = os.listdir(store)
            except FileNotFoundError:
                continue
            except OSError as error:
                problems.append(self._layout.problem("unreadable directory", store, clean(error.strerror or "")))
                continue
            for file in files:
                user = user_of(file)
                if user is None:
                    continue
                _, data = read_file(os.path.join(store, file))
                marker = read_marker(data) if isinstance(data, bytes) else FileProblem(UNREAD, clean(data or ""))
                if marker == month:
                    users.add(user)
                elif isinstance(marker, FileProblem):
                    problems.append(self._layout.problem(marker.what, os.path.join(store, file), marker.why))
        return VisitorMarkers(host.name, frozenset(users), tuple(problems))
