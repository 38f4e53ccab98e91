"""One open GeoIP database: found, opened, looked into, and opened again when it was replaced."""

import datetime
import importlib.resources
import lzma
import os
import shutil
import struct
import tempfile
from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from typing import Final

import maxminddb
from maxminddb.reader import Reader

from headcount.addresses import Address
from headcount.errors import HeadcountError, NoPermissionError, UsageError
from headcount.geo_records import knows_cities, knows_countries, knows_networks
from headcount.text import clean

# What both readers raise on a damaged file, at opening or at any look-up; ValueError also for an IPv6 address
# in a database of IPv4 alone.
DAMAGE = (maxminddb.InvalidDatabaseError, ValueError, LookupError, TypeError, RecursionError, struct.error)

# How many records are looked at to learn what a database knows: a City database names cities early.
_SAMPLE = 256

BUNDLED_BUILD: Final = 1781725900
"""When the bundled database was made (Unix seconds), as it says itself."""

Stamp = tuple[int, int, int, int]


def has_fast_reader() -> bool:
    """Whether maxminddb's C reader is there; the pure Python one is about ten times slower."""
    try:
        import maxminddb.extension  # noqa: F401 - only whether it is there
    except ImportError:
        return False
    return True


def open_reader(path: str) -> Reader:
    """Open the database file at `path`, mapped into memory, in C where possible.

    The mapping holds what the file was when a new one is renamed over it. A file that is *cut in place*
    takes its pages with it, and the system ends whoever reads them (SIGBUS): updaters must rename. The C reader
    checks the frame of a file but trusts its records (3.2.0 falls over a map key that is no text), so a database
    must come from someone the operator trusts; the pure Python one raises one of `DAMAGE`.
    """
    return maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT if has_fast_reader() else maxminddb.MODE_MMAP)


class Database:
    """A database with places, open. `path` is None for the bundled one (`Bundled`).

    `label` is for people; `has_cities` tells whether it knows more than countries; `build` is when it was
    made, Unix seconds; `kind` is "places", "networks" (ASN, ISP) or "other" (no place in it).
    """

    def __init__(self, reader: Reader, path: str | None, stamp: Stamp | None, label: str = "") -> None:
        self.path = path
        self.stamp = stamp
        self.reader = reader
        metadata = reader.metadata()
        records = _sample(reader)
        type_name = metadata.database_type if isinstance(metadata.database_type, str) else ""
        self.has_cities = "city" in type_name.lower() or any(map(knows_cities, records))
        self.kind = _kind(type_name, records)
        self.has_ipv6 = metadata.ip_version == 6
        self.build = metadata.build_epoch if isinstance(metadata.build_epoch, int) else 0
        self.label = " ".join(filter(None, (label or clean(type_name, 60) or "GeoIP database", _month(self.build))))

    def record(self, address: Address) -> tuple[object, int]:
        """The record for `address`, None where there is none, and the length of the prefix of the network that it is
        the record of. Raises one of `DAMAGE` on a damaged file."""
        return self.reader.get_with_prefix_len(address)

    def replaced(self) -> bool:
        """Whether the file at the path is not the one that is open. Raises OSError where there is none."""
        return self.path is not None and stamp_of(self.path) != self.stamp

    def close(self) -> None:
        self.reader.close()


def _sample(reader: Reader) -> list[object]:
    """Some records. Where the database cannot be walked (a record on a network wider than all of IPv4 stops
    maxminddb) those of two addresses that every public database knows."""
    records: list[object] = []
    try:
        for _, record in islice(reader, _SAMPLE):
            records.append(record)
    except DAMAGE:
        known = ["8.8.8.8", "2001:4860:4860::8888"][: 2 if reader.metadata().ip_version == 6 else 1]
        records += [reader.get(address) for address in known]
    return [record for record in records if record is not None]


def _kind(type_name: str, records: list[object]) -> str:
    if any(map(knows_countries, records)):
        return "places"
    if any(map(knows_networks, records)) or "asn" in type_name.lower():
        return "networks"
    if records:
        return "other"
    return "places" if any(word in type_name.lower() for word in ("city", "country")) else "other"


def _month(build: int) -> str:
    try:
        return datetime.datetime.fromtimestamp(build, datetime.UTC).strftime("%Y-%m") if build > 0 else ""
    except (OverflowError, OSError, ValueError):
        return ""


def stamp_of(path: str) -> Stamp:
    """What tells one file from another that took its name. Raises OSError."""
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def open_file(path: str) -> Database:
    """Open the database that the operator named, or that was found.

    Raises UsageError where it is missing, not a file, or broken; NoPermissionError where it may not be read.
    """
    shown = clean(path)
    try:
        # The stamp is taken first: a file that is replaced meanwhile is seen to be another at the next look.
        stamp = stamp_of(path)
        return Database(open_reader(path), path, stamp)
    except FileNotFoundError:
        raise UsageError(
            f"There is no GeoIP database {shown}.",
            "Name one that is there (--mmdb FILE, mmdb_path), or none: a database of countries is built in.",
        ) from None
    except PermissionError:
        raise NoPermissionError(
            f"The GeoIP database {shown} may not be read.", f"Let this user read it: chmod a+r {shown}"
        ) from None
    except (OSError, EOFError, *DAMAGE) as error:
        raise UsageError(
            f"{shown} is not a GeoIP database that can be read: {clean(str(error))}",
            "Download it again (geoipupdate), unpacked, as an .mmdb file; or leave it out.",
        ) from error


def find_file(directories: Sequence[str]) -> tuple[Database | None, tuple[str, ...]]:
    """The best database in `directories`, and a warning for each that could not be used.

    Cities are better than countries, newer is better than older; databases without places are passed over.
    """
    best: Database | None = None
    warnings: list[str] = []
    for directory in directories:
        try:
            entries = sorted(os.listdir(directory))
        except OSError:
            continue
        for entry in entries:
            if not entry.endswith(".mmdb"):
                continue
            try:
                database = open_file(os.path.join(directory, entry))
            except HeadcountError as error:
                warnings.append(error.message)
                continue
            if database.kind == "places" and (best is None or _rank(database) > _rank(best)):
                best, database = database, best or database
            if database is not best:
                database.close()
    return best, tuple(warnings)


def _rank(database: Database) -> tuple[bool, int]:
    return database.has_cities, database.build


class Bundled(Database):
    """The database of countries that comes with Headcount. It is unpacked when it is first asked: that takes a fifth
    of a second, and a later start shows its figures before."""

    def __init__(self, label: str) -> None:
        self.path, self.stamp, self.build = None, None, BUNDLED_BUILD
        self.kind, self.has_cities, self.has_ipv6 = "places", False, True
        self.label = f"{label} {_month(BUNDLED_BUILD)}"

    @cached_property
    def reader(self) -> Reader:  # type: ignore[override]  # there once it is asked for
        return _unpacked()

    def close(self) -> None:
        if "reader" in vars(self):
            self.reader.close()


def _unpacked() -> Reader:
    """The bundled database, unpacked into memory without a file."""
    packed = importlib.resources.files("headcount") / "data" / "country.mmdb.xz"
    # The C reader opens names alone: /proc/self/fd gives one to memory without a file (Linux).
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        number = os.memfd_create("headcount-country", os.MFD_CLOEXEC)
        with os.fdopen(number, "wb") as memory, packed.open("rb") as file, lzma.open(file) as plain:
            shutil.copyfileobj(plain, memory, 1 << 20)
            memory.flush()
            return open_reader(f"/proc/self/fd/{number}")
    with (
        tempfile.NamedTemporaryFile(suffix=".mmdb") as named,
        packed.open("rb") as file,
        lzma.open(file) as plain,
    ):
        shutil.copyfileobj(plain, named, 1 << 20)
        named.flush()
        return open_reader(named.name)
