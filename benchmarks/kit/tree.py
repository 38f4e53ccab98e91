"""A data directory with any number of users, as Prosody would have written it; kept between runs and shared.

Of a hundred users 8 were active within 24 hours, 20 within 7 days, 40 within 30 days; addresses are drawn from the
countries' own networks. Nobody is within twelve hours of leaving a window, so what has to be counted is known.
"""

import array
import gzip
import ipaddress
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import maxminddb

from kit.native import MissingError, compiled, memory_room, room, trees_room

HOST = "example.com"
LASTS = 11 * 3600
"""Seconds for which a tree's counts hold."""
IN_USE = "in use"
COUNTRIES = Path(__file__).parents[2] / "core" / "headcount" / "data" / "country.mmdb.gz"
NETWORKS = {4: 16_384, 6: 4_096}


class RoomError(Exception):
    """There is no room for a tree."""


@dataclass(slots=True)
class Writer:
    """A process that lets users log in."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait(self) -> list[float]:
        """The moments (CLOCK_MONOTONIC) at which each rename was done, once all are."""
        if self.process.wait() != 0:
            raise RuntimeError("the writer failed")
        done = array.array("d", self.log.read_bytes()).tolist()
        self.log.unlink()
        return done


def maker() -> list[str]:
    """The program that writes users' files: in C, or in Python where nothing compiles."""
    try:
        return [compiled("tree")]
    except MissingError:
        return [sys.executable, str(Path(__file__).with_name("tree_maker.py"))]


def rate_of(done: list[float]) -> float:
    """Logins a second that a writer reached."""
    return (len(done) - 1) / (done[-1] - done[0])


@dataclass(slots=True)
class Tree:
    """A data directory of one host with `users` users, made at `base` (Unix seconds); `logins` were made since."""

    root: Path
    users: int
    base: int
    logins: int = 0

    @property
    def store(self) -> Path:
        """The directory of its lastlog2 files."""
        return self.root / "example%2ecom" / "lastlog2"

    @property
    def records(self) -> Path:
        """The directory of its login records."""
        return self.root / "example%2ecom" / "login_records"

    @property
    def active(self) -> tuple[int, int, int]:
        """Users active in 1, 7, 30 days, the logins since counted in. `users` is a multiple of 100."""
        day, week, month = (self.users * share // 100 + self.logins for share in (8, 20, 40))
        return day, week, month

    def log_in(self, number: int, rate: float, *, records: bool = False) -> Writer:
        """Lets `number` users log in who were not active for a month, so each is one more in every window."""
        log = Path(tempfile.mkstemp(dir=room(), prefix="logins-")[1])
        first, self.logins = self.logins, self.logins + number
        (self.root / IN_USE).touch()  # whoever finds it so, with logins in it, does not use it again
        extra = [str(self.records)] if records else []
        command = [*self._command("login"), str(first), str(first + number), str(rate), str(log), *extra]
        return Writer(subprocess.Popen(command), log)

    def restore(self) -> None:
        """Undoes all logins."""
        subprocess.run([*self._command("restore"), "0", str(self.logins)], check=True)
        shutil.rmtree(self.records, ignore_errors=True)
        (self.root / IN_USE).unlink(missing_ok=True)
        self.logins = 0

    def make(self) -> None:
        """Writes all users' files."""
        self.store.mkdir(parents=True)
        subprocess.run([*self._command("make"), "0", str(self.users)], check=True)

    def bytes_each(self) -> int:
        """Bytes that a user's file takes where it is: a block or more; none where it lies in its inode."""
        taken = next(self.store.iterdir()).stat().st_blocks * 512
        return taken if taken >= os.statvfs(self.store).f_frsize else 0

    def remove(self) -> None:
        """Deletes it."""
        shutil.rmtree(self.root, ignore_errors=True)

    def _command(self, what: str) -> list[str]:
        return [*maker(), what, str(self.store), str(self.base), str(self.users), str(_networks())]


def tree_of(users: int) -> Tree:
    """The tree of that many users (rounded to hundreds): the one kept from before, if its counts still hold."""
    users = max(100, users // 100 * 100)
    for kept in trees_room().glob(f"tree-{users}-*"):
        base = int(kept.name.rsplit("-", 1)[1])
        if base <= time.time() < base + LASTS and not (kept / IN_USE).exists():
            return Tree(kept, users, base)
        shutil.rmtree(kept)
    return new_tree(users, trees_room() / f"tree-{users}-{{base}}")


@contextmanager
def tree_in_memory(users: int) -> Iterator[Tree]:
    """A tree of its own, in memory where there is room, that goes when it was used; it can take login records."""
    tree = new_tree(users, Path(tempfile.mkdtemp(dir=memory_room(users), prefix="tree-")) / "data")
    tree.records.mkdir()
    (tree.records / "nobody.dat").write_text("return {};\n")
    try:
        yield tree
    finally:
        shutil.rmtree(tree.root.parent)


def new_tree(users: int, where: Path) -> Tree:
    """Makes a tree of that many users; `{base}` in its path becomes the moment of its making."""
    with tempfile.TemporaryDirectory(dir=where.parent) as directory:
        few = Tree(Path(directory) / "data", 100, int(time.time()))
        few.make()
        needed = users * few.bytes_each() * 1.1
    there = os.statvfs(where.parent)
    if there.f_bavail * there.f_frsize < needed or (there.f_files and there.f_favail < users + 1000):
        raise RoomError(f"{users:,} users need {needed / 1e9:.0f} GB and as many inodes where the trees are kept")
    base = int(time.time())
    tree = Tree(Path(str(where).format(base=base)), users, base)
    if tree.root.exists():
        tree.remove()
    print(f"  making a tree of {users:,} users …", flush=True)
    begun = time.monotonic()
    tree.make()
    print(f"  made in {time.monotonic() - begun:.1f} s", flush=True)
    return tree


def _networks() -> Path:
    """A file of networks of all countries, drawn at random by their size: family, first, how many. IPv6 by /64."""
    path = room() / "networks.txt"
    if path.exists():
        return path
    dice, lines = random.Random(1), []
    unpacked = room() / "country.mmdb"
    unpacked.write_bytes(gzip.decompress(COUNTRIES.read_bytes()))
    with maxminddb.open_database(str(unpacked)) as database:
        for version, wanted in NETWORKS.items():
            found = 0
            while found < wanted:
                if version == 4:
                    drawn: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.IPv4Address(dice.getrandbits(32))
                else:
                    drawn = ipaddress.IPv6Address((0x2000 | dice.getrandbits(12)) << 112 | dice.getrandbits(112))
                record, length = database.get_with_prefix_len(drawn)
                if record is None or not drawn.is_global:
                    continue
                network = ipaddress.ip_network(f"{drawn}/{length}", strict=False)
                first, size = int(network.network_address), network.num_addresses
                if version == 6:
                    first, size = first >> 64, max(1, size >> 64)
                lines.append(f"{version} {first} {min(size, 1 << 62)}\n")
                found += 1
    unpacked.unlink()
    path.write_text("".join(lines))
    return path
