"""The line in the log that says when everything was read, and how long that took."""

import logging

from headcount.snapshot import Snapshot

log = logging.getLogger("headcount")


def note_live(seconds: float, snapshot: Snapshot, stores: int) -> None:
    """Notes that all of the source was read, in so many `seconds`, from so many kinds of `stores`."""
    users = sum(host.users_known for host in snapshot.hosts.values())
    log.info("live after %.1f s: %s, %s", seconds, _counted(users, "user"), _counted(stores, "store"))


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
