"""The line to type a text in; it filters while it is typed."""

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from headcount_tui.actions import Where, bindings


class TextFilter(Input):
    """Opens in place of the line of filters. Enter keeps what was typed; Escape puts back what was there."""

    BINDINGS: ClassVar[list[BindingType]] = [binding for binding in bindings(Where.DIALOG) if binding.key == "escape"]

    class Closed(Message):
        """The line was left; `value` is the text to filter by, perhaps empty."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    def __init__(self) -> None:
        super().__init__(placeholder="text in the name of a place, a client or a host", compact=True)
        self.cursor_blink = False  # an idle screen sends nothing
        self._before = ""

    def open(self, value: str) -> None:
        """Show the line with `value` in it."""
        self._before = value
        with self.prevent(Input.Changed):
            self.value = value
        self.focus()

    def action_close(self) -> None:
        """Leave it, as if nothing had been typed."""
        self._close(self._before)

    def on_input_submitted(self) -> None:
        """Leave it, and keep what was typed."""
        self._close(self.value)

    def _close(self, value: str) -> None:
        self.post_message(self.Closed(value.strip()))
