"""Reading the screen as a person does: the text that is painted, line by line."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import NamedTuple

from fake_feed import FakeFeed
from textual.pilot import Pilot
from textual.widget import Widget

from headcount.figures.filters import Filter
from headcount.screen import ScreenOptions
from headcount.snapshot import Snapshot
from headcount_tui.app import HeadcountApp

PATIENCE = 60.0
"""Seconds to wait for what must come. A busy machine is no reason to fail."""


def lines(app: HeadcountApp) -> list[str]:
    """What is painted now on the screen in front."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def text(app: HeadcountApp) -> str:
    """All of it as one text."""
    return "\n".join(lines(app))


async def until_so(pilot: Pilot[int], is_so: Callable[[], bool]) -> None:
    """Wait until it is so, whatever it is, and all that came with it is painted."""
    end = monotonic() + PATIENCE
    while not is_so():
        assert monotonic() < end, "it did not come true"
        await asyncio.sleep(0.005)
    await pilot.pause()


class Seen:
    """A running screen under test."""

    def __init__(self, app: HeadcountApp, pilot: Pilot[int], feed: FakeFeed) -> None:
        self.app, self.pilot, self.feed = app, pilot, feed

    @property
    def text(self) -> str:
        return text(self.app)

    @property
    def lines(self) -> list[str]:
        return lines(self.app)

    async def press(self, *keys: str) -> str:
        """Press the keys; what is painted then."""
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return self.text

    async def until(self, words: str, gone: bool = False) -> str:
        """Wait until the words are painted (or gone); what is painted once all that came with them is in its place."""
        end = monotonic() + PATIENCE
        while monotonic() < end:
            await self.pilot.pause()
            if (words in (painted := self.text)) is not gone:
                return painted
            await asyncio.sleep(0.005)
        raise AssertionError(f"{words!r} {'still' if gone else 'not'} on the screen:\n{self.text}")

    async def until_so(self, is_so: Callable[[], bool]) -> None:
        """As `until_so`, on this screen."""
        await until_so(self.pilot, is_so)

    async def put(self, item: Snapshot | BaseException | None, words: str) -> str:
        """Let the feed say something, and wait for its words."""
        self.feed.put(item)
        return await self.until(words)

    def timers_of(self, name: str) -> "Timers":
        """The timers that this widget sets from now on."""
        return Timers(self.pilot, self.app.screen.query_one(name))


class Timer(NamedTuple):
    """What was set to be done after so many seconds."""

    after: float
    then: Callable[[], object]

    def stop(self) -> None:
        """As Textual's; it never runs out by itself."""


class Timers:
    """Those of one widget or app, which run out when a test wants it, not when their time is over."""

    def __init__(self, pilot: Pilot[int], of: Widget | HeadcountApp) -> None:
        self._pilot = pilot
        self._waiting: list[Timer] = []
        of.set_timer = self._set  # type: ignore[method-assign,assignment]

    def _set(self, after: float, then: Callable[[], object]) -> Timer:
        self._waiting.append(Timer(after, then))
        return self._waiting[-1]

    async def fire(self, after: float) -> None:
        """Let the one that waits, and was set for that many seconds, run out."""
        (timer,) = self._waiting
        assert timer.after == after
        self._waiting.clear()
        timer.then()
        await self._pilot.pause()


@asynccontextmanager
async def screen(
    *snapshots: Snapshot,
    size: tuple[int, int] = (80, 24),
    initial_filter: Filter | None = None,
    options: ScreenOptions | None = None,
    waiting_for: str = "DAU",
) -> AsyncIterator[Seen]:
    """The screen on a fake feed, once its first figures are painted."""
    feed = FakeFeed(*snapshots)
    app = HeadcountApp(feed, options or ScreenOptions(initial_filter or Filter()), pace=0.01)
    async with app.run_test(size=size, notifications=True) as pilot:
        seen = Seen(app, pilot, feed)
        await seen.until(waiting_for)
        yield seen
