"""Widgets that draw a pure function of what is shown, and repaint only when the drawing changes."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region, Size
from textual.widget import Widget

from headcount_tui.asked.shown import Shown


class Panel(Widget):
    """Give it `draw`; hand it each new state with `show`."""

    auto_links = False  # what can be clicked looks as it is drawn
    follows_view: ClassVar[bool] = True
    """Whether it looks different in another view, or with a table in another order."""
    shown: Shown | None = None
    _drawn: Content | None = None  # None: what is painted is out of date
    _drawn_in = Size(0, 0)

    def draw(self, shown: Shown, size: Size) -> Content:
        """What to paint in `size` cells."""
        raise NotImplementedError

    def show(self, shown: Shown) -> None:
        """Paint the new state, if it looks different."""
        self.shown = shown
        if self._drawn is None:
            return
        if not self.is_seen:  # drawn when it is seen again
            self._drawn = None
            self.refresh()
        else:
            before, self._drawn = self._drawn, self._draw()
            self._repaint(before, self._drawn)

    @property
    def is_seen(self) -> bool:
        """Whether it is on the screen, and will be still when the screen is painted next."""
        return self.is_on_screen and all(node.display for node in self.ancestors_with_self)

    def _repaint(self, before: Content, now: Content) -> None:
        """Ask for those lines alone that differ; for all where lines do not stand where they stood."""
        if now.is_same(before):
            return
        old, new = before.split("\n", allow_blank=True), now.split("\n", allow_blank=True)
        width = self.size.width
        if len(old) != len(new) or any(line.cell_length > width for line in (*old, *new)):
            self.refresh()
            return
        changed = [y for y, (was, line) in enumerate(zip(old, new, strict=True)) if not line.is_same(was)]
        self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render(self) -> RenderResult:
        """What Textual paints."""
        if self._drawn is None or self._drawn_in != self.size:
            self._drawn = self._draw()
        return self._drawn

    def _draw(self) -> Content:
        self._drawn_in = self.size
        if self.shown is None or not self.size.width:
            return Content("")
        return self.draw(self.shown, self.size)


class Line(Panel):
    """A panel of one line, fitted to its width by `line`."""

    def __init__(self, line: Callable[[Shown, int], Content], id: str) -> None:
        super().__init__(id=id)
        self._line = line

    def draw(self, shown: Shown, size: Size) -> Content:
        """The line."""
        return self._line(shown, size.width)
