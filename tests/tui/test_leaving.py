"""Who leaves while a box is being opened leaves in order: Textual builds no more then, and that is no failure."""

import asyncio

import pytest
from samples import SAMPLE
from screens import screen

BOXES = (
    "app.export",
    "app.command_palette",
    "screen.help",
    "screen.problems",
    "screen.pick_theme",
    "screen.pick_month",
    "screen.pick_country",
    "screen.pick_host",
    "screen.edit_text",
)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("box", BOXES)
async def test_an_end_while_a_box_is_being_opened_is_no_failure(box: str, turns: int) -> None:
    async with screen(SAMPLE) as seen:
        seen.app.call_later(seen.app.run_action, box)
        for _ in range(turns):  # of the loop: so far has the box got when the end comes
            await asyncio.sleep(0)
        seen.app.exit(0)
    assert (seen.app.return_value, seen.app.return_code) == (0, 0)
