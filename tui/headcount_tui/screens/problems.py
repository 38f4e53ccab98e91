"""What is wrong with the data: how often, one example, and why. It follows the figures while it is open."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from headcount.snapshot import ProblemGroup
from headcount.text import SENTENCES
from headcount_tui.asked.keys import Where, bindings
from headcount_tui.drawing.render import MUTED, STRONG, WARNING, number, outside


class Problems(ModalScreen[None]):
    """A box over the screen; any of Escape, q and ! closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Where.DIALOG),
        *(binding for binding in bindings(Where.GENERAL) if binding.action == "problems"),
    ]

    def __init__(self, problems: Sequence[ProblemGroup]) -> None:
        super().__init__()
        self._text = problems_text(problems)

    def compose(self) -> ComposeResult:
        """All of them in one text that scrolls."""
        with VerticalScroll(classes="dialog") as box:
            box.border_title = Content("Problems")
            box.border_subtitle = Content("Esc to close")
            yield Static(self._text, markup=False)

    def show(self, problems: Sequence[ProblemGroup]) -> None:
        """Show these from now on."""
        text = problems_text(problems)
        if not text.is_same(self._text):
            self._text = text
            self.query_one(Static).update(text)

    def action_move(self, by: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_problems(self) -> None:
        """The key that opened it closes it too."""
        self.dismiss(None)

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)


def problems_text(problems: Sequence[ProblemGroup]) -> Content:
    """The problems as one text, the most frequent first."""
    if not problems:
        return Content("No problems: everything was read.")
    blocks = [
        Content.assemble(
            (f"{number(problem.count)} × ", WARNING),
            outside(problem.what, STRONG),
            ("\n  why      ", MUTED),
            outside(problem.why, limit=SENTENCES),
            ("\n  example  ", MUTED),
            outside(problem.example),
        )
        for problem in sorted(problems, key=lambda problem: -problem.count)
    ]
    return Content("\n\n").join(blocks)
