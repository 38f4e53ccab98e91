"""When Python looks for cycles among its objects: not while millions are made that are in none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

EVERY: Final = 20_000
"""Objects more than before at which it looks while logins are followed. A batch of them makes thousands, none in a
cycle; to look at every 700, as Python does, takes a tenth of a login's time."""


@contextmanager
def paused() -> Iterator[None]:
    """For reading, which makes a lasting object or more of each user: to look among all of them, again and again, would
    hold up every other thread, the screen's too, for a quarter of a second each time. What is there at the end is not
    looked at any more."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


@contextmanager
def rare() -> Iterator[None]:
    """For following."""
    before = gc.get_threshold()
    gc.set_threshold(max(EVERY, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
