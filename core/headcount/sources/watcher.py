"""A wake-up when files change. It may come late or not at all: only a sweep tells the truth."""

from collections.abc import Iterable
from typing import Protocol

Changes = dict[bytes, set[bytes]]
"""The names that changed, by the path of their directory; the empty name is the directory itself."""


class Watcher(Protocol):
    """Watches directories, not what is below them, and collects what changed in them."""

    def watch(self, paths: Iterable[bytes]) -> None:
        """Watches `paths` instead of those watched before. One that is watched already misses nothing meanwhile; one
        that can't be watched, as it is gone or closed, is left out."""

    def wait(self, timeout: float) -> Changes:
        """What changed since the last call, waiting at most `timeout` seconds for the first change."""

    def has_lost(self) -> bool:
        """Whether changes went untold, or may have, since this was asked last."""

    def failure(self) -> str | None:
        """Why the watch does not stand, once; None while it does."""

    def close(self) -> None:
        """Ends the watch."""
