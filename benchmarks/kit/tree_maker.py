"""What tree.c does, in Python and slower, for a machine without a C compiler. The arguments are the same; see there."""

import array
import ipaddress
import os
import random
import sys
import time
from pathlib import Path

HOUR, DAY = 3600, 86_400
AGES = ((8, 60, 11 * HOUR), (20, DAY, 5 * DAY + 9 * HOUR), (40, 7 * DAY, 22 * DAY + 9 * HOUR))
OLDER = (31 * DAY + HOUR, 334 * DAY)
CLIENTS = ("Conversations.{:04x}", "dino.{:08x}", "gajim.{:08X}", "Monal-iOS.{:08x}", "unheard-{:x}")
EVENT = '\t["{}"] = {{\n\t\t["timestamp"] = {};\n\t\t["ip"] = "{}";\n\t}};\n'
RECORD = '\t["{}"] = {{\n\t\t["timestamp"] = {};\n\t\t["ip"] = "{}";\n\t\t["resource"] = "{}";\n\t}};\n'


class Maker:
    """Writes the files of one tree."""

    def __init__(self, store: str, base: str, total: str, ranges: str) -> None:
        self.store = os.open(store, os.O_RDONLY)
        self.base, self.total = int(base), int(total)
        self._networks = [tuple(map(int, line.split())) for line in Path(ranges).read_text().splitlines()]

    def make(self, user: int) -> None:
        """A user as of the tree's making."""
        dice, when = random.Random(user), self._newest(user)
        ip, is_open = self._address(dice), user % 9 == 0  # no logout yet
        login = when if is_open else when - 1 - dice.randrange(1800)
        self._put(self.store, _name(user), _lastlog2(login, None if is_open else when, ip), when)

    def undo(self, number: int) -> None:
        """The user of a login, as before it."""
        user = self._user_of(number)
        if user < self.total:
            self.make(user)
            return
        try:
            os.unlink(_name(user), dir_fd=self.store)
        except FileNotFoundError:
            return

    def log_in(self, number: int, records: int | None) -> None:
        """A login, now."""
        user, when = self._user_of(number), int(time.time())
        dice = random.Random(-1 - user)
        ip = self._address(dice)
        self._put(self.store, _name(user), _lastlog2(when, self._newest(user) if user < self.total else None, ip))
        if records is not None:
            resource = CLIENTS[user % 5].format(dice.getrandbits(16))
            month = time.strftime("%Y-%m", time.localtime(when))
            self._put(records, _name(user), f"return {{\n{RECORD.format(month, when, ip, resource)}}};\n")

    def _user_of(self, number: int) -> int:
        old = self.total // 100 * 60
        return number // 60 * 100 + 40 + number % 60 if number < old else self.total + number - old

    def _newest(self, user: int) -> int:
        least, span = next((ages[1:] for ages in AGES if user % 100 < ages[0]), OLDER)
        return self.base - least - random.Random(user * 7 + 3).randrange(span)

    def _address(self, dice: random.Random) -> str:
        version, first, size = dice.choice(self._networks)
        if version == 4:
            return str(ipaddress.IPv4Address(first + dice.randrange(size)))
        return str(ipaddress.IPv6Address((first + dice.randrange(size)) << 64 | dice.getrandbits(64)))

    def _put(self, directory: int, name: str, text: str, mtime: int | None = None) -> None:
        target = f"{name}~" if mtime is None else name
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640, dir_fd=directory)
        os.write(descriptor, text.encode())
        if mtime is not None:
            os.utime(descriptor, (mtime, mtime + 0.5))
        os.close(descriptor)
        if mtime is None:
            os.rename(target, name, src_dir_fd=directory, dst_dir_fd=directory)


def _name(user: int) -> str:
    return f"user{user}.dat" if user % 10 else f"first%2elast{user}.dat"


def _lastlog2(login: int, logout: int | None, ip: str) -> str:
    events = EVENT.format("login", login, ip) + ("" if logout is None else EVENT.format("logout", logout, ip))
    return f"return {{\n{events}}};\n"


def main() -> None:
    what, store, base, total, ranges, first, last, *more = sys.argv[1:]
    maker, numbers = Maker(store, base, total, ranges), range(int(first), int(last))
    if what != "login":
        for number in numbers:
            (maker.make if what == "make" else maker.undo)(number)
        return
    rate, log, *records = more
    store_of_records = os.open(records[0], os.O_RDONLY) if records else None
    done, begun = array.array("d"), time.monotonic()
    for number in numbers:
        if float(rate) > 0:
            time.sleep(max(0.0, begun + (number - numbers.start) / float(rate) - time.monotonic()))
        maker.log_in(number, store_of_records)
        done.append(time.monotonic())
    Path(log).write_bytes(done.tobytes())


if __name__ == "__main__":
    main()
