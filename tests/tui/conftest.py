"""What the tests of the screen share."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_feed_left() -> Iterator[None]:
    """Every feed ends with its screen."""
    yield
    for thread in threading.enumerate():
        if thread.name == "feed":
            thread.join(2)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def no_end_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen that is run within the tests' own process must not end that, nor take its signals."""
    monkeypatch.setattr("headcount_tui.app.is_there", lambda fd: False)
