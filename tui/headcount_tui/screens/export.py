"""The box that writes what is shown to a file: its format, whether small groups may be shown, its name."""

import os
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState, get_current_worker

from headcount.errors import HeadcountError, TakenError, unforeseen
from headcount.feed import Feed
from headcount.figures.filter_language import written
from headcount.snapshot import Snapshot
from headcount_tui.asked.keys import Where, bindings
from headcount_tui.asked.shown import Asked
from headcount_tui.drawing.render import BAD, MUTED, WARNING, outside
from headcount_tui.running.exporting import FORMATS, Wish, default_path, full_path, next_name, save, with_end
from headcount_tui.running.picture import picture
from headcount_tui.widgets.choice import NAMED, Choice, Offer

Twin = Callable[[Feed, Asked], App[int]]
"""Makes a second screen like this one, on another feed."""


class Export(ModalScreen[str | None]):
    """Gives the path of the file that was written, or None."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.DIALOG, Where.EXPORT))

    def __init__(self, snapshot: Snapshot, asked: Asked, min_count: int, twin: Twin) -> None:
        super().__init__()
        self._snapshot, self._asked, self._min_count, self._twin = snapshot, asked, min_count, twin
        self._worker: Worker[str] | None = None

    def compose(self) -> ComposeResult:
        """Two choices, the name, and what it all comes to."""
        name = default_path(self._asked.filter, self._snapshot, FORMATS[0].end)
        least = self._min_count
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Export what is shown")
            box.border_subtitle = Content("Enter writes · ↑↓ · Space · Esc")
            yield Choice("Format", [Offer(form.label, form.note) for form in FORMATS], id="format")
            yield Choice(
                "Figures",
                [
                    Offer("k-anonymous", f"no group of fewer than {least} users can be found"),
                    Offer("exact", "for yourself: small groups may reveal single users"),
                ],
                id="figures-shown",
            )
            with Horizontal(id="file"):
                yield Static("  File", markup=False)
                field = Input(name, compact=True, select_on_focus=False)
                field.cursor_blink = False  # an idle screen sends nothing
                yield field
            yield Static(id="where", markup=False)
            yield Static(self._holds(), id="holds", markup=False)
            yield Static(id="problem", markup=False)

    def on_mount(self) -> None:
        """Begin with the format."""
        self._say_where()

    def _holds(self) -> Content:
        held = written(self._asked.filter)
        return Content.assemble(("  Of".ljust(NAMED), MUTED), outside(held) if held else "all users, all months")

    def _say_where(self) -> None:
        directory = os.path.dirname(full_path(self.query_one(Input).value))
        self.query_one("#where", Static).update(
            Content.assemble(" " * NAMED, outside(f"in {directory}", MUTED)).truncate(200)
        )

    @on(Choice.Changed)
    def _format_changed(self) -> None:
        field = self.query_one(Input)
        field.value = with_end(field.value, self._form)
        self._say("")

    @on(Input.Changed)
    def _name_changed(self) -> None:
        self._say_where()

    @property
    def _form(self) -> str:
        return FORMATS[self.query_one("#format", Choice).chosen].end

    def action_move(self, by: int) -> None:
        """To the line above, or below."""
        if by < 0:
            self.focus_previous()
        else:
            self.focus_next()

    def action_choose(self, by: int) -> None:
        """Choose the one beside, in the line that has the focus."""
        if isinstance(self.focused, Choice):
            self.focused.choose(self.focused.chosen + by)
            self._format_changed()  # now: Enter may be the next key

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_write()

    def action_write(self) -> None:
        """Write the file, beside the screen."""
        if self._worker is not None:
            return
        is_exact = self.query_one("#figures-shown", Choice).chosen == 1
        wish = Wish(self._form, self.query_one(Input).value, self._asked.filter, None if is_exact else self._min_count)
        self._say("Writing …", WARNING)
        size = (self.app.size.width, self.app.size.height)
        self._worker = self.run_worker(partial(self._save, wish, size), thread=True, exit_on_error=False)

    def _save(self, wish: Wish, size: tuple[int, int]) -> str:
        """In a thread of its own."""
        worker = get_current_worker()

        def is_wanted() -> bool:
            return not worker.is_cancelled

        def draw(snapshot: Snapshot) -> str:
            return picture(snapshot, lambda feed: self._twin(feed, self._asked), size, is_wanted)

        return save(wish, self._snapshot, draw, is_wanted)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The file is written, or the box says why not."""
        if event.state is WorkerState.SUCCESS:
            self.dismiss(str(event.worker.result))
        elif event.state is WorkerState.ERROR:
            self._worker = None
            error = event.worker.error
            problem = error if isinstance(error, HeadcountError) else unforeseen(error or Exception())
            self._say(f"{problem.message} {problem.hint}", BAD)
            if isinstance(problem, TakenError):
                self._offer_another_name()

    def _offer_another_name(self) -> None:
        field = self.query_one(Input)
        name = field.value
        while os.path.lexists(full_path(name := next_name(name))):
            pass
        field.value = name
        self._say(f"This file exists already. Press Enter to write {os.path.basename(name)}.", BAD)

    def _say(self, text: str, style: str = "") -> None:
        self.query_one("#problem", Static).update(outside(text, style))
        self.query_one(".dialog").set_class(bool(text), "-has-problem")

    def action_close(self) -> None:
        """Write nothing more."""
        if self._worker is not None:
            self._worker.cancel()
        self.dismiss(None)
