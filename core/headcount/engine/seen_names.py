"""The names of all places that are in the counts, for snapshots, and those of them that are yet to be kept."""

from collections.abc import Mapping

from headcount.places.names import PlaceNames
from headcount.snapshot import Place, PlaceName


class SeenNames:
    """The places that were seen, by the names that `names` has learned."""

    def __init__(self, names: PlaceNames) -> None:
        self._names = names
        self._seen: dict[Place, PlaceName] = {}
        self._new: dict[Place, PlaceName] = {}
        self._unkept: set[Place] = set()

    def see(self, place: Place) -> None:
        """Sees to it that the next snapshot names the place, its subdivision and its country."""
        if place in self._seen or place in self._new:
            return
        for whole in {place, Place(place.country), Place(place.country, place.subdivision)}:
            self._new[whole] = self._names.name(whole)
            self._unkept.add(whole)

    def all(self) -> Mapping[Place, PlaceName]:
        """The names of all places that were seen. It is never changed: a later call gives another."""
        if self._new:
            self._seen = {**self._seen, **self._new}
            self._new = {}
        return self._seen

    def unkept(self) -> dict[Place, PlaceName]:
        """What was learned of the places seen since the last `note_kept`."""
        if not self._unkept:
            return {}
        learned = self._names.learned()
        return {place: learned[place] for place in self._unkept if place in learned}

    def note_kept(self) -> None:
        """The state has them now."""
        self._unkept.clear()
