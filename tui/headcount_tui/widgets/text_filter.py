"""The line to type filters in: it filters while it is typed, completes, and says what it can't read."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from headcount.errors import UsageError
from headcount.figures.filter_language import LONGEST, Known, complete, parse, without_begun, written
from headcount.figures.filters import Filter
from headcount.text import clean
from headcount_tui.asked.keys import Where, bindings
from headcount_tui.drawing.render import BAD, KEY, MUTED, WARNING, outside

HELP = (("→", "complete"), ("↑", "history"), ("Enter", "keep"), ("Esc", "cancel"))
EXAMPLE = "country:de client:ios month:2026-10 sub:he host:… or any words"


class _Completer(Suggester):
    """Offers endings for the last word."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.known = Known()

    async def get_suggestion(self, value: str) -> str | None:
        """The line with its end."""
        found = complete(value, self.known)
        return found.ghost if found else None


class TextFilter(Input):
    """What is typed, and what was typed before it in this run."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.TYPING))

    class Left(Message):
        """Escape: as if nothing had been typed."""

    def __init__(self) -> None:
        self._completer = _Completer()
        super().__init__(placeholder=EXAMPLE, compact=True, suggester=self._completer, select_on_focus=False)
        self.cursor_blink = False  # an idle screen sends nothing
        self._earlier: list[str] = []
        self._recalled = 0
        self._draft = ""

    @property
    def known(self) -> Known:
        """What there is to filter by."""
        return self._completer.known

    def validate_value(self, value: str) -> str:
        """What is pasted is text from outside too."""
        return clean(value, LONGEST)

    def open(self, value: str, known: Known) -> None:
        """Begin with `value`."""
        self._completer.known = known
        self._recalled = len(self._earlier)
        with self.prevent(Input.Changed):
            self.value = value
        self.cursor_position = len(self.value)
        self.focus()

    def remember(self) -> None:
        """Offer what stands here again, later in this run."""
        if (typed := self.value.strip()) and typed not in self._earlier[-1:]:
            self._earlier.append(typed)

    def action_close(self) -> None:
        """Leave it, as if nothing had been typed."""
        self.post_message(self.Left())

    def action_complete(self) -> None:
        """Take what is offered, as the line would be written."""
        found = complete(self.value, self.known)
        if found is not None and self.cursor_at_end:
            self.value = found.line
            self.cursor_position = len(self.value)

    def action_cursor_right(self, select: bool = False) -> None:
        """At the end, take what is offered."""
        if self._suggestion and self.cursor_at_end and not select:
            self.action_complete()
        else:
            super().action_cursor_right(select)

    def action_recall(self, by: int) -> None:
        """What was typed before, or after that."""
        if self._recalled == len(self._earlier):
            self._draft = self.value
        self._recalled = min(max(0, self._recalled + by), len(self._earlier))
        self.value = [*self._earlier, self._draft][self._recalled]
        self.cursor_position = len(self.value)


class FilterLine(Vertical):
    """Opens in place of the filters and the keys. Enter keeps what was typed; Escape puts back what was there."""

    class Typed(Message):
        """The filter that the line asks for now; `is_last` where the line is left with it."""

        def __init__(self, asked: Filter, is_last: bool) -> None:
            super().__init__()
            self.asked, self.is_last = asked, is_last

    def __init__(self) -> None:
        super().__init__()
        self._before = Filter()

    def compose(self) -> ComposeResult:
        """The line over a line of help."""
        with Horizontal(id="text-line"):
            yield Static(" / ", markup=False)
            yield TextFilter()
        yield Static(help_line(), id="text-help", markup=False)

    def open(self, asked: Filter, known: Known) -> None:
        """Begin with this filter, written out."""
        self._before = asked
        self._say(help_line())
        line = written(asked)
        self.query_one(TextFilter).open(f"{line} " if line else "", known)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter by what stands here now; by what stood here last where that can't be read."""
        if event.input.has_focus and (asked := self._read(without_begun(event.value), WARNING)) is not None:
            self._say(help_line())
            self.post_message(self.Typed(asked, is_last=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it, if it can be read."""
        asked = self._read(event.value, BAD)
        if asked is not None:
            self.query_one(TextFilter).remember()
            self.post_message(self.Typed(asked, is_last=True))

    @on(TextFilter.Left)
    def _left(self) -> None:
        self.post_message(self.Typed(self._before, is_last=True))

    def _read(self, line: str, style: str) -> Filter | None:
        """The filter, or None; then the line says why."""
        try:
            return parse(line, self.query_one(TextFilter).known)
        except UsageError as error:
            self._say(Content.assemble(" ", outside(error.message, style), " ", outside(error.hint, MUTED)))
            return None

    def _say(self, content: Content) -> None:
        self.query_one("#text-help", Static).update(content)


def help_line() -> Content:
    """What the keys do while one types."""
    return Content("  ").join([Content(""), *(Content.assemble((key, KEY), (f" {does}", MUTED)) for key, does in HELP)])
