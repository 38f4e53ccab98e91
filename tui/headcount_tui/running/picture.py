"""A picture of the screen: drawn by a second screen that nobody sees, on the one snapshot that the picture may tell."""

import asyncio
import contextvars
import re
import threading
from collections.abc import Callable

from textual.app import App

from headcount.errors import HeadcountError
from headcount.feed import Feed
from headcount.snapshot import Snapshot
from headcount_tui.widgets.panel import Panel

PATIENCE = 20.0
"""Seconds after which a picture is given up."""
_STEP = 0.05


class OneSnapshot:
    """A feed that has one thing to show."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def run(self, publish: Callable[[Snapshot], None], stop: threading.Event) -> None:
        """Publish it, once."""
        publish(self._snapshot)
        stop.wait()


def picture(
    snapshot: Snapshot,
    screen_on: Callable[[Feed], App[int]],
    size: tuple[int, int],
    is_wanted: Callable[[], bool] = lambda: True,
) -> str:
    """The screen that `screen_on` makes, of `size` (columns, lines), as SVG; empty if it is wanted no longer.

    It has an event loop of its own, so it is to be called in a thread that has none. Raises HeadcountError where it
    takes too long.
    """

    def draw() -> str:
        return asyncio.run(asyncio.wait_for(_drawn(screen_on(OneSnapshot(snapshot)), size, is_wanted), PATIENCE))

    try:
        return contextvars.Context().run(draw)  # it shall not take itself for a part of the screen it was asked from
    except TimeoutError:
        raise HeadcountError("The picture took too long.", "Try again, or take another format.") from None


async def _drawn(app: App[int], size: tuple[int, int], is_wanted: Callable[[], bool]) -> str:
    async with app.run_test(size=size) as pilot:
        while is_wanted() and any(panel.shown is None for panel in app.screen.query(Panel)):
            await pilot.pause(_STEP)
        for _ in range(4):  # what was shown last settles its layout, however seldom it gets a turn
            await pilot.pause(_STEP)
        return self_contained(app.export_screenshot(title="headcount")) if is_wanted() else ""


def self_contained(svg: str) -> str:
    """A picture that fetches no font, and advertises nobody: the reader's own fixed-width one will do."""
    svg = re.sub(r"@font-face {.*?}|<!--.*?-->", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "ui-monospace, DejaVu Sans Mono")
