"""What an address means: a place. Addresses go in, places come out, and no address is kept on any disk."""

import math
import os
import time
from collections.abc import Callable, Sequence

from headcount.errors import HeadcountError, NoPermissionError, UsageError
from headcount.places.addresses import LONGEST, Address, is_global_unicast, public_address
from headcount.places.database import DAMAGE, Bundled, Database, has_fast_reader
from headcount.places.database_file import GeoFile
from headcount.places.database_records import Sighting, read_record
from headcount.places.names import PlaceNames
from headcount.places.networks import PlacesByNetwork, first_of, ipv4_of, ipv6_of
from headcount.places.private_copies import Store
from headcount.snapshot import Place, PlaceName
from headcount.text import clean

ATTRIBUTION = "IP to country: Number Resource Organization (NRO), nro.net, CC BY 4.0"
USUAL_PLACES = ("/usr/share/GeoIP", "/var/lib/GeoIP", "/usr/local/share/GeoIP")
FIRST_WORD = 30.0
"""Seconds that a file may take at the beginning to say what it is: on a disk that answers, a fraction of one."""

_POLL = 0.05
_BUNDLED_NAME = "country data by NRO"
_NOWHERE = Place()
_HOLDS = {"networks": "networks and their operators", "other": "no countries"}


class Places:
    """Looks addresses up in the files named, else in the best one found, else in the bundled database.

    `mmdb` names files; the first that knows an address's country answers, City databases before Country ones. Those
    without places (ASN) are set aside, which `notes` says. `usual` are the directories to search where `mmdb` names
    no database of places. `names` learns the names that records carry. Networks looked up before are remembered, in
    memory alone, and no address. For one thread.

    A file is used once it has proved itself, in a process of its own, and from a copy of its own, which `store` keeps.
    The beginning waits for that so many seconds (`patience`); then the last good one answers, else the bundled
    database, until `refresh` finds that it has.

    Raises UsageError for a named file that is missing or no database, NoPermissionError for one it may not read; but
    not where a good one was kept of it.
    """

    def __init__(
        self,
        mmdb: Sequence[str | os.PathLike[str]] = (),
        *,
        usual: Sequence[str] = USUAL_PLACES,
        names: PlaceNames | None = None,
        store: Store | None = None,
        patience: float = math.inf,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.names = PlaceNames() if names is None else names
        self._store = Store() if store is None else store
        self._ticks = ticks
        self._failures = 0
        self._failure = ""
        self._known = PlacesByNetwork()
        self._bundled = Bundled(_BUNDLED_NAME)
        self._databases: list[Database] = [self._bundled]
        self._named: list[GeoFile] = []
        self._found: list[GeoFile] = []
        self._usual: Sequence[str] = ()
        try:
            self._open_named([os.path.abspath(path) for path in mmdb])
            if not any(file.has_places for file in self._named):
                self._usual = usual
                self._search()
                self._describe(self._found)
                self._search()
            self.wait(patience)
        except BaseException:
            self.close()
            raise

    def _open_named(self, paths: Sequence[str]) -> None:
        for path in paths:
            self._named.append(GeoFile(path, self._store, self._ticks, wanted=True))
        self._describe(self._named)
        for file in self._named:
            if isinstance(file.problem, UsageError | NoPermissionError) and file.database is None:
                raise file.problem

    def _describe(self, files: Sequence[GeoFile]) -> None:
        """Waits until it is known what the files are."""
        for file in files:
            file.describe(FIRST_WORD)

    def _search(self) -> None:
        """Looks what there is in the usual places. Cities are better than countries, newer is better than older, and
        only the best one that is whole need prove itself."""
        there = {path for directory in self._usual for path in _listed(directory)}
        gone = [file for file in self._found if file.path not in there and file.database is None]
        for file in gone:
            file.close()
        watched = {file.path for file in self._found}
        self._found = [file for file in self._found if file not in gone]
        self._found += [GeoFile(path, self._store, self._ticks, wanted=False) for path in sorted(there - watched)]
        self._found.sort(key=_rank, reverse=True)
        for file in self._found:
            if file.has_places:
                file.want()
                if file.problem is None:
                    break

    @property
    def label(self) -> str:
        """The databases in use and the month each was made, such as `GeoLite2-City 2026-11`."""
        return ", ".join(database.about.label for database in self._databases)

    @property
    def stamp(self) -> tuple[object, ...]:
        """What tells the databases in use from others."""
        return tuple((database.about.label, database.about.build, database.digest) for database in self._databases)

    @property
    def has_cities(self) -> bool:
        """Whether a database in use knows more than countries."""
        return any(database.about.has_cities for database in self._databases)

    @property
    def is_pending(self) -> bool:
        """Whether a file that has no good one before it is still proving itself."""
        return any(file.is_pending for file in self._files)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the files, a sentence or two each."""
        asides = [
            f"{clean(file.path)} ({file.about.label}) is set aside: it holds {_HOLDS[file.about.kind]}, not places."
            for file in self._named
            if file.about is not None and not file.has_places
        ]
        new = [
            f"{clean(file.path)} is new, and is looked through once before it is used. Until then {self._instead}."
            for file in self._files
            if file.is_pending
        ]
        return (*asides, *new)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could be better, a sentence or two each."""
        unusable = [_told(file.problem) for file in self._found if file.problem is not None and file.database is None]
        if not has_fast_reader():
            unusable.append(
                "GeoIP look-ups are slow: maxminddb has no C reader here. Install it from a binary wheel.",
            )
        return tuple(unusable)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the files now, some sentences each; they name files, but no address."""
        problems = [
            _told(file.problem, f"The last good one ({file.database.about.label}) stays in use.")
            for file in self._files
            if file.problem is not None and file.database is not None
        ]
        failed = (f"{self._failures} GeoIP look-ups failed: {self._failure}",) if self._failures else ()
        return (*problems, *failed)

    @property
    def losses(self) -> tuple[str, ...]:
        """What is wrong with the files that were named and of which there is no good one, some sentences each."""
        lost = [file.problem for file in self._named if file.problem is not None and file.database is None]
        return tuple(_told(problem, f"For now {self._instead}.") for problem in lost)

    @property
    def _files(self) -> tuple[GeoFile, ...]:
        return (*self._named, *self._found)

    @property
    def _instead(self) -> str:
        return f"places come from {self.label}"

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
            is_public = not slash  # special ones are known from the beginning
        else:
            number = ipv6_of(first)
            place = None if number is None else self._known.get6(number if not slash else first_of(number, bits, 128))
            is_public = number is not None and not slash and is_global_unicast(number)
        if place is not None:
            return place
        if is_public and number is not None:
            return self._find(first, number, 6 if ":" in first else 4)
        looked_up = public_address(address)
        return _NOWHERE if looked_up is None else self._find(looked_up, int(looked_up), looked_up.version)

    def refresh(self) -> bool:
        """Looks at the files again, without waiting for any; whether other databases are in use now.

        A file that has changed since is used as soon as it has proved itself. Until then, and where it is missing,
        broken or without places, the last good one stays in use, which `problems` says.
        """
        return self._look(0.0)

    def wait(self, patience: float = math.inf) -> None:
        """Waits so many seconds, at the most, until each file has either proved itself or not."""
        self._take_stock()
        ends_at = self._ticks() + patience
        while self.is_pending and (left := ends_at - self._ticks()) > 0:
            self._look(min(_POLL, left))

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()
        self._bundled.close()

    def _look(self, patience: float) -> bool:
        changed = [file.look(patience) for file in self._files]
        if self._usual:
            self._search()
        return self._take_stock() if any(changed) else False

    def _take_stock(self) -> bool:
        """Takes the databases into use that the files have now; whether they are other ones."""
        named = [file.database for file in self._named if file.database is not None]
        found = [file.database for file in self._found if file.database is not None]
        in_use = sorted(named, key=lambda database: not database.about.has_cities) or found[:1] or [self._bundled]
        if not self.is_pending:
            self._store.tidy([file.path for file in self._files])
        if in_use == self._databases:
            return False
        self._databases = in_use
        self._failures = 0
        self._known.clear()
        return True

    def _find(self, address: Address | str, number: int, version: int) -> Place:
        """The place of a public address, which is that number; remembered for the network that has the same answer in
        all databases."""
        longest = 0
        for database in self._databases:
            try:
                record, prefix = database.record(address)
            except DAMAGE as error:
                if version == 4 or database.about.has_ipv6:
                    self._failures += 1
                    self._failure = (
                        f"{database.about.label} is damaged ({clean(type(error).__name__)}). Download it again."
                    )
                    longest = 32 if version == 4 else 128
                continue
            longest = max(longest, prefix)
            place = self._place(read_record(record))
            if place.country is not None:
                break
        else:
            place = _NOWHERE
        self._known.put(number, version, longest, place)
        return place

    def _place(self, seen: Sighting) -> Place:
        """The place of what a record says: codes as they are, names turned into codes where there are."""
        country, subdivision, city, subdivision_name, city_name = seen
        if country is None:
            return _NOWHERE  # a subdivision or city alone could not be told from another country's
        if not (subdivision or city or subdivision_name or city_name):
            return Place(country)
        if subdivision is None and seen.subdivision_name:
            subdivision = self.names.subdivision_code(country, seen.subdivision_name)
        if city is None and seen.city_name:
            city = self.names.city_id(country, seen.city_name)
        place = Place(country, subdivision, city)
        self.names.learn(place, PlaceName("", seen.subdivision_name or "", seen.city_name or ""))
        return place


def _listed(directory: str) -> list[str]:
    """The GeoIP files in a directory, by their names."""
    try:
        return [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".mmdb")]
    except OSError:
        return []


def _rank(file: GeoFile) -> tuple[bool, bool, int]:
    about = file.about
    return (False, False, 0) if about is None else (file.has_places, about.has_cities, about.build)


def _told(problem: HeadcountError, meanwhile: str = "") -> str:
    """What is wrong, what is used meanwhile, and what fixes it: where there is little room the end is cut off."""
    return " ".join(filter(None, (problem.message, meanwhile, problem.hint)))
