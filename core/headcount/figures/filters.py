"""One filter for every panel, report and export: it narrows a snapshot to what the operator asks about."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeVar

from headcount.feed import Feed, Publish
from headcount.snapshot import (
    UNKNOWN,
    Cell,
    History,
    HistoryKey,
    HostCounts,
    MonthCounts,
    Place,
    PlaceName,
    Snapshot,
)

Field = Literal["host", "month", "country", "subdivision", "city", "client", "text"]
PLACE: tuple[Field, ...] = ("country", "subdivision", "city")
"""The fields of a place, from the coarsest to the finest, as the parts of a `Place` are."""
WHOLE_HOSTS: frozenset[Field] = frozenset({"host", "month"})
"""The fields that ask for all users of a host."""
_K = TypeVar("_K", Place, str)
PlacePasses = Callable[[Place], bool]
ClientPasses = Callable[[str], bool]
TextPasses = Callable[[Place | None, str | None], bool]


class Term(NamedTuple):
    """One condition. `value` is as written: a host, YYYY-MM, a country or subdivision code, a geonames id, a
    client, or a text; `?` asks for the unknown."""

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that must all hold, in the order they were set; one of each field at the most.

    `month` chooses what is looked at and leaves the figures of a snapshot alone: `only_month` cuts by it.
    """

    terms: tuple[Term, ...] = ()

    def value(self, field: Field) -> str | None:
        """The value asked for, or None where the filter has no such term."""
        return next((term.value for term in self.terms if term.field == field), None)

    def having(self, field: Field, value: str | None) -> "Filter":
        """This filter with the field's term set again, as the last one; without it where there is no `value`."""
        rest = tuple(term for term in self.terms if term.field != field)
        return Filter((*rest, Term(field, value)) if value else rest)

    def in_country(self, country: str | None) -> "Filter":
        """This filter with that country, in which a finer part of another one would let nobody pass."""
        return self.having("city", None).having("subdivision", None).having("country", country)

    def without_last(self) -> "Filter":
        """This filter without the term that was set last."""
        return Filter(self.terms[:-1])

    @property
    def place(self) -> tuple[str | None, str | None, str | None]:
        """The values asked for of the three parts of a place."""
        country, subdivision, city = map(self.value, PLACE)
        return country, subdivision, city

    @property
    def finest(self) -> Term | None:
        """The term of the finest part of a place that is asked for."""
        terms = [term for term in self.terms if term.field in PLACE]
        return max(terms, key=lambda term: PLACE.index(term.field), default=None)

    @property
    def is_of_all(self) -> bool:
        """Whether everybody passes."""
        return all(term.field == "month" for term in self.terms)

    @property
    def is_of_whole_hosts(self) -> bool:
        """Whether all users of each host that passes do."""
        return all(term.field in WHOLE_HOSTS for term in self.terms)

    def passes(self, host: str, cell: Cell, names: Mapping[Place, PlaceName]) -> bool:
        """Whether the users of a cell of that host pass, whatever the month."""
        only_host = self.value("host")
        return (
            (only_host is None or host == only_host)
            and self._place_passes()(cell.place)
            and self._client_passes()(cell.client)
            and self._text_passes(host, names)(cell.place, cell.client)
        )

    def apply(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot narrowed to what passes: hosts, active users, months and history alike."""
        if self.is_of_all:
            return snapshot
        only_host = self.value("host")
        hosts = {
            host: self._narrow(host, counts, snapshot.names)
            for host, counts in snapshot.hosts.items()
            if only_host is None or host == only_host
        }
        total = snapshot.total
        if total is not None:  # of one host it tells nothing, nor does it know hosts by their names
            total = None if only_host or self.value("text") else self._narrow("", total, snapshot.names)
        return replace(snapshot, hosts=hosts, total=total, history=self._history(snapshot))

    def _narrow(self, host: str, counts: HostCounts, names: Mapping[Place, PlaceName]) -> HostCounts:
        if self.is_of_whole_hosts:
            return counts
        place, client = self._place_passes(), self._client_passes()
        text = self._text_passes(host, names)
        active = {
            cell: users
            for cell, users in counts.active.items()
            if place(cell.place) and client(cell.client) and text(cell.place, cell.client)
        }
        months = {}
        for month, of_month in counts.months.items():
            narrowed = self._narrow_month(of_month, place, client, text)
            if narrowed is not None:
                months[month] = narrowed
        return replace(counts, active=active, months=months, arrivals={})

    def _narrow_month(
        self, month: MonthCounts, place: PlacePasses, client: ClientPasses, text: TextPasses
    ) -> MonthCounts | None:
        """The month's users that pass; None where only its margins are known and they cannot tell."""
        if month.cells is None:
            return self._narrow_margins(month, place, client, text)
        kept = {
            cell: users
            for cell, users in month.cells.items()
            if place(cell.place) and client(cell.client) and text(cell.place, cell.client)
        }
        return MonthCounts.of(month.quality, kept)

    def _narrow_margins(
        self, month: MonthCounts, place: PlacePasses, client: ClientPasses, text: TextPasses
    ) -> MonthCounts | None:
        """Of two margins only what narrows one of them alone can be shown."""
        everyone = text(None, None)  # no text is asked for, or it stands in the host's name
        places = _kept(month.places, lambda p: place(p) and text(p, None))
        clients = _kept(month.clients, lambda c: client(c) and text(None, c))
        by_place, by_client = self.finest is not None, self.value("client") is not None
        if not everyone:
            if places is None or clients is None:
                return None
            by_place, by_client = by_place or bool(places), by_client or bool(clients)
        if by_place and by_client:
            return None
        if by_place:
            return None if places is None else MonthCounts(month.quality, sum(places.values()), None, places, None)
        if by_client:
            return None if clients is None else MonthCounts(month.quality, sum(clients.values()), None, None, clients)
        return month if everyone else MonthCounts(month.quality, 0, None, places, clients)

    def _place_passes(self) -> PlacePasses:
        wanted = self.place
        if wanted == (None, None, None):
            return lambda place: True

        def passes(place: Place) -> bool:
            return all(
                want is None or want == (UNKNOWN if part is None else str(part))
                for want, part in zip(wanted, place, strict=True)
            )

        return passes

    def _client_passes(self) -> ClientPasses:
        wanted = self.value("client")
        return lambda client: wanted is None or client == wanted

    def _text_passes(self, host: str, names: Mapping[Place, PlaceName]) -> TextPasses:
        """Whether the text stands in any name that a cell goes by: its host's, its place's, its client's."""
        text = (self.value("text") or "").casefold()
        if text in host.casefold():
            return lambda place, client: True
        by_place: dict[Place | None, bool] = {None: False}

        def passes(place: Place | None, client: str | None) -> bool:
            if place not in by_place and place is not None:
                by_place[place] = _stands_in(text, _words(place, names.get(place, PlaceName())))
            return by_place[place] or (client is not None and text in client.casefold())

        return passes

    def _history(self, snapshot: Snapshot) -> History:
        """The history through this filter; none where it was not kept finely enough to tell."""
        if self.finest is not None and self.finest.field != "country":
            return History()
        texts: dict[str, TextPasses] = {}

        def text(host: str) -> TextPasses:
            if host not in texts:
                texts[host] = self._text_passes(host, snapshot.names)
            return texts[host]

        if self.value("text") and any(
            text(host)(place, None) != text(host)(Place(place.country), None)
            for host in snapshot.hosts
            for place in _places_known(snapshot)
        ):
            return History()
        client, place = self._client_passes(), self._place_passes()
        only_host = self.value("host")

        def keep(host: str, key: HistoryKey) -> bool:
            country = Place(key.country)
            return (
                (only_host is None or host == only_host)
                and place(country)
                and client(key.client)
                and text(host)(country, key.client)
            )

        return snapshot.history.through(keep, only_host)


def only_hosts(snapshot: Snapshot, hosts: Collection[str]) -> Snapshot:
    """The snapshot of these hosts alone."""
    if len(hosts) == 1:
        return Filter().having("host", *hosts).apply(snapshot)
    kept = {host: counts for host, counts in snapshot.hosts.items() if host in hosts}
    total = snapshot.total if len(kept) == len(snapshot.hosts) else None
    return replace(snapshot, hosts=kept, total=total, history=snapshot.history.through(lambda host, _: host in hosts))


class OnlyHosts:
    """A feed of which these hosts alone are shown."""

    def __init__(self, feed: Feed, hosts: Collection[str]) -> None:
        self._feed, self._hosts = feed, hosts

    def run(self, publish: Publish, stop: threading.Event) -> None:
        """Publishes what the feed does, of these hosts."""
        self._feed.run(lambda snapshot: publish(only_hosts(snapshot, self._hosts)), stop)


def only_month(snapshot: Snapshot, month: str) -> Snapshot:
    """The snapshot with the counts of that one calendar month alone; active users are left as they are."""

    def cut(counts: HostCounts) -> HostCounts:
        return replace(
            counts,
            months={m: c for m, c in counts.months.items() if m == month},
            arrivals={m: a for m, a in counts.arrivals.items() if m == month},
        )

    hosts = {host: cut(counts) for host, counts in snapshot.hosts.items()}
    return replace(snapshot, hosts=hosts, total=snapshot.total and cut(snapshot.total))


def _places_known(snapshot: Snapshot) -> set[Place]:
    """Every place that users are or were in: what has no user now may have had some in the past."""
    return {cell.place for counts in snapshot.hosts.values() for cell in counts.active} | snapshot.names.keys()


def _kept(margin: Mapping[_K, int] | None, keep: Callable[[_K], bool]) -> dict[_K, int] | None:
    return None if margin is None else {key: users for key, users in margin.items() if keep(key)}


def _words(place: Place, name: PlaceName) -> tuple[str, ...]:
    return (place.country or UNKNOWN, place.subdivision or "", *name)


def _stands_in(text: str, words: Iterable[str]) -> bool:
    return any(text in word.casefold() for word in words)
