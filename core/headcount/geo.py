"""What an address means: a place. Addresses go in, places come out, and no address is kept on any disk."""

import os
from collections.abc import Sequence

from headcount.addresses import LONGEST, Address, public_address
from headcount.errors import HeadcountError
from headcount.geo_database import DAMAGE, Database, find_file, has_fast_reader, open_bundled, open_file
from headcount.geo_records import Sighting, read_record
from headcount.networks import PlacesByNetwork, first_of, ipv4_of, ipv6_of
from headcount.place_names import PlaceNames
from headcount.snapshot import Place, PlaceName
from headcount.text import clean

ATTRIBUTION = "IP to country: Number Resource Organization (NRO), nro.net, CC BY 4.0"
USUAL_PLACES = ("/usr/share/GeoIP", "/var/lib/GeoIP", "/usr/local/share/GeoIP")

_BUNDLED_LABEL = "country data by NRO"
_NOWHERE = Place()


class Places:
    """Looks addresses up in the databases named, else in the best one found, else in the bundled one.

    `mmdb` names database files; the first that knows an address's country answers, City databases before
    Country ones. Databases without places (ASN) are set aside, which `notes` says. `usual` are the
    directories to search where `mmdb` names no database of places. `names` learns the names that records
    carry. Networks looked up before are remembered, in memory alone, and no address. For one thread.

    Raises UsageError for a named file that is missing or broken, NoPermissionError for one it may not read.
    """

    def __init__(
        self,
        mmdb: Sequence[str | os.PathLike[str]] = (),
        *,
        usual: Sequence[str] = USUAL_PLACES,
        names: PlaceNames | None = None,
    ) -> None:
        self.names = PlaceNames() if names is None else names
        self.notes: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self._troubles: dict[str, str] = {}
        self._failures = 0
        self._failure = ""
        self._databases = self._open_named(mmdb) or self._open_found(usual)
        if not has_fast_reader():
            self.warnings += (
                "GeoIP look-ups are slow: maxminddb has no C reader here. Install it from a binary wheel.",
            )
        self._known = PlacesByNetwork()

    def _open_named(self, mmdb: Sequence[str | os.PathLike[str]]) -> list[Database]:
        named: list[Database] = []
        for file in mmdb:
            database = open_file(os.fspath(file))
            if database.kind == "places":
                named.append(database)
                continue
            holds = "networks and their operators" if database.kind == "networks" else "no countries"
            self.notes += (f"{clean(os.fspath(file))} ({database.label}) is set aside: it holds {holds}, not places.",)
            database.close()
        return sorted(named, key=lambda database: not database.has_cities)

    def _open_found(self, usual: Sequence[str]) -> list[Database]:
        found, warnings = find_file(usual)
        self.warnings += warnings
        return [found or open_bundled(_BUNDLED_LABEL)]

    @property
    def label(self) -> str:
        """The databases in use and the month each was made, such as `GeoLite2-City 2026-11`."""
        return ", ".join(database.label for database in self._databases)

    @property
    def stamp(self) -> tuple[object, ...]:
        """What tells the databases in use from others."""
        return tuple((database.label, database.build, database.stamp) for database in self._databases)

    @property
    def has_cities(self) -> bool:
        """Whether a database in use knows more than countries."""
        return any(database.has_cities for database in self._databases)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the databases now, one sentence each; they name files, but no address."""
        failed = (f"{self._failures} GeoIP look-ups failed: {self._failure}",) if self._failures else ()
        return (*self._troubles.values(), *failed)

    def lookup(self, address: str | None) -> Place:
        """The place of `address`, or of a network prefix's first address; Place() where it is unknown.

        Private, loopback, link-local, reserved and malformed addresses are nowhere, whatever a database
        says (see `addresses`). Never raises.
        """
        if not address or len(address) > LONGEST:
            return _NOWHERE
        first, slash, bits = address.partition("/")
        number = ipv4_of(first)
        if number is not None:
            place = self._known.get4(number if not slash else first_of(number, bits, 32))
        else:
            number = ipv6_of(first)
            place = None if number is None else self._known.get6(number if not slash else first_of(number, bits, 128))
        if place is not None:
            return place
        looked_up = public_address(address)
        return _NOWHERE if looked_up is None else self._find(looked_up)

    def refresh(self, force: bool = False) -> bool:
        """Open again each database whose file was replaced (all of them with `force`); True if any was.

        Where the new file is missing, broken, or without places, the old one stays and `problems` says so.
        """
        changed = False
        for at, old in enumerate(self._databases):
            if old.path is None:
                continue
            self._troubles.pop(old.path, None)
            try:
                new = _reopened(old, force)
            except _UnusableError as error:
                self._troubles[old.path] = f"{error} The one that was there ({old.label}) stays in use."
                continue
            if new is not None:
                self._databases[at] = new
                old.close()
                changed = True
        if changed:
            self._failures = 0
            self._known.clear()
        return changed

    def close(self) -> None:
        """Let go of the files."""
        for database in self._databases:
            database.close()

    def _find(self, address: Address) -> Place:
        """The place of a public address; remembered for the network that has the same answer in all databases."""
        longest = 0
        for database in self._databases:
            try:
                record, prefix = database.record(address)
            except DAMAGE as error:
                if address.version == 4 or database.has_ipv6:
                    self._failures += 1
                    self._failure = f"{database.label} is damaged ({clean(type(error).__name__)}). Download it again."
                    longest = address.max_prefixlen
                continue
            longest = max(longest, prefix)
            place = self._place(read_record(record))
            if place.country is not None:
                break
        else:
            place = _NOWHERE
        self._known.put(address, longest, place)
        return place

    def _place(self, seen: Sighting) -> Place:
        """The place of what a record says: codes as they are, names turned into codes where there are."""
        country, subdivision, city = seen.country, seen.subdivision, seen.city
        if country is None:
            return _NOWHERE  # a subdivision or city alone could not be told from another country's
        if subdivision is None and seen.subdivision_name:
            subdivision = self.names.subdivision_code(country, seen.subdivision_name)
        if city is None and seen.city_name:
            city = self.names.city_id(country, seen.city_name)
        place = Place(country, subdivision, city)
        self.names.learn(place, PlaceName("", seen.subdivision_name or "", seen.city_name or ""))
        return place


class _UnusableError(Exception):
    """Why a file cannot take the place of the one that is open."""


def _reopened(old: Database, force: bool) -> Database | None:
    """The database that has taken the place of `old`; None where `old` is still there. Raises _UnusableError."""
    if old.path is None:
        return None
    try:
        if not (force or old.replaced()):
            return None
        new = open_file(old.path)
    except HeadcountError as error:
        raise _UnusableError(error.message) from error
    except OSError as error:
        why = clean(error.strerror or type(error).__name__)
        raise _UnusableError(f"{clean(old.path)} cannot be looked at: {why}.") from error
    if new.kind != "places":
        new.close()
        raise _UnusableError(f"{clean(old.path)} holds no places any more.")
    return new
