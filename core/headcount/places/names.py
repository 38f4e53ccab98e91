"""The names of places, offline: countries and subdivisions by ISO 3166, cities by their geonames id.

And back again, for databases that give names alone. Every table is loaded on its first use.
"""

import importlib.resources
import lzma
import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from headcount.snapshot import Place, PlaceName
from headcount.text import clean

ATTRIBUTION = "City names: GeoNames, geonames.org, CC BY 4.0"

# Where ISO's name is for a treaty rather than a table's cell, and codes that ISO does not have (any more)
# but databases do. All other names come from ISO 3166-1, its common name first.
_SHORT_COUNTRIES = {
    "AN": "Netherlands Antilles",
    "AP": "Asia/Pacific",
    "BN": "Brunei",
    "BQ": "Caribbean Netherlands",
    "CC": "Cocos Islands",
    "CD": "DR Congo",
    "CG": "Congo",
    "EU": "Europe",
    "FK": "Falkland Islands",
    "FM": "Micronesia",
    "GS": "South Georgia",
    "HM": "Heard and McDonald Islands",
    "MF": "Saint Martin",
    "PS": "Palestine",
    "RU": "Russia",
    "SH": "Saint Helena",
    "SX": "Sint Maarten",
    "TF": "French Southern Lands",
    "TR": "Turkey",
    "UM": "U.S. Outlying Islands",
    "VA": "Vatican City",
    "VG": "British Virgin Islands",
    "VI": "U.S. Virgin Islands",
    "XK": "Kosovo",
}


class PlaceNames:
    """Names of places, from the tables and from what databases called them.

    A database's English names come first, since ISO's are in the country's own languages (Hessen, not Hesse)
    and the table of cities has no village under 1000 inhabitants.
    """

    def __init__(self) -> None:
        self._subdivisions: dict[tuple[str, str], str] = {}
        self._cities: dict[int, str] = {}

    def name(self, place: Place) -> PlaceName:
        """The names of the three parts of `place`, "" where a part is unknown.

        A part without a known name is called by its code: the country's two letters, `DE-HE`, `city 2925533`.
        """
        country, subdivision, city = place
        return PlaceName(
            _country_name(country) if country else "",
            self._subdivision_name(country, subdivision) if country and subdivision else "",
            (self._cities.get(city) or _city_name(city)) if city else "",
        )

    def _subdivision_name(self, country: str, subdivision: str) -> str:
        return self._subdivisions.get((country, subdivision)) or _iso_subdivision_name(country, subdivision)

    def learn(self, place: Place, name: PlaceName) -> None:
        """Keep what a database calls the subdivision and the city of `place`; empty names are left out.

        The name of a country is not learned: those that the tables have are shorter, and they have all.
        """
        if place.country and place.subdivision and name.subdivision:
            self._subdivisions[place.country, place.subdivision] = clean(name.subdivision)
        if place.city and name.city:
            self._cities[place.city] = clean(name.city)

    def learned(self) -> Mapping[Place, PlaceName]:
        """All that was learned, to be kept and given to `learn` again: an entry a subdivision, one a city."""
        subdivisions = {
            Place(country, code): PlaceName(subdivision=name) for (country, code), name in self._subdivisions.items()
        }
        cities = {Place(city=city): PlaceName(city=name) for city, name in self._cities.items()}
        return subdivisions | cities

    def subdivision_code(self, country: str, name: str) -> str | None:
        """The suffix of the ISO 3166-2 code of the subdivision called `name`, None where none or several are.

        Compared without case, accents and punctuation. ISO has the names in the country's own languages, so
        English names that differ (Hesse) are not found.
        """
        return _subdivision_codes(country).get(fold(name))

    def city_id(self, country: str, name: str) -> int | None:
        """The geonames id of the city called `name`, the most populous of them; None where there is none.

        Compared as subdivisions are; a district in brackets (`Frankfurt am Main (Innenstadt)`) is left out.
        """
        cities = _city_ids(country)
        return cities.get(fold(name)) or cities.get(fold(re.sub(r"\s*\(.*\)$", "", name)))


@lru_cache(maxsize=65536)
def fold(name: str) -> str:
    """`name` without case, accents, punctuation and doubled blanks: what is alike here is the same name."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", plain.casefold()).strip()


def _iso() -> Any:
    """pycountry, whose tables are read on first use; nothing needs them to count."""
    import pycountry

    return pycountry


@cache
def countries() -> Mapping[str, str]:
    """The name of every country that there is, by its code."""
    codes = {*_SHORT_COUNTRIES, *(country.alpha_2 for country in _iso().countries)}
    return {code: _country_name(code) for code in sorted(codes)}


@cache
def _country_name(code: str) -> str:
    if code in _SHORT_COUNTRIES:
        return _SHORT_COUNTRIES[code]
    country = _iso().countries.get(alpha_2=code)
    return clean(getattr(country, "common_name", "") or country.name) if country else clean(code)


@lru_cache(maxsize=8192)
def _iso_subdivision_name(country: str, subdivision: str) -> str:
    code = f"{country}-{subdivision}"
    found = _iso().subdivisions.get(code=code)
    return clean(found.name if found else code)


@lru_cache(maxsize=64)
def _subdivision_codes(country: str) -> Mapping[str, str]:
    """Folded name -> code of a country's subdivisions. Regions come before the provinces within them.

    ISO writes other names of the same in brackets or after a dash: `Catalunya [Cataluña]`, `Bolzano - Bozen`.
    """
    regions: dict[str, set[str]] = {}
    provinces: dict[str, set[str]] = {}
    for subdivision in _iso().subdivisions.get(country_code=country) or ():
        codes = provinces if subdivision.parent_code else regions
        for name in (subdivision.name, *re.split(r"[\[\]()/,]| - ", subdivision.name)):
            if fold(name):
                codes.setdefault(fold(name), set()).add(subdivision.code.partition("-")[2])
    return {name: codes.pop() for name, codes in {**provinces, **regions}.items() if len(codes) == 1}


@cache
def _cities() -> bytes:
    """The table of cities (see data/ATTRIBUTION.md): lines of id, country, rank and name, sorted by id.

    It is searched as it is: about 4 MB, where a dictionary of it would take 30.
    """
    with (importlib.resources.files("headcount") / "data" / "cities.tsv.xz").open("rb") as file:
        return lzma.decompress(file.read())


@lru_cache(maxsize=65536)
def _city_name(city: int) -> str:
    table = _cities()
    low, high = 0, len(table)
    while low < high:  # the line looked for begins in [low, high)
        start = table.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = table.index(b"\n", start)
        number, _, _, name = table[start:end].split(b"\t")
        if int(number) == city:
            return clean(name)
        if int(number) < city:
            low = end + 1
        else:
            high = start
    return f"city {city}"


@lru_cache(maxsize=64)
def _city_ids(country: str) -> Mapping[str, int]:
    """Folded name -> id of a country's cities; of namesakes the most populous, whose rank is empty."""
    if not re.fullmatch("[A-Z]{2}", country):
        return {}
    rows = re.findall(rb"^(\d+)\t%b\t\t(.*)$" % country.encode("ascii"), _cities(), re.MULTILINE)
    return {fold(name.decode("utf-8")): int(number) for number, name in rows}
