"""A run on a simulated server in a temporary directory, which goes with it."""

import importlib.resources
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from headcount.clients.patterns import ClientPatterns
from headcount.demo.history import past_points
from headcount.demo.hosts import HOSTS
from headcount.demo.months import past_months
from headcount.demo.server import SimulatedServer
from headcount.engine.assemble import Run, open_run
from headcount.places.lookup import Places
from headcount.settings import Settings
from headcount.snapshot import Mark
from headcount.state import Update
from headcount.state.sqlite import SqliteState
from headcount.zones import zone_of

SWAPPED = 24 * 86_400
"""How long ago (seconds) the demo's GeoIP database came in the place of an older one."""


@contextmanager
def demo_server(settings: Settings, now: float) -> Iterator[tuple[SimulatedServer, Settings]]:
    """A simulated server that has written its files in a temporary directory, and the settings to look at them.

    The same `now` (Unix seconds) gives the same server. The directory goes when the block ends.
    """
    zone = zone_of(settings.zone_name())
    database = importlib.resources.files("headcount") / "data" / "demo.mmdb"
    with (
        tempfile.TemporaryDirectory(prefix="headcount-demo-") as directory,
        importlib.resources.as_file(database) as mmdb,
    ):
        source, state = Path(directory) / "prosody", Path(directory) / "state.db"
        server = SimulatedServer(source, now=now, zone=zone)
        server.write_all()
        _keep_history(server, state, now, zone, mmdb)
        yield server, replace(settings, source=str(source), state=str(state), mmdb_path=(str(mmdb),))


@contextmanager
def demo_run(settings: Settings) -> Iterator[Run]:
    """A run like any other, on real files that a simulated server goes on writing until the run ends."""
    with demo_server(settings, time.time()) as (server, here), open_run(here, {}, keep="always") as run:
        stop = threading.Event()
        life = threading.Thread(target=server.run, args=(stop, time.time), name="simulated server", daemon=True)
        life.start()
        try:
            yield run
        finally:
            stop.set()
            life.join()


def _keep_history(server: SimulatedServer, state: Path, now: float, zone: ZoneInfo, mmdb: Path) -> None:
    places, clients = Places([mmdb]), ClientPatterns.configured()
    points = past_points(server.past_activity(), now, zone, places, clients)
    recorded = {host.name: host.recorded_months for host in HOSTS}
    months = past_months(server.past_visits(), server.past_activity(), recorded, now, zone, places, clients)
    update = Update(months, points, marks=[Mark(now - SWAPPED, places.label)], geo=places.label, zone=zone.key)
    places.close()
    with SqliteState(state) as kept:
        kept.save(update)
