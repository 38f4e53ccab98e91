"""A soak: an engine lives through a storm of logins for many simulated months, is killed, prunes, and has its GeoIP
database swapped under it; its counts are compared with those of a plain reckoning beside it.

    python benchmarks/soak.py [MONTHS] [USERS]

By default 12 months and 3,000 users. Prints the counts compared, the size of the state and the memory of the process,
month by month; ends with an error where a count differs.
"""

import gc
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from headcount.clients.patterns import ClientPatterns
from headcount.demo.places import networks
from headcount.engine.engine import Engine
from headcount.engine.options import Options
from headcount.months import month_of, shift, start_of
from headcount.places.lookup import Places
from headcount.records import HostRead, Problem, Record, UserRecord, Users
from headcount.snapshot import Progress, Snapshot
from headcount.state import Update
from headcount.state.sqlite import SqliteState
from headcount.user_keys import Keys

ZONE = ZoneInfo("Europe/Berlin")
HOST = "example.com"
BEGIN = start_of("2025-10", ZONE)
STEP = 1800.0
KEEP = 8
CLIENTS = ("Conversations.x7Qp", "dino.7c1f2e3d", "gajim.YB6L0F9Q", "unknown")
DATABASE = Path(__file__).parents[1] / "core" / "headcount" / "data" / "demo.mmdb"


class Storm:
    """A server's users, in memory: what its files would say of each, and who logged in since the last look."""

    label = "/storm"
    progress: Progress | None = None

    def __init__(self, users: int) -> None:
        self.now = BEGIN + 60
        self.ticks = 0.0
        self.expected: dict[str, Counter[tuple[str, str]]] = {}
        self.stop = threading.Event()
        self.kill_at = float("inf")
        self._dice = random.Random(5)
        self._users = users
        self._records: dict[str, UserRecord] = {}
        self._dirty: set[str] = set()
        self._key_of = Keys().of_host(HOST)

    def expect(self, hosts: Collection[str]) -> None:
        pass

    def lost(self) -> Problem | None:
        return None

    def missing(self) -> str | None:
        """It is there from the beginning."""
        return None

    def read(self) -> Iterator[list[Record]]:
        """All users, and that they are all."""
        yield [Users(HOST, [*self._records.values()]), HostRead(HOST)]

    def stores(self) -> Collection[str]:
        """The one kind of store that there would be."""
        return {"lastlog2"}

    def follow(self, _: float) -> Iterator[list[Record]]:
        """Half an hour of logins."""
        self.now += STEP
        self.ticks += STEP
        for _ in range(self._dice.randrange(0, self._users // 40)):
            self._log_in(f"user{self._dice.randrange(self._users)}")
        dirty, self._dirty = self._dirty, set()
        yield [Users(HOST, [self._records[user] for user in dirty])]
        if self.now >= self.kill_at:
            raise KilledError

    def close(self) -> None:
        """Nothing to close."""

    def _log_in(self, user: str) -> None:
        when = int(self.now - self._dice.randrange(int(STEP)))
        month = month_of(when, ZONE)
        assert month is not None
        before = self._records.get(user)
        logins = before.logins if before else []
        if before and before.newest > when:
            return
        if not any(month_of(login[0], ZONE) == month for login in logins):
            _, blocks = self._dice.choice(networks())
            address, resource = str(blocks[0].network_address), self._dice.choice(CLIENTS)
            logins = [*logins[-1:], (when, address, resource)]
            self.expected.setdefault(month, Counter())[address, resource] += 1
        self._records[user] = UserRecord(self._key_of(user), user, when, logins[-1][1], logins=logins)
        self._dirty.add(user)


class KilledError(BaseException):
    """The process ends here and now: nothing more is kept."""


class KilledState(SqliteState):
    """A state whose process was killed: it keeps nothing on the way out."""

    is_dead = False

    def save(self, update: Update) -> None:
        """Keeps it, if there is anybody left to do so."""
        if not self.is_dead:
            super().save(update)


def swap_database(path: Path) -> None:
    """Replaces the database by rename, as its updater does."""
    new = path.with_name("new.mmdb")
    new.write_bytes(DATABASE.read_bytes())
    new.rename(path)


def live_until(storm: Storm, moment: float, path: Path, database: Path, dice: random.Random) -> tuple[int, Snapshot]:
    """Runs engines, each killed after a while, until that moment; gives how many were killed, and the last snapshot."""
    kills, shown = 0, []
    while storm.now < moment:
        state = KilledState(path)
        places = Places([database])
        options = Options(
            ZONE, ZONE.key, keep_months=KEEP, settle=0.0, clock=lambda: storm.now, ticks=lambda: storm.ticks
        )
        engine = Engine(storm, places, ClientPatterns.configured(), state, options)
        storm.kill_at = min(moment, storm.now + dice.randrange(1, 6 * 86_400))
        try:
            engine.run(shown.append, storm.stop)
        except KilledError:
            kills += 1
        state.is_dead = True
        state.close()
        places.close()
        del shown[:-1], engine
        gc.unfreeze()  # a killed process's memory goes with it
        gc.collect()
        swap_database(database)
    return kills, shown[-1]


def compare(storm: Storm, shown: Snapshot, places: Places, clients: ClientPatterns) -> int:
    """The number of cells compared. Raises SystemExit where one differs."""
    months, compared = shown.hosts[HOST].months, 0
    oldest = shift(shown.month, 1 - KEEP)
    for month, reckoned in storm.expected.items():
        if month < oldest:
            if month in months:
                raise SystemExit(f"{month} should be pruned")
            continue
        cells: Counter[tuple[object, str]] = Counter()
        for (address, name), users in reckoned.items():
            cells[places.lookup(address), clients.client(name)] += users
        if dict(months[month].cells or {}) != dict(cells):
            raise SystemExit(f"{month}: {months[month].users} counted, {cells.total()} reckoned")
        compared += len(cells)
    return compared


def main() -> None:
    months = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    storm, dice = Storm(int(sys.argv[2]) if len(sys.argv) > 2 else 3000), random.Random(6)
    all_kills = 0
    with tempfile.TemporaryDirectory() as directory:
        path, database = Path(directory) / "state.db", Path(directory) / "city.mmdb"
        swap_database(database)
        places, clients = Places([database]), ClientPatterns.configured()
        began = time.monotonic()
        for number in range(1, months + 1):
            until = start_of(shift("2025-10", number), ZONE) + 9 * 86_400
            kills, shown = live_until(storm, until, path, database, dice)
            all_kills += kills
            compared = compare(storm, shown, places, clients)
            month = shift(shown.month, -1)
            counts = shown.hosts[HOST].months[month]
            print(
                f"{month}  {counts.users:>6,} users {counts.quality.mark}  {compared:>6,} cells equal  "
                f"{kills:>3} kills  state {os.path.getsize(path) / 1e6:6.2f} MB  "
                f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:6.1f} MB",
                flush=True,
            )
        print(f"{months} months, {all_kills} kills, {time.monotonic() - began:.0f} s: every count equal")


if __name__ == "__main__":
    main()
