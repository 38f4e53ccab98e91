"""What tests of following a directory share: logins as Prosody writes them, and what a source has said so far."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from headcount.records import HostGone, Problem, Record, SourceProblems, UserRecord, Users, UsersGone
from headcount.sources.directory import DirectorySource
from headcount.sources.watcher import Changes
from support import prosody_writes

LOGIN = 'return {\n\t["login"] = {\n\t\t["timestamp"] = %d;\n\t};\n};\n'


def log_in(root: Path, user: str, when: int, host: str = "example.com", store: str = "lastlog2") -> Path:
    return prosody_writes(root, host, store, user, LOGIN % when)


class Clock:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Said:
    """What a source has said so far, the last word of each user."""

    def __init__(self, source: DirectorySource) -> None:
        self.source = source
        self.users: dict[tuple[str, str], UserRecord] = {}
        self.problems: tuple[Problem, ...] = ()
        self.records: list[Record] = []

    def take(self, batches: Iterator[list[Record]]) -> "Said":
        for batch in batches:
            for record in batch:
                self.records.append(record)
                match record:
                    case Users():
                        self.users |= {(record.host, user.user): user for user in record.users}
                    case UsersGone():
                        key_of = self.source._keys.of_host(record.host)
                        for host, user in self.users:
                            if host == record.host and key_of(user) in record.keys:
                                self.users[host, user] = UserRecord(0, user, is_known=False)
                    case HostGone():
                        self.users = {key: said for key, said in self.users.items() if key[0] != record.host}
                    case SourceProblems():
                        self.problems = record.problems
        return self

    def read(self) -> "Said":
        return self.take(self.source.read())

    def follow_until(self, is_so: Callable[[], bool], within: float = 120.0) -> None:
        deadline = time.monotonic() + within
        while not is_so():
            assert time.monotonic() < deadline, "it was not seen in time"
            self.take(self.source.follow(0.1))

    def last(self, user: str, host: str = "example.com") -> float:
        said = self.users.get((host, user))
        return said.newest if said else float("-inf")

    def kinds(self) -> set[str]:
        return {problem.what for problem in self.problems} | {
            f.what for said in self.users.values() for f in said.problems
        }


class ToldWatcher:
    """A watcher that tells what a test has it tell, and loses everything else."""

    def __init__(self, *told: Changes) -> None:
        self._told = list(told)
        self.lost = False

    def tell(self, *paths: Path) -> None:
        """Tells next that there are changes at those paths."""
        changes: Changes = {}
        for path in paths:
            changes.setdefault(os.fsencode(path.parent), set()).add(os.fsencode(path.name))
        self._told.append(changes)

    def watch(self, paths: Iterable[bytes]) -> None:
        pass

    def wait(self, timeout: float) -> Changes:
        return self._told.pop(0) if self._told else {}

    def has_lost(self) -> bool:
        lost, self.lost = self.lost, False
        return lost

    def failure(self) -> None:
        return None

    def close(self) -> None:
        pass
