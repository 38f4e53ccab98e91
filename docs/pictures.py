"""Draws docs/screenshot.svg and docs/pictures/: the real screen on the demo's simulated server, at a fixed moment.

make pictures
"""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from headcount.demo.run import demo_server
from headcount.engine.assemble import open_run
from headcount.settings import Settings
from headcount.snapshot import Phase, Snapshot
from headcount_tui.app import HeadcountApp
from headcount_tui.running.picture import OneSnapshot, self_contained

MOMENT = datetime(2026, 11, 22, 14, 3, tzinfo=UTC).timestamp()
HERE = Path(__file__).resolve().parent
SIZES = ((80, 24), (140, 45))
VIEWS = {
    "countries": [],
    "subdivisions": ["enter"],
    "places": ["2"],
    "clients": ["3"],
    "months": ["4"],
    "trend": ["5", "z"],
    "map": ["6"],
    "live": ["7"],
    "filter": ["slash", *"country:de client:"],
    "export": ["e"],
    "help": ["question_mark"],
}


def demo_snapshot() -> Snapshot:
    """The demo as a live engine would show it, under the name that a server's data directory has."""
    with (
        demo_server(Settings(timezone="Europe/Berlin"), MOMENT) as (_, settings),
        open_run(settings, {}, keep="never", now=MOMENT) as run,
    ):
        return replace(run.engine.read_once(), phase=Phase.LIVE, source="/var/lib/prosody")


async def draw(snapshot: Snapshot, size: tuple[int, int], keys: list[str], target: Path) -> None:
    """The screen of that size (columns, lines), after these keys."""
    app = HeadcountApp(OneSnapshot(snapshot))
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        await pilot.press(*keys)
        await pilot.pause(0.5)
        picture = app.export_screenshot(title="headcount")
    target.write_text(self_contained(picture))
    print(f"drew {target.relative_to(HERE.parent)}")


async def main() -> None:
    snapshot = demo_snapshot()
    os.chdir("/")  # the box for exports names the current directory
    await draw(snapshot, (120, 34), [], HERE / "screenshot.svg")
    pictures = HERE / "pictures"
    pictures.mkdir(exist_ok=True)
    for name, keys in VIEWS.items():
        for columns, lines in SIZES:
            await draw(snapshot, (columns, lines), keys, pictures / f"{name}-{columns}x{lines}.svg")
    await draw(snapshot, (60, 15), [], pictures / "countries-60x15.svg")


if __name__ == "__main__":
    asyncio.run(main())
