"""The application: it runs the feed beside the screen, and lets the screen draw no faster than is of use."""

import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from time import monotonic
from typing import ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.content import Content
from textual.filter import LineFilter
from textual.screen import Screen
from textual.timer import Timer

from headcount.errors import UsageError, unforeseen
from headcount.feed import Feed
from headcount.screen import ScreenOptions
from headcount.snapshot import Snapshot
from headcount.text import clean
from headcount_tui import glyphs, themes
from headcount_tui.actions import Where, bindings, remapped
from headcount_tui.feed import Ended, Failure, FeedThread, Published
from headcount_tui.screens.main import MainScreen

# Seconds between two paintings: quicker ones cost a slow line much and tell the eye nothing.
PACE = 0.25
DEFAULT = ScreenOptions()
# The same while the terminal says that nobody looks at it.
PACE_UNSEEN = 5.0
# How long the feed may take to end once the user has quit.
PATIENCE = 0.8


class HeadcountApp(App[int]):
    """Headcount's screen on a feed."""

    TITLE = "headcount"
    CSS_PATH = "headcount.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (72, "-wide"), (100, "-wider"), (140, "-grand")]  # noqa: RUF012 (Textual types it no ClassVar)
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (20, "-tall"), (34, "-lofty")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [b for b in bindings(Where.GENERAL) if b.priority]

    def __init__(self, feed: Feed, options: ScreenOptions = DEFAULT, pace: float = PACE) -> None:
        super().__init__()
        self.options = options
        self.actions = remapped(options.keys)
        self.set_keymap({action.id: action.keys for action in self.actions if action.id in options.keys})
        self._ascii = glyphs.AsciiOnly(enabled=_wants_ascii(options))
        for theme in themes.OWN:
            self.register_theme(theme)
        self.theme = options.theme or themes.default(os.environ.get("TERM", ""))
        self.feed_thread = FeedThread(feed, self.post_message)
        self._main = MainScreen(options, self.actions)
        self._pace = self._seen_pace = pace
        self._newest: Snapshot | None = None
        self._waiting: Timer | None = None
        self._failure: Failure | None = None

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
        self.feed_thread.start()

    def on_unmount(self) -> None:
        """Stop counting."""
        self.feed_thread.stop()

    @on(Published)
    def _published(self, event: Published) -> None:
        self._newest = event.snapshot
        if self._waiting is None:
            self._show_newest()

    def _show_newest(self) -> None:
        """Show the newest snapshot, if one waits, and take no other for a while."""
        newest, self._newest, self._waiting = self._newest, None, None
        if newest is None:
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
        self._main.end(event.failure)

    def _handle_exception(self, error: Exception) -> None:
        """Textual's last resort would print the code with its variables, in which users' names may stand; this tells
        the kind of error and its place alone. (There is no public hook for it; a test sees to it that this one is.)"""
        if self.is_headless:
            super()._handle_exception(error)  # so that tests fail by it
            return
        self._return_code = 1
        self.feed_thread.stop()
        told = unforeseen(error)
        self.exit(1, 1, Content(f"headcount: {told}"))

    async def action_quit(self) -> None:
        """Leave, with the exit code of what failed, if anything did."""
        self.feed_thread.stop()
        self.exit(self._failure.exit_code if self._failure else 0)


def _wants_ascii(options: ScreenOptions) -> bool:
    if options.ascii is not None:
        return options.ascii
    return glyphs.is_needed(os.environ, sys.__stderr__.encoding if sys.__stderr__ else "utf-8")


def run(feed: Feed, options: ScreenOptions) -> int:
    """Show the feed until the user quits; returns the process's exit code."""
    if not options.color:
        os.environ["NO_COLOR"] = "1"  # the one way to tell Textual, which reads it as it starts
    known = [offer.name for offer in themes.offers()]
    if options.theme is not None and options.theme not in known:
        raise UsageError(f"There is no theme {clean(options.theme)}.", f"There is {', '.join(known)}.")
    app = HeadcountApp(feed, options)
    code = app.run(mouse=options.mouse)
    app.feed_thread.stop()
    app.feed_thread.join(PATIENCE)
    return code if code is not None else app.return_code or 0
