"""Draws docs/screenshot.svg: the real screen on the demo's simulated server, at a fixed moment.

make screenshot
"""

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from headcount.demo.run import demo_server
from headcount.run import open_run
from headcount.settings import Settings
from headcount.snapshot import Phase, Snapshot
from headcount_tui.app import HeadcountApp

MOMENT = datetime(2026, 11, 22, 14, 3, tzinfo=UTC).timestamp()
SIZE = (120, 34)
TARGET = Path(__file__).with_name("screenshot.svg")


class OneSnapshot:
    """A feed that has one thing to show."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def run(self, publish: Callable[[Snapshot], None], stop: threading.Event) -> None:
        publish(self._snapshot)
        stop.wait()


def demo_snapshot() -> Snapshot:
    """The demo as a live engine would show it, under the name that a server's data directory has."""
    with (
        demo_server(Settings(timezone="Europe/Berlin"), MOMENT) as (_, settings),
        open_run(settings, {}, keep="never", now=MOMENT) as run,
    ):
        return replace(run.engine.read_once(), phase=Phase.LIVE, source="/var/lib/prosody")


async def draw(snapshot: Snapshot) -> str:
    app = HeadcountApp(OneSnapshot(snapshot))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(1)
        picture = app.export_screenshot(title="headcount")
    # The reader's own fixed-width font will do: a picture in a README fetches nothing.
    picture = re.sub(r"@font-face {.*?}", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code", "ui-monospace, DejaVu Sans Mono")


if __name__ == "__main__":
    TARGET.write_text(asyncio.run(draw(demo_snapshot())))
    print(f"drew {TARGET}")
