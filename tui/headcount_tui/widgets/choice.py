"""A line of a few things of which one is chosen; the arrows or a click choose another."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from headcount_tui.drawing.render import ACCENT, MUTED

NAMED = 10
"""Cells of the name before what is offered."""
_GAP = 2


class Offer(NamedTuple):
    """One thing to choose, and what is said of it while it is chosen."""

    label: str
    note: str


class Choice(Widget, can_focus=True):
    """`Format   ● CSV  ○ JSON`, over a line that says what the chosen one is."""

    class Changed(Message):
        """Another one was chosen."""

    def __init__(self, name: str, offers: Sequence[Offer], id: str) -> None:
        super().__init__(id=id)
        self._title = name
        self._offers = offers
        self.chosen = 0

    def render(self) -> Content:
        """Both lines."""
        offered = [
            Content.styled(f"● {offer.label}", ACCENT) if index == self.chosen else Content(f"○ {offer.label}")
            for index, offer in enumerate(self._offers)
        ]
        return Content.assemble(
            (f"{'▸' if self.has_focus else ' '} {self._title}".ljust(NAMED), MUTED),
            Content(" " * _GAP).join(offered),
            (f"\n{' ' * NAMED}{self._offers[self.chosen].note}", MUTED),
        )

    def choose(self, index: int) -> None:
        """Choose that one; beyond the last comes the first."""
        index %= len(self._offers)
        if index != self.chosen:
            self.chosen = index
            self.refresh()
            self.post_message(self.Changed())

    def on_focus(self) -> None:
        """Its sign is not the colour alone."""
        self.refresh()

    def on_blur(self) -> None:
        """It has the keys no longer."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y:
            return
        right = NAMED
        for index, offer in enumerate(self._offers):
            left, right = right, right + 2 + len(offer.label) + _GAP
            if left <= offset.x < right:
                self.choose(index)
