"""The names of the places that are in the counts: each once, and what a database calls them kept."""

from headcount.engine.named_places import NamedPlaces
from headcount.places.names import PlaceNames
from headcount.snapshot import Place, PlaceName

HAMLET = Place("DE", "HE", 999_999_999)


def test_a_place_brings_the_names_of_all_around_it_and_the_same_object_while_none_is_new() -> None:
    named = NamedPlaces(PlaceNames())
    named.add([HAMLET])
    names = named.all()
    assert set(names) == {HAMLET, Place("DE", "HE"), Place("DE")}
    named.add([HAMLET, Place("DE")])
    assert named.all() is names


def test_what_a_database_calls_a_place_is_kept_once_and_known_again() -> None:
    names = PlaceNames()
    names.learn(HAMLET, PlaceName("Germany", "Hesse", "Hinterdorf"))
    named = NamedPlaces(names)
    named.add([HAMLET])
    kept = named.unkept()
    named.note_kept()
    assert named.unkept() == {}
    again = PlaceNames()
    for place, name in kept.items():
        again.learn(place, name)
    assert again.name(HAMLET) == PlaceName("Germany", "Hesse", "Hinterdorf")
