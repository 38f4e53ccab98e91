"""One open GeoIP database: what it says it is, and what it says of an address."""

import datetime
import gzip
import importlib.resources
import os
import shutil
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Final, Self

import maxminddb
from maxminddb.reader import Reader

from headcount.places.addresses import Address
from headcount.text import clean

# What both readers raise on a damaged file, at opening or at any look-up; ValueError also for an IPv6 address
# in a database of IPv4 alone.
DAMAGE = (maxminddb.InvalidDatabaseError, ValueError, LookupError, TypeError, RecursionError, struct.error)

BUNDLED_BUILD: Final = 1781725900
"""When the bundled database was made (Unix seconds), as it says itself."""


def has_fast_reader() -> bool:
    """Whether maxminddb's C reader is there; the pure Python one is about ten times slower."""
    try:
        import maxminddb.extension  # noqa: F401 - only whether it is there
    except ImportError:
        return False
    return True


def open_reader(path: str) -> Reader:
    """Open the database file at `path`, mapped into memory, in C where possible.

    Only for a file that nobody else writes to, and that proved itself: whoever cuts a file takes its mapped pages with
    it, and the system ends whoever reads them (SIGBUS). The C reader checks the frame of a file but trusts its records
    (3.2.0 falls over a map key that is no text); the pure Python one raises one of `DAMAGE`.
    """
    return maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT if has_fast_reader() else maxminddb.MODE_MMAP)


@dataclass(frozen=True, slots=True)
class About:
    """What a database is. `name` is its type as it calls itself; `build` when it was made, Unix seconds; `kind` is
    "places", "networks" (ASN, ISP) or "other" (no place in it); `has_cities`: it knows more than countries."""

    name: str
    build: int
    kind: str
    has_cities: bool
    has_ipv6: bool

    @property
    def label(self) -> str:
        """What people call it: its type and the month it was made."""
        return " ".join(filter(None, (self.name or "GeoIP database", _month(self.build))))

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: object) -> Self:
        """What another process, or an earlier one, said. Raises ValueError or TypeError where it is
        none of that."""
        if not isinstance(said, Mapping):
            raise TypeError("not a description")
        name, build, kind = said.get("name"), said.get("build"), said.get("kind")
        has_cities, has_ipv6 = said.get("has_cities"), said.get("has_ipv6")
        if not isinstance(name, str) or type(build) is not int or kind not in ("places", "networks", "other"):
            raise ValueError("not a description")
        return cls(clean(name, 60), build, kind, has_cities is True, has_ipv6 is True)


def _month(build: int) -> str:
    try:
        return datetime.datetime.fromtimestamp(build, datetime.UTC).strftime("%Y-%m") if build > 0 else ""
    except (OverflowError, OSError, ValueError):
        return ""


class Database:
    """A database with places, open. `digest` tells its bytes from all others."""

    def __init__(self, reader: Reader, about: About, digest: str) -> None:
        self.reader = reader
        self.about = about
        self.digest = digest

    def record(self, address: Address | str) -> tuple[object, int]:
        """The record for `address`, None where there is none, and the length of the prefix of the network that it is
        the record of. Raises one of `DAMAGE` on a damaged file."""
        return self.reader.get_with_prefix_len(address)

    def close(self) -> None:
        self.reader.close()


class Bundled(Database):
    """The database of countries that comes with Headcount. It is unpacked when it is first asked: that takes a fifth
    of a second, and a later start shows its figures before."""

    def __init__(self, name: str) -> None:
        self.about = About(name, BUNDLED_BUILD, "places", has_cities=False, has_ipv6=True)
        self.digest = ""

    @cached_property
    def reader(self) -> Reader:  # type: ignore[override]  # there once it is asked for
        return _unpacked()

    def close(self) -> None:
        if "reader" in vars(self):
            self.reader.close()


def _unpacked() -> Reader:
    """The bundled database, unpacked into memory without a file."""
    packed = importlib.resources.files("headcount") / "data" / "country.mmdb.gz"
    # The C reader opens names alone: /proc/self/fd gives one to memory without a file (Linux).
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        number = os.memfd_create("headcount-country", os.MFD_CLOEXEC)
        with os.fdopen(number, "wb") as memory, packed.open("rb") as file, gzip.open(file) as plain:
            shutil.copyfileobj(plain, memory, 1 << 20)
            memory.flush()
            return open_reader(f"/proc/self/fd/{number}")
    with (
        tempfile.NamedTemporaryFile(suffix=".mmdb") as named,
        packed.open("rb") as file,
        gzip.open(file) as plain,
    ):
        shutil.copyfileobj(plain, named, 1 << 20)
        named.flush()
        return open_reader(named.name)
