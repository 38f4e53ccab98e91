"""What leaves the screen: a row as text for the clipboard, what is shown as a file."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from headcount.atomic_files import lies_in, refuse_source, write
from headcount.errors import TakenError, UsageError
from headcount.figures.anonymity import anonymous, nameless, narrowed, to_report
from headcount.figures.filters import Filter
from headcount.figures.tables import MonthRow
from headcount.outputs.as_csv import to_csv
from headcount.outputs.as_html import to_html
from headcount.outputs.as_json import to_json
from headcount.snapshot import Snapshot
from headcount.text import clean, clean_lines
from headcount_tui.asked.shown import Shown

LONGEST = 1_000
"""Characters that are copied at the most."""
_ELSEWHERE = "/tmp"  # noqa: S108 - a name that is offered; the file is never another one, and for its owner alone


class Format(NamedTuple):
    """A kind of file: the end of its name, what it is called, what it is for."""

    end: str
    label: str
    note: str


FORMATS = (
    Format("csv", "CSV", "one number per row, for a spreadsheet"),
    Format("json", "JSON", "the report, for programs"),
    Format("svg", "SVG picture", "the screen as it looks"),
    Format("html", "HTML page", "a page to share or to print"),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A file that is asked for: a format's end, where (as typed), of users that pass the filter. `min_count` is the
    smallest group that is shown, None for exact figures."""

    end: str
    path: str
    asked: Filter
    min_count: int | None


Draw = Callable[[Snapshot], str]
"""Draws the screen on a snapshot, as SVG; empty where that is wanted no longer."""


def content(wish: Wish, snapshot: Snapshot, draw: Draw) -> str:
    """What the file holds. Users are folded before they are narrowed, lest two files differ by those who are hidden."""
    if wish.end == "svg":
        return clean_lines(draw(drawable(snapshot, wish.asked, wish.min_count)))
    if snapshot.is_partial:
        raise UsageError("Reading is not finished, so the figures would be too small.", "Export when it is finished.")
    if wish.min_count is not None:
        snapshot = replace(snapshot, source="")  # whose directory it is concerns no one else
    shown = to_report(snapshot, wish.asked, wish.min_count)
    if wish.end == "json":
        return clean_lines(to_json(shown) + "\n")
    if wish.end == "html":
        return clean_lines(to_html(shown, wish.asked.value("month"), wish.asked))
    return clean_lines(to_csv(shown))


def drawable(snapshot: Snapshot, asked: Filter, min_count: int | None) -> Snapshot:
    """What a picture may be drawn of: all figures where they are exact, else what is folded, and no path. No file that
    has a problem is named in either, since it may be a user's."""
    if min_count is None:
        return nameless(snapshot)
    return narrowed(replace(anonymous(snapshot, min_count), source=""), asked)


def save(wish: Wish, snapshot: Snapshot, draw: Draw, is_wanted: Callable[[], bool] = lambda: True) -> str:
    """Writes the file and gives its path; an empty one where it is wanted no longer.

    Its rights are 0600. Raises TakenError where there is such a file already, UsageError where the place is not fit,
    HeadcountError where it can't be written.
    """
    path = full_path(wish.path)
    if not os.path.basename(path) or os.path.isdir(path):
        raise UsageError(f"{clean(path)} is a directory.", "Add a name to it.")
    refuse_source(os.path.dirname(path), snapshot.source)
    if os.path.lexists(path):  # before the work, not after it
        raise TakenError(f"{clean(path)} exists already.", "Choose another name.")
    text = content(wish, snapshot, draw)
    if not is_wanted():
        return ""
    write(path, text.encode(), may_replace=False)
    return path


def full_path(typed: str) -> str:
    """What was typed as an absolute path; `~` is the user's home."""
    return os.path.join(os.getcwd(), os.path.expanduser(typed.strip()))


def default_name(asked: Filter, hosts: Sequence[str], end: str) -> str:
    """`headcount-2026-10-example.com.csv`; without a host where there are several."""
    host = asked.value("host") or (hosts[0] if len(hosts) == 1 else "")
    host = re.sub(r"[^\w.-]+", "_", host, flags=re.ASCII).strip(".")[:100]
    return f"headcount-{asked.value('month') or 'all'}{f'-{host}' if host else ''}.{end}"


def default_path(asked: Filter, snapshot: Snapshot, end: str) -> str:
    """The default name, where the screen was opened; elsewhere if that is in the server's own directory."""
    name = default_name(asked, list(snapshot.hosts), end)
    return os.path.join(_ELSEWHERE, name) if lies_in(os.getcwd(), snapshot.source) else name


def with_end(name: str, end: str) -> str:
    """The name with the end of another format, where it had one of ours."""
    stem, dot, old = name.rpartition(".")
    return f"{stem}.{end}" if dot and old.lower() in {form.end for form in FORMATS} else name


def next_name(name: str) -> str:
    """`x.csv`, then `x-2.csv`, then `x-3.csv`."""
    stem, dot, end = name.rpartition(".")
    if not dot:
        stem, end = name, ""
    numbered = re.fullmatch(r"(.*)-(\d{1,3})", stem)
    if numbered and int(numbered[2]) < 900 and not re.search(r"\d{4}-\d\d$", stem):
        return f"{numbered[1]}-{int(numbered[2]) + 1}{dot}{end}"
    return f"{stem}-2{dot}{end}"


def as_text(shown: Shown, row: Any) -> str:
    """A row's name and figures with tabs between them, for a spreadsheet; without a row, DAU, WAU and MAU."""
    if row is None:
        cells = [text for figure in shown.figures for text in (figure.window.name, _plain(figure.users))]
    elif isinstance(row, MonthRow):
        cells = [row.month, _plain(row.users), row.quality.value, _plain(row.countries), _plain(row.clients)]
    else:
        cells = [row.label, _plain(row.users), _plain(row.before)]
        if shown.is_current:
            cells += [_plain(users) for users in row.active[:3]]
    return "\t".join(clean(cell) for cell in cells)[:LONGEST]


def _plain(users: int | None) -> str:
    return "" if users is None else str(users)
