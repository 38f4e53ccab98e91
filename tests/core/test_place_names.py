"""Places have names without any network: countries, subdivisions and cities; and some names lead back to codes."""

import subprocess
import sys
import unicodedata

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.places.names import ATTRIBUTION, PlaceNames, fold
from headcount.snapshot import Place, PlaceName


@pytest.fixture
def names() -> PlaceNames:
    return PlaceNames()


class TestCountries:
    @pytest.mark.parametrize(
        ("code", "name"),
        [
            *(("DE", "Germany"), ("IR", "Iran"), ("KR", "South Korea"), ("KP", "North Korea"), ("TW", "Taiwan")),
            *(("BO", "Bolivia"), ("RU", "Russia"), ("SY", "Syria"), ("VN", "Vietnam"), ("TZ", "Tanzania")),
            *(("CD", "DR Congo"), ("CG", "Congo"), ("VA", "Vatican City"), ("GB", "United Kingdom")),
            *(("US", "United States"), ("CZ", "Czechia"), ("XK", "Kosovo"), ("PS", "Palestine"), ("MD", "Moldova")),
        ],
    )
    def test_the_name_is_the_short_one_in_use(self, names: PlaceNames, code: str, name: str) -> None:
        assert names.name(Place(code)) == PlaceName(name)

    def test_every_country_has_a_name_that_fits_a_cell(self, names: PlaceNames) -> None:
        for country in pycountry.countries:
            name = names.name(Place(country.alpha_2)).country
            assert 2 < len(name) <= 32
            assert "(" not in name
            assert "," not in name

    def test_a_code_that_nobody_gave_out_is_its_own_name(self, names: PlaceNames) -> None:
        assert names.name(Place("QQ")).country == "QQ"


class TestTheWholePlace:
    def test_three_parts(self, names: PlaceNames) -> None:
        assert names.name(Place("AU", "VIC", 2151718)) == PlaceName("Australia", "Victoria", "Research")

    def test_unknown_parts_have_no_name(self, names: PlaceNames) -> None:
        assert names.name(Place()) == PlaceName("", "", "")
        assert names.name(Place("DE", None, 2925533)) == PlaceName("Germany", "", "Frankfurt am Main")

    def test_what_no_table_has_is_called_by_its_code(self, names: PlaceNames) -> None:
        assert names.name(Place("DE", "ZZ", 99999999)) == PlaceName("Germany", "DE-ZZ", "city 99999999")

    @pytest.mark.parametrize(
        ("city", "name"),
        [(2643743, "London"), (1850147, "Tokyo"), (3448439, "São Paulo"), (5128581, "New York City"), (1, "city 1")],
    )
    def test_cities_by_geonames_id(self, names: PlaceNames, city: int, name: str) -> None:
        assert names.name(Place("GB", None, city)).city == name

    def test_the_source_of_the_cities_is_named(self) -> None:
        assert "GeoNames" in ATTRIBUTION
        assert "CC BY 4.0" in ATTRIBUTION


class TestLearning:
    """What a database calls a place comes first, and can be kept."""

    PLACE = Place("DE", "HE", 12345678)

    def test_learned_names_come_first(self, names: PlaceNames) -> None:
        assert names.name(self.PLACE) == PlaceName("Germany", "Hessen", "city 12345678")
        names.learn(self.PLACE, PlaceName("Allemagne", "Hesse", "Entenhausen"))
        assert names.name(self.PLACE) == PlaceName("Germany", "Hesse", "Entenhausen")
        assert names.name(Place("DE", "HE")) == PlaceName("Germany", "Hesse")

    def test_empty_names_and_unknown_parts_teach_nothing(self, names: PlaceNames) -> None:
        names.learn(self.PLACE, PlaceName())
        names.learn(Place("DE"), PlaceName("Germany", "Hesse", "Frankfurt"))
        names.learn(Place(None, "HE"), PlaceName("", "Hesse"))
        assert names.learned() == {}

    def test_names_are_cleaned(self, names: PlaceNames) -> None:
        names.learn(self.PLACE, PlaceName("", "He\x1b[31msse", "a\u202eb" + "x" * 1000))
        learned = names.name(self.PLACE)
        assert "\x1b" not in learned.subdivision
        assert "\u202e" not in learned.city
        assert len(learned.city) <= 200

    text = st.text(alphabet=st.characters(categories=["L", "N"]), max_size=20)
    places = st.builds(Place, st.sampled_from(["DE", "FR"]), st.sampled_from(["A", "B", None]), st.integers(1, 9))

    @given(st.dictionaries(places, st.builds(PlaceName, text, text, text)))
    def test_what_was_learned_can_be_kept_and_given_back(self, said: dict[Place, PlaceName]) -> None:
        first, second = PlaceNames(), PlaceNames()
        for place, name in said.items():
            first.learn(place, name)
        for place, name in first.learned().items():
            second.learn(place, name)
        assert second.learned() == first.learned()
        assert all(second.name(place) == first.name(place) for place in said)


class TestBackToCodes:
    """For databases that give names alone."""

    @pytest.mark.parametrize(
        ("country", "name", "code"),
        [
            *(
                ("DE", "Hessen", "HE"),
                ("US", "California", "CA"),
                ("US", " CALIFORNIA ", "CA"),
                ("FR", "Bretagne", "BRE"),
            ),
            *(("BR", "Sao Paulo", "SP"), ("BR", "São Paulo", "SP"), ("FR", "Ile de France", "IDF")),
            *(("ES", "Cataluña", "CT"), ("ES", "Catalunya", "CT"), ("BE", "Antwerpen", "VAN"), ("ES", "Madrid", "MD")),
            *(("DE", "Hesse", None), ("DE", "", None), ("DE", "California", None), ("ZZ", "Hessen", None)),
        ],
    )
    def test_subdivisions(self, names: PlaceNames, country: str, name: str, code: str | None) -> None:
        assert names.subdivision_code(country, name) == code

    def test_a_subdivision_is_found_by_its_own_name_unless_another_has_it_too(self, names: PlaceNames) -> None:
        for subdivision in pycountry.subdivisions.get(country_code="DE"):
            assert names.subdivision_code("DE", subdivision.name.upper()) == subdivision.code[3:]

    @pytest.mark.parametrize(
        ("country", "name", "city"),
        [
            *(("DE", "Frankfurt am Main", 2925533), ("DE", "frankfurt-am-main", 2925533), ("BR", "Sao Paulo", 3448439)),
            ("DE", "Frankfurt am Main (Innenstadt I)", 2925533),
            ("GB", "London", 2643743),
            ("CA", "London", 6058560),
            ("US", "Springfield", 4409896),  # the one in Missouri is the most populous of many
            *(("DE", "Gotham", None), ("DE", "", None), ("DE", "()", None), ("??", "London", None), ("D.", "x", None)),
        ],
    )
    def test_cities_by_name_the_most_populous_first(
        self, names: PlaceNames, country: str, name: str, city: int | None
    ) -> None:
        assert names.city_id(country, name) == city

    @given(st.text(max_size=30))
    def test_folding_twice_is_folding_once(self, name: str) -> None:
        assert fold(fold(name)) == fold(name)

    @given(st.text(alphabet=st.characters(categories=["Ll"], max_codepoint=0x24F), max_size=30))
    def test_case_and_accents_do_not_matter(self, name: str) -> None:
        assert fold(unicodedata.normalize("NFD", name)) == fold(name)


def test_the_tables_are_loaded_on_first_use_alone() -> None:
    code = (
        "import sys, headcount.places.lookup, headcount.places.names as names; "
        "assert 'pycountry' not in sys.modules and 'lupa' not in sys.modules; "
        "assert names._cities.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
