"""A few pictures of the screen, compared to the letter. Look at them before taking new ones:
`pytest tests/tui/test_screen_pictures.py --snapshot-update` (not where secrets are in the environment:
the report of a failure holds all of it)."""

from dataclasses import replace
from typing import Any

import pytest
from fake_feed import screen_on
from samples import SAMPLE
from textual.pilot import Pilot

from headcount.snapshot import Phase, Progress, Snapshot

SCAN = replace(SAMPLE, phase=Phase.SCANNING, progress=Progress(431_000, 1_000_000))


PICTURES: dict[str, tuple[tuple[int, int], list[str], Snapshot]] = {
    "normal": ((80, 24), [], SAMPLE),
    "small": ((60, 15), [], SAMPLE),
    "wide-drilled-in": ((140, 45), ["down", "down", "enter"], SAMPLE),
    "all-months": ((100, 30), ["4", "down"], SAMPLE),
    "scanning": ((80, 24), [], SCAN),
    "picking-a-country": ((80, 24), ["c", "u"], SAMPLE),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(snap_compare: Any, name: str) -> None:
    size, keys, shown = PICTURES[name]

    async def settle(pilot: Pilot[int]) -> None:
        await pilot.pause(0.2)
        await pilot.press(*keys)
        await pilot.pause(0.2)

    assert snap_compare(screen_on(shown), terminal_size=size, run_before=settle)
