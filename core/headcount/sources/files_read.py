"""What is remembered of the files that were read, so that a later start need only read those that changed since."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from headcount.compact_map import places_of, without


@dataclass(slots=True)
class StoreIndex:
    """One store: what tells its directory from another one, its change time (ns) when everything in it had been read (0
    where that is not known), and by user's key, ascending, the change time of each file that was read."""

    identity: tuple[int, int]
    unmoved: int
    keys: "array[int]"
    changed: "array[int]"

    def leave_out(self, keys: Iterable[int]) -> None:
        """Tells nothing of the files of those users."""
        places = places_of(keys, self.keys)
        if places:
            self.unmoved = 0
            self.keys = without(self.keys, places)
            self.changed = without(self.changed, places)
