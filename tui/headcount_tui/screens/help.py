"""The help: every key, made from the one list of them, and what the words and signs mean."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from headcount.places import lookup, names
from headcount_tui.asked.keys import Action, Where, bindings
from headcount_tui.drawing import atlas
from headcount_tui.drawing.render import KEY, MUTED, STRONG, cell

ATTRIBUTIONS = (lookup.ATTRIBUTION, names.ATTRIBUTION, atlas.ATTRIBUTION)

WORDS = (
    ("DAU WAU MAU", "users active in the last 24 hours, 7 days, 30 days, each counted once"),
    ("month users", "users seen in a calendar month of the time zone shown, each counted once"),
    ("stickiness", "DAU as a share of MAU: how many of a month's users come on a day"),
    ("new", "users of the month who were not there the month before"),
    ("returning", "users of the month who were there the month before too"),
    ("lost", "users of the month before who are not there in this month"),
    ("~ open sessions", "users whose last login is later than their last logout: an estimate"),
    ("= exact", "the month was followed from its start to its end"),
    ("≥ lower bound", "it was not followed from its start: at least this many"),
    ("imported", "counted by Prosody's own module, and imported"),
    ("? unknown", "users whose country or client is not known"),
    ("▲ ▼", "more or fewer than before"),
    ("◆ ≥ ◇", "in the trend: a month's users at its end, exact, at least, imported"),
    ("░ ┊", "in the trend: a time without data; from here on, places come from another database"),
    ("–", "not known"),
)


class Help(ModalScreen[None]):
    """A box over the screen; any of Escape, q and ? closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.DIALOG),
        *(binding for binding in bindings(Where.GENERAL) if binding.action == "help"),
    ]

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        """All of it in one text that scrolls."""
        with VerticalScroll(classes="dialog") as box:
            box.border_title = Content("Help")
            box.border_subtitle = Content("Esc to close")
            yield Static(help_text(self._actions), markup=False)

    def action_move(self, by: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_help(self) -> None:
        """The key that opened it closes it too."""
        self.dismiss(None)

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)


def help_text(actions: Sequence[Action]) -> Content:
    """The help as one text."""
    lines = []
    for where in Where:
        lines.append(Content.styled(where.value, STRONG))
        lines += [
            Content.assemble("  ", cell(Content.styled(action.sign, KEY), 12, left=True), action.help)
            for action in actions
            if action.where is where
        ]
        lines.append(Content(""))
    lines.append(Content.styled("Words and signs", STRONG))
    lines += [
        Content.assemble("  ", cell(Content.styled(word, KEY), 15, left=True), meaning) for word, meaning in WORDS
    ]
    lines.append(Content(""))
    lines.append(
        Content.styled("The mouse works too: on tabs, column heads, rows, crosses, and the keys at the bottom.", MUTED)
    )
    lines += [Content.styled(attribution, MUTED) for attribution in ATTRIBUTIONS]
    return Content("\n").join(lines)
