"""The months as mod_monthly_visitors' own files, in either of its shapes, for a server that goes on counting from them.

The flat shape is what the original module writes: a number for each place and for each client. The nested shape, of a
variant, has the clients in each place; a month of which only the two margins are known can't be written so. A file a
user tells the module whom it has counted in the current month. See `headcount.prosody.visitors` for the way back.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from headcount.prosody.files import SUFFIX, VISITORS_NAMES, user_file
from headcount.prosody.lua_table import LuaTable
from headcount.prosody.lua_write import serialise
from headcount.prosody.names import encode
from headcount.snapshot import OTHER, UNKNOWN, Cell, MonthCounts, Place, Snapshot

_K = TypeVar("_K", Place, str, Cell)
Shape = Literal["flat", "nested"]
STORE = VISITORS_NAMES[0]
"""The name of the module's store on disk: of the directory of its users' files and, with `.dat`, of its counts."""


@dataclass(frozen=True, slots=True)
class HostFiles:
    """The files of one host, with names as in a data directory.

    `counts` is the content of the one file of counts, None where there is none; `markers` are the names of the users'
    files in their directory, each with the content `marker`. `left_out` are the months that the shape can't say.
    """

    host: str
    counts: bytes | None
    markers: tuple[bytes, ...]
    marker: bytes
    left_out: tuple[str, ...]

    @property
    def counts_file(self) -> bytes:
        """Where `counts` belongs."""
        return encode(self.host) + b"/" + STORE + SUFFIX

    @property
    def marker_directory(self) -> bytes:
        """Where `markers` belong."""
        return encode(self.host) + b"/" + STORE

    @property
    def must_be_free(self) -> tuple[bytes, ...]:
        """What must not be there already, in either spelling."""
        stores = [encode(self.host) + b"/" + name for name in VISITORS_NAMES]
        return (*stores, *(store + SUFFIX for store in stores))


def to_prosody(snapshot: Snapshot, shape: Shape, counted: Mapping[str, Collection[str]]) -> Iterator[HostFiles]:
    """The files of each host that has months. `counted` are the users, by host, to be marked as counted in the
    current month; they are only where that month is written."""
    for host, of_host in snapshot.hosts.items():
        is_folded = snapshot.anonymity is not None
        tables = {
            month: as_lua(_without_other(counts) if is_folded else counts, shape)
            for month, counts in sorted(of_host.months.items())
        }
        written: LuaTable = {month.encode(): table for month, table in tables.items() if table is not None}
        marked = counted.get(host, ()) if snapshot.month.encode() in written else ()
        yield HostFiles(
            host=host,
            counts=serialise(written) if written else None,
            markers=tuple(user_file(user) for user in sorted(marked)),
            marker=serialise({b"last-recorded": snapshot.month.encode()}),
            left_out=tuple(month for month, table in tables.items() if table is None),
        )


def as_lua(month: MonthCounts, shape: Shape) -> LuaTable | None:
    """A month as the table that the module keeps of it; None where the shape asks for more than is known."""
    return _flat(month) if shape == "flat" else _nested(month)


def _without_other(month: MonthCounts) -> MonthCounts:
    """A folded month in words that the module has: it knows of no `other`."""
    places, clients, cells = month.places, month.clients, month.cells
    return replace(
        month,
        places=None if places is None else _summed((_place(place), n) for place, n in places.items()),
        clients=None if clients is None else _summed((_client(client), n) for client, n in clients.items()),
        cells=None
        if cells is None
        else _summed((Cell(_place(place), _client(client)), n) for (place, client), n in cells.items()),
    )


def _place(place: Place) -> Place:
    return Place() if place.country == OTHER else place


def _client(client: str) -> str:
    return UNKNOWN if client == OTHER else client


def _flat(month: MonthCounts) -> LuaTable | None:
    if month.places is None or month.clients is None:
        return None
    places: LuaTable = {b"geo-" + _key(place): users for place, users in month.places.items()}
    return places | {b"client-" + client.encode(): users for client, users in month.clients.items()}


def _nested(month: MonthCounts) -> LuaTable | None:
    if month.cells is None:
        return None
    by_place: dict[Place, dict[str, int]] = {}
    for (place, client), users in month.cells.items():
        by_place.setdefault(place, {})[client] = users
    return {_key(place): _seen(clients) for place, clients in by_place.items()}


def _seen(clients: Mapping[str, int]) -> LuaTable:
    """The users of a place. Networks, which the variant counts too, are nothing that Headcount knows."""
    users = sum(clients.values())
    return {
        b"users_seen": users,
        b"clients_seen": {client.encode(): number for client, number in clients.items()},
        b"isps_seen": {UNKNOWN.encode(): users},
    }


def _key(place: Place) -> bytes:
    """`DE-HE-2925533`, each part `?` where unknown."""
    return "-".join(UNKNOWN if part is None else str(part) for part in place).encode()


def _summed(counts: Iterable[tuple[_K, int]]) -> dict[_K, int]:
    total: Counter[_K] = Counter()
    for key, users in counts:
        total[key] += users
    return dict(total)
