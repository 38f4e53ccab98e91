"""A list to choose from by typing: for hosts, months and countries alike."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from headcount_tui.asked.keys import Where, bindings
from headcount_tui.drawing.choices import Choice, matching
from headcount_tui.drawing.render import MUTED, cell, outside

MOST = 200


class Picker(ModalScreen[str | None]):
    """Gives the value chosen (empty: none of them), or None where nothing was."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.DIALOG))

    def __init__(self, title: str, choices: Sequence[Choice], chosen: str | None) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._chosen = chosen or ""
        self._offered: list[Choice] = []

    def compose(self) -> ComposeResult:
        """A line to type in over the list."""
        with Vertical(classes="dialog picker") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content("type to find · Enter to choose · Esc")
            typed = Input(placeholder="type to find", compact=True)
            typed.cursor_blink = False  # an idle screen sends nothing
            yield typed
            options = OptionList(compact=True, markup=False)
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        """Start at what is chosen now."""
        self._offer("")
        values = [choice.value for choice in self._offered]
        if self._chosen in values:
            self.query_one(OptionList).highlighted = values.index(self._chosen)

    def on_resize(self) -> None:
        """The lines are as wide as the box."""
        self.call_after_refresh(self._offer, self.query_one(Input).value, keep=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what matches."""
        self._offer(event.value)

    def on_input_submitted(self) -> None:
        """Choose the highlighted line."""
        index = self.query_one(OptionList).highlighted
        if index is not None and index < len(self._offered):
            self.dismiss(self._offered[index].value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose the line that was clicked."""
        if event.option_index < len(self._offered):
            self.dismiss(self._offered[event.option_index].value)

    def action_move(self, by: int) -> None:
        """Highlight the line above, or below."""
        options = self.query_one(OptionList)
        if by < 0:
            options.action_cursor_up()
        else:
            options.action_cursor_down()

    def action_close(self) -> None:
        """Choose nothing."""
        self.dismiss(None)

    def _offer(self, typed: str, keep: bool = False) -> None:
        options = self.query_one(OptionList)
        line = options.highlighted if keep else 0
        found = matching(self._choices, typed)
        self._offered = found[:MOST]
        width = max(20, options.scrollable_content_region.width)
        options.clear_options()
        options.add_options([Option(_prompt(choice, width)) for choice in self._offered])
        if len(found) > MOST:
            options.add_option(Option(Content(f"… and {len(found) - MOST} more: type to narrow"), disabled=True))
        if not found:
            options.add_option(Option(Content.styled("no match", MUTED), disabled=True))
        elif line is not None:
            options.highlighted = line


def _prompt(choice: Choice, width: int) -> Content:
    note = outside(choice.note, MUTED)
    return Content.assemble(cell(outside(choice.label), max(4, width - note.cell_length - 3), left=True), " ", note)
