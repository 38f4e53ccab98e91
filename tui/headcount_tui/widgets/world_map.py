"""The world, shaded by users; its accessible twin is the table of countries."""

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message

from headcount.figures.tables import Row
from headcount.snapshot import Place, Snapshot
from headcount_tui.asked.keys import Where, bindings
from headcount_tui.asked.shown import Shown
from headcount_tui.drawing.atlas import Direction, atlas, nearest
from headcount_tui.drawing.world_map import Countries, Selection, countries_of, country_at, draw_world
from headcount_tui.widgets.panel import Panel

ZOOMS = (1, 2, 4, 8)
DIRECTIONS = {
    "left": Direction(-1, 0),
    "right": Direction(1, 0),
    "up": Direction(0, 1),
    "down": Direction(0, -1),
}


class WorldMap(Panel, can_focus=True):
    """One country with users can be selected: it is what Enter drills into. See `draw_world`."""

    follows_view = False

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.WORLD))
    has_keys = True

    class Chosen(Message):
        """A second click on a country."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._wanted: str | None = None
        self._zoom = ZOOMS[0]
        self._found: tuple[Snapshot, str, Countries] | None = None

    @property
    def row(self) -> Row[Place] | None:
        """The row of the country that is selected, or None."""
        selected = self._selection(self.shown) if self.shown else None
        return (
            self._countries(self.shown).rows.get(selected.code) if self.shown and selected and selected.code else None
        )

    def draw(self, shown: Shown, size: Size) -> Content:
        """The map."""
        return draw_world(shown, self._countries(shown), size, self._selection(shown), self.has_keys)

    def _countries(self, shown: Shown) -> Countries:
        if self._found is None or self._found[0] is not shown.cut or self._found[1] != shown.month:
            self._found = shown.cut, shown.month, countries_of(shown)
        return self._found[2]

    def _selection(self, shown: Shown) -> Selection:
        """The selected country: the one last moved to while it has users, else the one that the filter names."""
        rows = self._countries(shown).rows
        code = self._wanted if self._wanted in rows else shown.asked.filter.value("country")
        return Selection(code if code in atlas().points else None, self._zoom)

    def select(self, code: str | None) -> None:
        """Select that country; None: none but the filter's."""
        if code != self._wanted:
            self._wanted = code
            self._draw_again()

    def _draw_again(self) -> None:
        if self.shown is not None:
            self.show(self.shown)

    def action_select(self, towards: str) -> None:
        """Select the nearest country with users in that direction; the one with the most where none is selected yet."""
        if self.shown is None:
            return
        here, order = self._selection(self.shown).code, self._countries(self.shown).order
        if here is None:
            self.select(order[0] if order else None)
            return
        points = atlas().points
        others = [(code, points[code]) for code in order if code != here]
        self.select(nearest(points[here], others, DIRECTIONS[towards]) or self._wanted)

    def action_next(self, by: int) -> None:
        """Select the country with the next fewer users, or more."""
        if self.shown is None:
            return
        here, order = self._selection(self.shown).code, self._countries(self.shown).order
        if here not in order:
            self.select(order[0] if order else None)
        elif 0 <= (index := order.index(here) + by) < len(order):
            self.select(order[index])

    def action_zoom_map(self, by: int) -> None:
        """A smaller piece of the world, or a larger one."""
        index = ZOOMS.index(self._zoom) + by
        self._zoom = ZOOMS[min(max(index, 0), len(ZOOMS) - 1)]
        self._draw_again()

    def on_click(self, event: events.Click) -> None:
        """A click on a country selects it; on the selected one, it chooses it."""
        at = event.get_content_offset(self)
        if at is None or self.shown is None:
            return
        selected = self._selection(self.shown)
        code = country_at(self._countries(self.shown), self.size, selected, at.x, at.y)
        if code is not None and code == selected.code:
            self.post_message(self.Chosen())
        elif code is not None:
            self.select(code)


class SideMap(WorldMap, can_focus=False):
    """A map beside a table, that highlights the country under the table's cursor and has no keys."""

    has_keys = False

    def on_click(self, event: events.Click) -> None:
        """Nothing: the table beside it is what selects."""
        event.prevent_default()
