"""What the simulated server holds of one account, and how each of its stores says it."""

from dataclasses import dataclass, field
from typing import NamedTuple

from headcount.demo.people import Device, Person
from headcount.demo.places import Spot

Table = dict[str, object]


class Stamp(NamedTuple):
    """A moment (Unix seconds) and the address that was seen then."""

    when: float
    address: str

    def table(self) -> Table:
        """As mod_lastlog2 stores it; os.time() gives whole seconds."""
        return {"timestamp": int(self.when), "ip": self.address}


class Visit(NamedTuple):
    """The first login of a month: when, from where, with what."""

    when: float
    spot: Spot
    device: Device

    def table(self) -> Table:
        """As the companion module stores it, under the month."""
        return {**Stamp(self.when, self.spot.address).table(), "resource": self.device.resource}


@dataclass(slots=True)
class Account:
    """A person's account: the last event of each kind, and the first login of each month (`YYYY-MM`)."""

    person: Person
    registered: Stamp | None = None
    login: Stamp | None = None
    logout: Stamp | None = None
    visits: dict[str, Visit] = field(default_factory=dict)

    @property
    def online(self) -> bool:
        """Whether the newest login is later than the newest logout."""
        return self.login is not None and (self.logout is None or self.login.when > self.logout.when)

    def last(self) -> tuple[str, Stamp] | None:
        """The newest event and its kind."""
        events = (("registered", self.registered), ("logout", self.logout), ("login", self.login))
        return max(((kind, stamp) for kind, stamp in events if stamp), key=lambda event: event[1].when, default=None)

    def activity(self, store: str) -> Table:
        """The account's record in an activity store; empty where the store has none."""
        if store == "lastlog2":
            kinds = {"registered": self.registered, "login": self.login, "logout": self.logout}
            return {kind: stamp.table() for kind, stamp in kinds.items() if stamp}
        last = self.last()
        if last is None:
            return {}
        kind, stamp = last
        if store == "lastlog":
            return {"event": kind, **stamp.table()}
        return {} if kind == "registered" else {"timestamp": int(stamp.when)}

    def recorded(self, since: str) -> Table:
        """The login records from the month `since` on."""
        return {month: visit.table() for month, visit in self.visits.items() if month >= since}
