"""The names of the places that are in the counts: what a snapshot has of them, and what is kept."""

from headcount.engine.seen_names import SeenNames
from headcount.places.names import PlaceNames
from headcount.snapshot import Place, PlaceName

FRANKFURT = Place("DE", "HE", 2925533)


def seen() -> SeenNames:
    names = PlaceNames()
    names.learn(FRANKFURT, PlaceName("Germany", "Hesse", "Frankfurt am Main"))
    return SeenNames(names)


def test_a_place_is_named_with_those_around_it() -> None:
    names = seen()
    names.see(FRANKFURT)
    assert names.all().keys() == {FRANKFURT, Place("DE", "HE"), Place("DE")}
    assert names.all()[FRANKFURT].city == "Frankfurt am Main"


def test_names_that_were_handed_out_do_not_change() -> None:
    names = seen()
    names.see(FRANKFURT)
    before = names.all()
    names.see(FRANKFURT)
    assert names.all() is before
    names.see(Place("FR"))
    assert Place("FR") not in before
    assert Place("FR") in names.all()


def test_nothing_is_to_be_kept_before_a_place_is_seen_nor_after_it_was() -> None:
    names = seen()
    assert names.unkept() == {}
    names.see(FRANKFURT)
    names.note_kept()
    assert names.unkept() == {}
    names.see(FRANKFURT)
    assert names.unkept() == {}
