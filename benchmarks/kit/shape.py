"""Data directories of other shapes than lastlog2's last login and logout alone: what real servers write beside it.

    python shape.py ROOT STORES REGISTERED RESTORED BASE FIRST END

writes the files of the users from FIRST to END, as Prosody writes them: keys in any order, as Lua's tables have them.
Of a hundred users 8 were active within 24 hours, 20 within 7 days, 40 within 30 days before BASE, the others within
three years; nobody is within hours of leaving a window. A tenth has no logout; one name in ten needs encoding. Where
some are REGISTERED it is half of them, and 2 % never came since. Where it is RESTORED all files are new. Addresses are
of 64,000 networks. One to three login records stand for the last months in which a user came.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

HOUR, DAY = 3600, 86_400
AGES = ((8, 60, 11 * HOUR), (20, DAY, 5 * DAY + 9 * HOUR), (40, 7 * DAY, 22 * DAY + 9 * HOUR))
OLDER = (31 * DAY + HOUR, 3 * 365 * DAY)
CLIENTS = ("Conversations.{:04x}", "dino.{:08x}", "gajim.{:08X}", "Monal-iOS.{:08x}", "unheard-{:x}")
EVENT = '\t["{}"] = {{\n{}\t}};\n'


@dataclass(frozen=True, slots=True)
class Shape:
    """What a server writes: the stores, whether users `registered` in them. `is_restored`: all files are as new as a
    restored backup's."""

    name: str
    stores: tuple[str, ...]
    is_registered: bool = False
    is_restored: bool = False


FIRST = Shape("lastlog2: login, logout", ("lastlog2",))
SHAPES = (
    FIRST,
    Shape("lastlog2 with registered", ("lastlog2",), is_registered=True),
    Shape("account_activity alone", ("account_activity",)),
    Shape("lastlog2 + account_activity", ("lastlog2", "account_activity")),
    Shape("lastlog2 + lastlog", ("lastlog2", "lastlog")),
    Shape("lastlog2 + login_records", ("lastlog2", "login_records")),
    Shape("lastlog2 + account_activity + login_records", ("lastlog2", "account_activity", "login_records"), True),
    Shape("all four", ("lastlog2", "lastlog", "account_activity", "login_records"), is_registered=True),
    Shape("all four, restored", ("lastlog2", "lastlog", "account_activity", "login_records"), True, True),
)
NETWORKS = 64_000


@dataclass(frozen=True, slots=True)
class ShapedTree:
    """A data directory of one shape with so many users, a multiple of 100; `active` in 1, 7, 30 days."""

    root: Path
    shape: Shape
    users: int
    base: int

    @property
    def active(self) -> tuple[int, int, int]:
        """Who only registered was never active."""
        gone = {share: sum(_only_registered(self.shape, user) for user in range(share)) for share in (8, 20, 40)}
        day, week, month = (self.users // 100 * (share - gone[share]) for share in (8, 20, 40))
        return day, week, month


@contextmanager
def shaped_tree(shape: Shape, users: int, where: Path) -> Iterator[ShapedTree]:
    """A tree of that shape below `where`, for as long as it is used. Two processes write it."""
    users = max(100, users // 100 * 100)
    with tempfile.TemporaryDirectory(dir=where, prefix="shape-") as directory:
        tree = ShapedTree(Path(directory) / "data", shape, users, int(time.time()))
        for store in shape.stores:
            (tree.root / "example%2ecom" / store).mkdir(parents=True)
        begun = time.monotonic()
        flags = int(shape.is_registered), int(shape.is_restored)
        what = tuple(map(str, (tree.root, ",".join(shape.stores), *flags, tree.base)))
        bounds = (0, users // 2, users)
        writers = [
            subprocess.Popen([sys.executable, __file__, *what, str(first), str(end)]) for first, end in pairwise(bounds)
        ]
        if sum(writer.wait() for writer in writers):
            raise RuntimeError("a tree could not be made")
        print(f"  made {users:,} users of {shape.name} in {time.monotonic() - begun:.1f} s", flush=True)
        yield tree


def _only_registered(shape: Shape, user: int) -> bool:
    return shape.is_registered and shape.stores == ("lastlog2",) and user % 50 == 49


class _Writer:
    """Writes users' files."""

    def __init__(self, root: str, stores: str, registered: str, restored: str, base: str) -> None:
        self._shape = Shape("", tuple(stores.split(",")), registered == "1", restored == "1")
        host = os.path.join(root, "example%2ecom")
        self._stores = {store: os.open(os.path.join(host, store), os.O_RDONLY) for store in self._shape.stores}
        self._base = int(base)
        dice = random.Random(1)
        drawn = (dice.randrange(1 << 24, 224 << 24) & ~255 for _ in iter(int, 1))
        usual = (network for network in drawn if network >> 24 not in (10, 100, 127, 169, 172, 192, 198, 203))
        self._networks = [next(usual) for _ in range(NETWORKS)]

    def write(self, user: int) -> None:
        dice = random.Random(user)
        least, span = next((ages[1:] for ages in AGES if user % 100 < ages[0]), OLDER)
        when, ip = self._base - least - dice.randrange(span), self._address(dice)
        login = when if user % 10 == 7 else when - dice.randrange(1, 1800)
        events = [("login", login, ip)] + ([] if user % 10 == 7 else [("logout", when, ip)])
        if self._shape.is_registered and user % 2 == 0:
            events.append(("registered", login - dice.randrange(DAY, 900 * DAY), self._address(dice)))
        if _only_registered(self._shape, user):
            events = [("registered", when, ip)]
        dice.shuffle(events)
        said = {
            "lastlog2": "".join(EVENT.format(name, _fields(dice, "\t\t", at, its_ip)) for name, at, its_ip in events),
            "lastlog": _fields(dice, "\t", when, ip, "event", "login" if user % 10 == 7 else "logout"),
            "account_activity": _fields(dice, "\t", when),
            "login_records": "".join(EVENT.format(*record) for record in self._records(dice, login, ip, user)),
        }
        name = f"user{user}.dat" if user % 10 else f"first%2elast{user}.dat"
        for store, directory in self._stores.items():
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640, dir_fd=directory)
            os.write(descriptor, f"return {{\n{said[store]}}};\n".encode())
            if not self._shape.is_restored:
                os.utime(descriptor, (when, when + 0.5))
            os.close(descriptor)

    def _records(self, dice: random.Random, login: int, ip: str, user: int) -> Iterator[tuple[str, str]]:
        resource, seen = CLIENTS[user % 5].format(dice.getrandbits(16)), set()
        for _ in range(dice.randrange(1, 4)):
            month = time.strftime("%Y-%m", time.gmtime(login))
            if month not in seen:
                seen.add(month)
                yield month, _fields(dice, "\t\t", login, ip, "resource", resource)
            login, ip = login - dice.randrange(20, 45) * DAY, self._address(dice)

    def _address(self, dice: random.Random) -> str:
        number = dice.choice(self._networks) | dice.randrange(256)
        return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def _fields(dice: random.Random, indent: str, when: int, ip: str = "", name: str = "", text: str = "") -> str:
    fields = [f'{indent}["timestamp"] = {when};\n']
    fields += [f'{indent}["ip"] = "{ip}";\n'] if ip else []
    fields += [f'{indent}["{name}"] = "{text}";\n'] if name else []
    dice.shuffle(fields)
    return "".join(fields)


def main() -> None:
    *what, first, end = sys.argv[1:]
    writer = _Writer(*what)
    for user in range(int(first), int(end)):
        writer.write(user)


if __name__ == "__main__":
    main()
