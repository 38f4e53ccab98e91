"""Where records are read: a source gives batches of records and knows nothing of what they mean."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from headcount.records import Problem, Record
from headcount.snapshot import Progress
from headcount.sources.files_read import StoreIndex


class Source(Protocol):
    """Something that holds users' records: a data directory, a database. Used from one thread."""

    @property
    def label(self) -> str:
        """What the operator knows the source by, as clean text."""

    @property
    def progress(self) -> Progress | None:
        """How far `read` is, in users; None while it is not reading."""

    def missing(self) -> str | None:
        """Why there is nothing to read yet, or None where there is. Raises NoPermissionError."""

    def expect(self, hosts: Collection[str]) -> None:
        """Awaits the hosts that an earlier run saw: where none of them is left, nothing is read before one is back."""

    def lost(self) -> Problem | None:
        """Why what is expected can't be read now, though `missing` says nothing; None where it can."""

    def read(self) -> Iterator[list[Record]]:
        """Everything there is, once, in batches; a HostRead after each host."""

    def follow(self, timeout: float) -> Iterator[list[Record]]:
        """What changed since, in batches. Waits `timeout` seconds at the most for something to change."""

    def hosts(self) -> Collection[str]:
        """The hosts that there are now, those without a user too."""

    def stores(self) -> Collection[str]:
        """The kinds of stores that users' records are read from now, of all hosts together."""

    def users(self) -> Mapping[str, Collection[str]]:
        """The names of all users that there are now, by host."""

    def unsettled(self) -> Mapping[str, set[int]]:
        """By host of which all was read, the keys of the users of whom a restart index can't tell. No host where an
        index is of no use."""

    def files(self, name: str) -> dict[str, StoreIndex]:
        """What was read of such a host until now, by store, for a restart index; of users too of whom it can't tell."""

    def restore(self, hosts: Mapping[str, Mapping[str, StoreIndex]]) -> None:
        """Goes on from what was read before, by host and store: `read` then says only what changed since."""

    def close(self) -> None:
        """Ends the watching. The source can't be used any more."""
