"""The line in the log that says when everything was read, and how long that took."""

import logging
from collections.abc import Iterable

from headcount.snapshot import HostCounts

log = logging.getLogger("headcount")


def note_live(seconds: float, hosts: Iterable[HostCounts], stores: int) -> None:
    """Notes that all `hosts` of the source were read, in so many `seconds`, from so many kinds of `stores`."""
    users = sum(host.users_known for host in hosts)
    log.info("live after %.1f s: %s, %s", seconds, _counted(users, "user"), _counted(stores, "store"))


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
