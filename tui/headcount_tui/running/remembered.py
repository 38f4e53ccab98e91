"""What the screen remembers from one start to the next: a small file of this user's, and only what they want kept.

The theme is kept once one was chosen on the screen. The filters, the view, the trend's length and the tables' order are
kept only while remembering is on. What is in the file is not trusted: what is not as it should be is left out.
"""

import json
import os
import re
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from headcount.atomic_files import write
from headcount.figures.filters import Field, Filter, Term
from headcount.months import is_month
from headcount.text import clean
from headcount_tui.asked.shown import Asked, Sort, Tab, Zoom

LARGEST = 64 * 1024
"""Bytes of a file that are read; a larger one is none of ours."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered. `remember` is None where the user did not say on the screen whether to; `filter`, `tab`,
    `zoom` and `sorts` are None where they were not kept."""

    theme: str | None = None
    remember: bool | None = None
    filter: Filter | None = None
    tab: Tab | None = None
    zoom: Zoom | None = None
    sorts: Mapping[Tab, Sort] | None = None


@dataclass(slots=True)
class Memory:
    """The file at `path` (None: nothing may be kept), and what was in it when it was last read or written.

    `by_setting` is whether to remember where the user did not say so on the screen.
    """

    path: Path | None = None
    by_setting: bool = False
    kept: Kept = field(default_factory=Kept)
    _one_writer: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def load(cls, path: Path | None, by_setting: bool = False) -> "Memory":
        """What was remembered; nothing where there is no such file, or it is none of ours."""
        return cls(path, by_setting, Kept() if path is None else _kept(_read(path)))

    @property
    def theme(self) -> str | None:
        """The theme that was chosen, by its name; there need not be one of that name any more."""
        return self.kept.theme

    @property
    def remembers(self) -> bool:
        """Whether what is asked for is kept."""
        return self.path is not None and (self.by_setting if self.kept.remember is None else self.kept.remember)

    def asked(self, first: Filter) -> Asked:
        """What to begin with: what was remembered, but for the filter where the command names one."""
        kept = self.kept if self.remembers else Kept()
        return Asked(
            filter=first if first.terms else kept.filter or Filter(),
            tab=kept.tab or Tab.COUNTRIES,
            sorts=kept.sorts or {},
            zoom=kept.zoom or Zoom.MONTH,
        )

    def with_asked(self, asked: Asked, theme: str | None, remember: bool | None = None) -> Kept:
        """What is to be kept now: no more than the user wants. `remember` is what they say of that now, if they do."""
        said = self.kept.remember if remember is None else remember
        if not (self.remembers if remember is None else remember):
            return Kept(theme, said)
        return Kept(theme, said, asked.filter, asked.tab, asked.zoom, dict(asked.sorts))

    def keep(self, kept: Kept) -> None:
        """Keeps this, and writes it if it is anything new. Raises HeadcountError where it can't be written; it is kept
        as long as the screen runs all the same."""
        with self._one_writer:
            before, self.kept = self.kept, kept
            if kept == before or self.path is None:
                return
            write(str(self.path), _text(kept).encode(), may_replace=True, makes_directory=True)

    def is_writable(self) -> bool:
        """Whether it looks as if the file could be written."""
        if self.path is None:
            return False
        place = next((parent for parent in self.path.parents if os.path.lexists(parent)), self.path)
        return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def _text(kept: Kept) -> str:
    found: dict[str, Any] = {"theme": kept.theme, "remember": kept.remember}
    if kept.filter is not None:
        found["filter"] = [list(term) for term in kept.filter.terms]
    if kept.tab is not None:
        found["tab"] = kept.tab.value
    if kept.zoom is not None:
        found["zoom"] = kept.zoom.name.lower()
    if kept.sorts is not None:
        found["sorts"] = {tab.value: list(sort) for tab, sort in kept.sorts.items()}
    return json.dumps({name: value for name, value in found.items() if value is not None}, indent=1) + "\n"


def _read(path: Path) -> Mapping[str, object]:
    """The object in the file; an empty one where there is none that can be read."""
    try:
        # A pipe would never end: it is opened without waiting, and left alone.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return {}
            data = file.read(LARGEST + 1)
        found = json.loads(data) if len(data) <= LARGEST else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _kept(found: Mapping[str, object]) -> Kept:
    """What of it is as it should be."""
    theme, remember, tab, zoom = (found.get(name) for name in ("theme", "remember", "tab", "zoom"))
    return Kept(
        theme=theme if isinstance(theme, str) and _NAME.fullmatch(theme) else None,
        remember=remember if isinstance(remember, bool) else None,
        filter=_filter(found.get("filter")),
        tab=next((known for known in Tab if known.value == tab), None),
        zoom=next((known for known in Zoom if known.name.lower() == zoom), None),
        sorts=_sorts(found.get("sorts")),
    )


def _filter(found: object) -> Filter | None:
    if not isinstance(found, list):
        return None
    terms: dict[Field, str] = {}
    for term in found:
        match term:
            case [str(name), str(value)] if value and clean(value) == value:
                for known in get_args(Field):
                    if known == name and (name != "month" or is_month(value)):
                        terms.setdefault(known, value)
    return Filter(tuple(Term(name, value) for name, value in terms.items()))


def _sorts(found: object) -> Mapping[Tab, Sort] | None:
    if not isinstance(found, dict):
        return None
    sorts: dict[Tab, Sort] = {}
    for tab in Tab:
        match found.get(tab.value):
            case [str(column), bool(descending)] if _NAME.fullmatch(column):
                sorts[tab] = Sort(column, descending)
    return sorts
