"""When a screen is at rest: all that came is worked off and painted, and only time, a thread or a key brings more.

Textual's own way to know it is to look for a while at how much of the processor the process takes. On a busy machine
that is little though much is left to do, and on an idle one the looking takes longer than the work.
"""

import asyncio
from time import monotonic
from typing import Any

from textual._context import active_app
from textual.app import App
from textual.screen import Screen

PATIENCE = 60.0
"""Seconds after which something goes round and round for ever."""
TURNS = 3
"""In so many turns of the loop, whatever is due by now has begun: timers and what threads posted are taken up in the
turn after the one in which they came."""


async def at_rest(*_: float) -> None:
    """Wait until the active app is; stands in for Textual's `wait_for_idle`, whose times are of no use here."""
    app, loop = active_app.get(), asyncio.get_running_loop()
    end, quiet = monotonic() + PATIENCE, 0
    while quiet < TURNS:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready or _painted(app) else quiet + 1  # type: ignore[attr-defined]
        assert monotonic() < end, "the screen never comes to rest"


def _painted(app: App[Any]) -> bool:
    """Do what waits for the next of the screen's sixty paintings a second, or for more sizes to come, if anything
    does."""
    if app._resize_timer is not None:
        app._check_resize()
        return True
    screen = app._screen_stack[-1] if app._screen_stack else None
    if screen is None or not screen.is_running or app._batch_count or not _is_to_paint(screen):
        return False
    screen._on_timer_update()
    return True


def _is_to_paint(screen: Screen[Any]) -> bool:
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
    )
