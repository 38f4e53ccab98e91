"""Draws docs/screenshot.svg: the real screen on the demo's simulated server, at a fixed moment.

make screenshot
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from headcount.demo.run import demo_server
from headcount.run import open_run
from headcount.settings import Settings
from headcount.snapshot import Phase, Snapshot
from headcount_tui.app import HeadcountApp
from headcount_tui.picture import picture

MOMENT = datetime(2026, 11, 22, 14, 3, tzinfo=UTC).timestamp()
SIZE = (120, 34)
TARGET = Path(__file__).with_name("screenshot.svg")


def demo_snapshot() -> Snapshot:
    """The demo as a live engine would show it, under the name that a server's data directory has."""
    with (
        demo_server(Settings(timezone="Europe/Berlin"), MOMENT) as (_, settings),
        open_run(settings, {}, keep="never", now=MOMENT) as run,
    ):
        return replace(run.engine.read_once(), phase=Phase.LIVE, source="/var/lib/prosody")


if __name__ == "__main__":
    TARGET.write_text(picture(demo_snapshot(), HeadcountApp, SIZE))
    print(f"drew {TARGET}")
