"""Reading the screen as a person does: the text that is painted, line by line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fake_feed import FakeFeed
from textual.pilot import Pilot

from headcount.filters import Filter
from headcount.screen import ScreenOptions
from headcount.snapshot import Snapshot
from headcount_tui.app import HeadcountApp


def lines(app: HeadcountApp) -> list[str]:
    """What is painted now on the screen in front."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def text(app: HeadcountApp) -> str:
    """All of it as one text."""
    return "\n".join(lines(app))


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
        await self.pilot.pause(0.02)
        return self.text

    async def until(self, words: str, gone: bool = False) -> str:
        """Wait until the words are painted (or gone), a second and a half at the most; what is painted once all that
        came with them is in its place."""
        for _ in range(75):
            if (words in self.text) is not gone:
                await self.pilot.pause()
                if (words in (painted := self.text)) is not gone:
                    return painted
            await self.pilot.pause(0.02)
        raise AssertionError(f"{words!r} {'still' if gone else 'not'} on the screen:\n{self.text}")

    async def put(self, item: Snapshot | BaseException | None, words: str) -> str:
        """Let the feed say something, and wait for its words."""
        self.feed.put(item)
        return await self.until(words)


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
