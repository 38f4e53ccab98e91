"""What the tests of the screen share."""

import threading
from collections.abc import Iterator

import pytest
from at_rest import at_rest


@pytest.fixture(autouse=True)
def _waits_for_what_is_left_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot waits until the screen is at rest, not until the processor is."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", at_rest)


@pytest.fixture(autouse=True)
def no_feed_left() -> Iterator[None]:
    """Every feed ends with its screen."""
    yield
    for thread in threading.enumerate():
        if thread.name == "feed":
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def no_end_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen that is run within the tests' own process must not end that, nor take its signals."""
    monkeypatch.setattr("headcount_tui.app.is_there", lambda fd: False)
