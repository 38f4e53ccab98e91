"""The marks: moments from which on the figures are other than before, since the places come from another database."""

from collections.abc import Iterable

from headcount.snapshot import Mark


class MarkKeeper:
    """Past marks, oldest first, and what of them the state has not kept yet.

    `geo` is the label of the GeoIP database that was in use last; None before one was noted at all.
    """

    def __init__(self, marks: Iterable[Mark], geo: str | None) -> None:
        self.marks = tuple(sorted(marks))
        self.geo = geo
        self.added: list[Mark] = []
        self.forgotten_before: float | None = None
        self.is_kept = True

    def note(self, geo: str, now: float) -> None:
        """Takes note of the database in use now (Unix seconds). The first one of all is no mark: nothing was before."""
        if geo == self.geo:
            return
        if self.geo is not None:
            self.added.append(Mark(now, geo))
            self.marks = tuple(sorted((*self.marks, self.added[-1])))
        self.geo = geo
        self.is_kept = False

    def forget_before(self, when: float) -> None:
        """Forgets the marks from before that moment."""
        self.marks = tuple(mark for mark in self.marks if mark.when >= when)
        self.added = [mark for mark in self.added if mark.when >= when]
        self.forgotten_before = when
        self.is_kept = False

    def forget_after(self, when: float) -> bool:
        """Forgets the marks from after that moment, which a clock that was ahead made; whether there were any."""
        marks = tuple(mark for mark in self.marks if mark.when <= when)
        found = len(marks) < len(self.marks)
        self.marks = marks if found else self.marks
        self.added = [mark for mark in self.added if mark.when <= when]
        return found

    def note_kept(self) -> None:
        """The state has what was noted and forgotten."""
        self.added, self.forgotten_before, self.is_kept = [], None, True
