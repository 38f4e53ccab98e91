"""The application: it runs the feed beside the screen, and lets the screen draw no faster than is of use."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.content import Content
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import WorkerFailed

from headcount.errors import HeadcountError, UsageError, unforeseen
from headcount.feed import Feed
from headcount.screen import ScreenOptions
from headcount.snapshot import Snapshot
from headcount.text import clean
from headcount_tui.asked.keys import Where, bindings, remapped
from headcount_tui.asked.shown import Asked
from headcount_tui.drawing import ascii, themes
from headcount_tui.failure import Failure
from headcount_tui.running.ending import Ending
from headcount_tui.running.exporting import as_text
from headcount_tui.running.feed_thread import Ended, FeedThread, Published
from headcount_tui.running.remembered import Kept, Memory
from headcount_tui.running.terminal import LastingDriver, is_there, modes_of
from headcount_tui.screens.export import Export
from headcount_tui.screens.main import MainScreen

# Seconds between two paintings while things happen: quicker ones cost a slow line much and tell the eye little. What
# happens after a quiet second is painted at once.
PACE = 1.0
# The same while the terminal says that nobody looks at it.
PACE_UNSEEN = 5.0
# How long the feed may take to end once the user has quit.
PATIENCE = 0.8
DEFAULT = ScreenOptions()


class HeadcountApp(App[int]):
    """Headcount's screen on a feed."""

    TITLE = "headcount"
    CSS_PATH = "headcount.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (72, "-wide"), (100, "-wider"), (140, "-grand")]  # noqa: RUF012 (Textual types it no ClassVar)
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-tall"), (34, "-lofty")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [b for b in bindings(Where.GENERAL) if b.priority]

    def __init__(
        self, feed: Feed, options: ScreenOptions = DEFAULT, pace: float = PACE, asked: Asked | None = None
    ) -> None:
        super().__init__()
        self.memory = Memory.load(options.memory, options.remember)
        self.not_kept = ""
        self.options = options
        self.actions = remapped(options.keys)
        self.set_keymap({action.id: action.keys for action in self.actions if action.id in options.keys})
        self._ascii = ascii.AsciiOnly(enabled=_wants_ascii(options))
        for theme in themes.OWN:
            self.register_theme(theme)
        remembered = self.memory.theme if self.memory.theme in self.available_themes else None
        self.theme = self._first_theme = options.theme or remembered or themes.default(os.environ.get("TERM", ""))
        self.feed_thread = FeedThread(feed, self.post_message)
        self._main = MainScreen(self.actions, asked or self.memory.asked(options.initial_filter))
        self._pace = self._seen_pace = pace
        self._newest: Snapshot | None = None
        self._waiting: Timer | None = None
        self._failure: Failure | None = None
        self.ending: Ending | None = None
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._is_built = False
        self._leave: Callable[[], None] | None = None

    def get_default_screen(self) -> Screen[None]:
        """The one screen that the others open over."""
        return self._main

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and the one for terminals without our signs."""
        return [*super().get_line_filters(), *([self._ascii] if self._ascii.enabled else [])]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action that is no mere step in a list."""
        for action in self.actions:
            if action.id and screen is self._main:
                title = f"{action.id.replace('-', ' ').capitalize()}  ({action.sign})"
                yield SystemCommand(title, action.help, partial(self._main.run_action, action.name))

    def on_app_blur(self) -> None:
        """Nobody looks: paint seldom."""
        self._pace = max(self._seen_pace, PACE_UNSEEN)

    def on_app_focus(self) -> None:
        """Somebody looks again: paint what there is, now."""
        self._pace = self._seen_pace
        if self._waiting is not None:
            self._waiting.stop()
            self._show_newest()

    def on_ready(self) -> None:
        """Start counting once there is a screen to show it."""
        self._is_built = True
        if self._leave is not None:
            self._leave()
            return
        if self.memory.remembers and not self.memory.is_writable():
            self.notify(f"Nothing will be kept: {clean(str(self.memory.path))} can't be written.", markup=False)
        gc.freeze()  # what the screen is made of stays: to look for cycles in it again and again holds up keys
        self.feed_thread.start()

    def get_driver_class(self) -> type[Driver]:
        """Textual's, and for a terminal the one that outlives it."""
        chosen = super().get_driver_class()
        return LastingDriver if chosen is LinuxDriver else chosen

    def on_load(self) -> None:
        """Before the terminal is taken: end here where an end was asked for already, and take up later ones."""
        self._own_loop = asyncio.get_running_loop()
        if self.ending is not None and self.ending.code is not None:
            super().exit(self.ending.code)

    def exit(self, result: int | None = None, return_code: int = 0, message: Any = None) -> None:
        """End, within seconds, whatever the end hangs on.

        An end that comes while the screen is being built waits until it is: asked to exit, Textual builds no more, and
        what is there already would look for the rest in vain.
        """
        if self.ending is not None:
            self.ending.begin(return_code if result is None else result)
        self._leave = partial(super().exit, result, return_code, message)
        if self._is_built:
            self._leave()

    def exit_soon(self, code: int) -> None:
        """The same from any thread. The feed is asked to end at once: it may have much to keep."""
        self.feed_thread.stop()
        if self._own_loop is not None:
            with suppress(RuntimeError):  # the loop is closed: the screen has ended
                self._own_loop.call_soon_threadsafe(self.exit, code)

    def wake(self) -> None:
        """Have the loop go round once; from any thread."""
        if self._own_loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._own_loop.call_soon_threadsafe(lambda: None)

    def give_back(self, modes: list[Any] | None) -> None:
        """Give the terminal back by force, if it was taken and not given back yet."""
        if isinstance(self._driver, LastingDriver):
            self._driver.give_back(modes)

    def on_unmount(self) -> None:
        """Stop counting, and keep what the user wants kept."""
        self.feed_thread.stop()
        try:
            self.memory.keep(self.memory.with_asked(self._main.asked, self._theme_chosen))
        except HeadcountError as error:
            self.not_kept = error.message

    @on(Published)
    def _published(self, event: Published) -> None:
        self._newest = event.snapshot
        if self._waiting is None:
            self._show_newest()

    def _show_newest(self) -> None:
        """Show the newest snapshot, if one waits, and take no other for a while."""
        newest, self._newest, self._waiting = self._newest, None, None
        if newest is None or not self.is_running:  # its widgets go before the last messages are read
            return
        start = monotonic()
        self._main.receive(newest)
        # Where figures are many and working them out is slow, keys must not wait for it all the time.
        rest = max(self._pace, 4 * (monotonic() - start))
        self._waiting = self.set_timer(rest, self._show_newest)

    @on(Ended)
    def _ended(self, event: Ended) -> None:
        if self._waiting is not None:
            self._waiting.stop()
        self._show_newest()
        self._failure = event.failure
        if self.is_running:
            self._main.end(event.failure)

    def _handle_exception(self, error: Exception) -> None:
        """Textual's last resort would print the code with its variables, in which users' names may stand; this says
        the kind of error and its place alone. (There is no public hook for it; a test sees to it that this one is.)"""
        if self._exit and _is_missing(error):
            return  # a box that was being opened: Textual builds no more of it, and that is no failure of the screen's
        if self.is_headless:
            super()._handle_exception(error)  # so that tests fail by it
            return
        self._return_code = 1
        self.feed_thread.stop()
        problem = unforeseen(error)
        self._is_built = True  # as far as it will ever be
        self.exit(1, 1, Content(f"headcount: {problem}"))

    def action_copy(self) -> None:
        """Copy the row under the cursor, or the three figures where there is none."""
        if self._main.shown is not None:
            self.copy_to_clipboard(as_text(self._main.shown, self._main.row))
            self.notify("Copied with OSC 52, if your terminal allows it.", markup=False, timeout=3)

    def action_export(self) -> None:
        """Write what is shown to a file."""

        def written(path: str | None) -> None:
            if path:
                self.notify(f"Wrote {clean(path, 500)}", markup=False)

        if self._main.shown is not None:
            export = Export(self._main.shown.whole, self._main.asked, self.options.min_count, self.twin)
            self.push_screen(export, written)

    def twin(self, feed: Feed, asked: Asked) -> "HeadcountApp":
        """A second screen that looks like this one, on another feed; it remembers nothing."""
        options = replace(self.options, memory=None, remember=False, theme=self.theme)
        return HeadcountApp(feed, options, asked=replace(asked, paused=False))

    def action_remember(self) -> None:
        """Remember filters and view between starts, or do so no longer; what was kept is gone at once then."""
        if self.memory.path is None:
            self.notify("Nothing can be remembered: this user has no home directory.", markup=False)
            return
        wanted = not self.memory.remembers
        kept = self.memory.with_asked(self._main.asked, self._theme_chosen, wanted)
        self.notify(f"Remember filters between starts: {'on' if wanted else 'off'}", markup=False, timeout=3)
        self.run_worker(partial(self._keep, kept), thread=True, exit_on_error=False)

    @property
    def _theme_chosen(self) -> str | None:
        """The theme that was chosen on the screen, now or before."""
        return self.theme if self.theme != self._first_theme else self.memory.theme

    def _keep(self, kept: Kept) -> None:
        """In a thread of its own."""
        try:
            self.memory.keep(kept)
        except HeadcountError as error:
            self.notify(f"Nothing is kept: {error.message}", markup=False, severity="error")

    async def action_quit(self) -> None:
        """Leave, with the exit code of what failed, if anything did."""
        self.feed_thread.stop()
        self.exit(self._failure.exit_code if self._failure else 0)


def _is_missing(error: BaseException | None) -> bool:
    """Whether it comes of a widget that there is not, be it in a worker."""
    return isinstance(error, NoMatches) or (isinstance(error, WorkerFailed) and _is_missing(error.error))


def _wants_ascii(options: ScreenOptions) -> bool:
    if options.ascii is not None:
        return options.ascii
    return ascii.is_needed(os.environ, sys.__stderr__.encoding if sys.__stderr__ else "utf-8")


def run(feed: Feed, options: ScreenOptions) -> int:
    """Show the feed until the user quits; returns the process's exit code."""
    if not options.color:
        os.environ["NO_COLOR"] = "1"  # the one way to tell Textual, which reads it as it starts
    known = [offer.name for offer in themes.offers()]
    if options.theme is not None and options.theme not in known:
        raise UsageError(f"Unknown theme {clean(options.theme)}.", f"Available: {', '.join(known)}.")
    app = HeadcountApp(feed, options)
    fd = sys.__stdin__.fileno() if sys.__stdin__ else 0
    modes = modes_of(fd)

    def force(code: int) -> None:
        """The screen hangs: the feed was asked to end, and has kept what it counted; give the terminal back and end."""
        app.feed_thread.join(PATIENCE)
        app.give_back(modes)
        os._exit(code)

    if is_there(fd):
        app.ending = Ending(app.exit_soon, lambda: is_there(fd), force, app.wake)
        app.ending.start()
    # A picture that is drawn while the screen closes has outputs of its own, and must not leave them behind.
    with (
        redirect_stdout(sys.stdout),
        redirect_stderr(sys.stderr),
        asyncio.Runner(loop_factory=app.feed_thread.right_of_way.new_loop) as runner,
    ):
        try:
            code = runner.run(app.run_async(mouse=options.mouse))
        finally:
            app.give_back(modes)
    if app.not_kept:
        print(f"headcount: {app.not_kept}", file=sys.stderr)
    app.feed_thread.stop()
    app.feed_thread.join(PATIENCE)
    return code if code is not None else app.return_code or 0
