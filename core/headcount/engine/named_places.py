"""The places that are in the counts, with their names: each is looked up once, and kept for those who look on."""

from collections.abc import Iterable, Mapping

from headcount.places.names import PlaceNames
from headcount.snapshot import Place, PlaceName


class NamedPlaces:
    """Names places as they come up."""

    def __init__(self, names: PlaceNames) -> None:
        self._names = names
        self._frozen: dict[Place, PlaceName] = {}
        self._new: dict[Place, PlaceName] = {}
        self._unkept: set[Place] = set()

    def add(self, places: Iterable[Place]) -> None:
        """Sees to it that the next snapshot names these places, their subdivisions and their countries."""
        for place in places:
            if place not in self._frozen and place not in self._new:
                subdivision = place._replace(city=None)
                for whole in {place, Place(place.country), subdivision}:
                    self._new[whole] = self._names.name(whole)
                self._unkept |= {subdivision, Place(city=place.city)}  # as `PlaceNames.learned` has them

    def all(self) -> Mapping[Place, PlaceName]:
        """The names of all places that are in the counts. It is never changed: a later call gives another."""
        if self._new:
            self._frozen, self._new = {**self._frozen, **self._new}, {}
        return self._frozen

    def unkept(self) -> dict[Place, PlaceName]:
        """What a database calls those that came up since the state knew all."""
        learned = self._names.learned() if self._unkept else {}
        return {place: learned[place] for place in self._unkept if place in learned}

    def note_kept(self) -> None:
        """The state knows all."""
        self._unkept.clear()
