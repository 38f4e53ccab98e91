"""A table of any length that paints only the lines on screen, and of those only what changed.

Textual's DataTable repaints all of itself at each changed cell and measures every row it is given; a table
that changes every second, over a slow line, with twenty thousand places, needs neither.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Offset, Region, Size, clamp
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from headcount_tui.asked.keys import Where, bindings
from headcount_tui.asked.shown import Sort
from headcount_tui.drawing.render import LIT_FOR, cell
from headcount_tui.drawing.tables import Column, figures_of, row_key

GAP = 2
CURSOR = "▸"
GUTTER = 1  # cells before the columns, for the cursor's sign: it is not its colour alone


class Start(NamedTuple):
    """Where a table that is shown again begins: at the row of that key; None: at the first."""

    key: object = None


class LiveTable(ScrollView, can_focus=True):
    """Rows under a head that stays, with a cursor that stays on its row when the rows move."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--head", "table--cursor", "table--lit"}
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.TABLE))
    ALLOW_SELECT = False
    auto_links = False  # there is none in a row

    class Chosen(Message):
        """A second click on a row."""

    class Moved(Message):
        """The user took the cursor to another row."""

    class SortAsked(Message):
        """A click on the head of a column."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[Any] = ()
        self._columns: list[Column[Any]] = []
        self._sort: Sort | None = None
        self._empty = Content("Starting …")
        self._cursor = 0
        self.key: object = None
        """The key of the cursor's row; None: the first row, whichever it is."""
        self._lit: set[object] = set()
        self._painted: dict[int, Strip] = {}
        self._ahead: dict[int, Strip] = {}  # what was drawn to be compared, and waits to be painted
        self._ahead_at = (self.scroll_offset, Size(0, 0))

    def present(
        self,
        rows: Sequence[Any],
        columns: list[Column[Any]],
        sort: Sort | None,
        empty: Content,
        start: Start | None,
        highlight: bool = False,
    ) -> None:
        """Show these rows. With `start` the cursor goes there; else it stays on its row. With `highlight`, those that
        differ from what they were are lit for a moment."""
        if highlight and start is None:
            self._light(rows)
        is_other = start is not None or sort != self._sort
        self._rows, self._columns, self._sort, self._empty = rows, columns, sort, empty
        if start is not None:
            self.key, self._lit = start.key, set()
            self.scroll_to(y=0, animate=False)
        self._cursor = self._find_cursor()
        size = Size(self.scrollable_content_region.width, len(rows) + 1)
        if size.height != self.virtual_size.height:
            self.virtual_size = size
        self._keep_in_sight()
        if is_other:
            self._ahead = {}
            self.refresh()
        else:
            self._repaint()

    def _light(self, rows: Sequence[Any]) -> None:
        known = {row_key(row): figures_of(row) for row in self._rows}
        changed = {row_key(row) for row in rows if known and known.get(row_key(row)) != figures_of(row)}
        if changed:
            self._lit |= changed
            self.set_timer(LIT_FOR, partial(self._put_out, changed))

    def _put_out(self, keys: set[object]) -> None:
        self._lit -= keys
        self._repaint()

    @property
    def row(self) -> Any:
        """The row under the cursor, or None."""
        return self._rows[self._cursor] if self._rows else None

    def visible_columns(self) -> list[tuple[Column[Any], int]]:
        """The columns there is room for, each with its width."""
        total = self.scrollable_content_region.width - GUTTER
        shown = [column for column in self._columns if column.needs <= total]
        free = total - sum(column.width for column in shown) - GAP * (len(shown) - 1)
        parts = sum(column.grows for column in shown) or 1
        return [(column, max(1, column.width + free * column.grows // parts)) for column in shown]

    def render_line(self, y: int) -> Strip:
        """Textual's call for one line."""
        strip = self._ahead.pop(y, None) if self._ahead_at == self._at else None
        self._painted[y] = strip = strip or self._line(y)
        return strip

    @property
    def _at(self) -> tuple[Offset, Size]:
        """The part of the rows that is seen; in another one all lines are others."""
        return self.scroll_offset, self.scrollable_content_region.size

    def notify_style_update(self) -> None:
        """Lines that wait to be painted have the colours there were."""
        super().notify_style_update()
        self._ahead.clear()

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y - 1
        if y == 0:
            return self._strip(Content.assemble(" " * GUTTER, self._head()), width, "table--head")
        if not self._rows:
            return self._strip(self._empty_line(y, width), width)
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        cells = [
            cell(column.cell(self._rows[index], room), room, column.left) for column, room in self.visible_columns()
        ]
        sign = CURSOR if index == self._cursor else " " * GUTTER
        line = Content.assemble(sign, Content(" " * GAP).join(cells))
        if index == self._cursor:
            # Of a terminal's sixteen colours none can be mixed: its bars would be as blue as the ground below them.
            line = line.truncate(width, pad=True).stylize("reverse") if self.app.native_ansi_color else line
            return self._strip(line, width, "table--cursor")
        if row_key(self._rows[index]) in self._lit:
            return self._strip(line, width, "table--lit")
        return self._strip(line, width)

    def _strip(self, content: Content, width: int, *component: str) -> Strip:
        style = self.get_visual_style(*component)
        line = content.truncate(width, pad=True)
        strips = Visual.to_strips(self, line, width, 1, style, apply_selection=False, pad=True)
        return strips[0] if strips else Strip.blank(width)

    def _head(self) -> Content:
        titles = []
        for column, width in self.visible_columns():
            sign = ""
            if self._sort is not None and self._sort.column == column.name:
                sign = " ▼" if self._sort.descending else " ▲"
            titles.append(cell(Content(column.title + sign), width, column.left))
        return Content(" " * GAP).join(titles)

    def _empty_line(self, y: int, width: int) -> Content:
        wrapped = self._empty.wrap(max(1, width - 4 - GUTTER)) if self._empty.plain else []
        index = y - 2
        if 0 <= index < len(wrapped):
            return Content.assemble(" " * (2 + GUTTER), wrapped[index])
        return Content("")

    def _repaint(self) -> None:
        """Ask for those lines alone that look different from what was painted last."""
        self._ahead, self._ahead_at = {}, self._at
        for y in range(self.scrollable_content_region.height):
            if y in self._painted and self._painted[y] != (line := self._line(y)):
                self._ahead[y] = line
                self.refresh(Region(0, y, self.size.width, 1))

    def _find_cursor(self) -> int:
        if self.key is None or not self._rows:
            return 0
        for index, row in enumerate(self._rows):
            if row_key(row) == self.key:
                return index
        return min(self._cursor, len(self._rows) - 1)

    def _page_height(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def _keep_in_sight(self) -> None:
        top, page = self.scroll_offset.y, self._page_height()
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + page:
            self.scroll_to(y=self._cursor - page + 1, animate=False)

    def _go(self, index: int) -> None:
        if not self._rows:
            return
        self._cursor = clamp(index, 0, len(self._rows) - 1)
        self.key = row_key(self._rows[self._cursor])
        self._keep_in_sight()
        self._repaint()
        self.post_message(self.Moved())

    def go_to(self, key: object) -> None:
        """The cursor to the row of that key, if there is one, as if it had been there all along."""
        if key != self.key:
            self.key = key
            self._cursor = self._find_cursor()
            self._keep_in_sight()
            self._repaint()

    def action_move(self, by: int) -> None:
        """The cursor up or down."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """The cursor up or down a page."""
        self._go(self._cursor + by * self._page_height())

    def action_first(self) -> None:
        """To the first row, where the cursor stays whichever row that is."""
        self._go(0)
        self.key = None

    def action_last(self) -> None:
        """To the last row."""
        self._go(len(self._rows) - 1)

    def on_resize(self) -> None:
        """Keep the cursor in sight when there is less room."""
        self._keep_in_sight()

    def on_click(self, event: events.Click) -> None:
        """A click on the head sorts; on a row it moves there; on the cursor's row it chooses."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            self._click_head(offset.x)
            return
        index = self.scroll_offset.y + offset.y - 1
        if index >= len(self._rows):
            return
        if index == self._cursor:
            self.post_message(self.Chosen())
        else:
            self._go(index)

    def _click_head(self, x: int) -> None:
        left = GUTTER
        for column, width in self.visible_columns():
            if left <= x < left + width + GAP:
                self.post_message(self.SortAsked(column.name))
                return
            left += width + GAP
