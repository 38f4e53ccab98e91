"""What a record of a GeoIP database says of a place, whoever made the database.

The record's own shape decides, not the file's name: MaxMind's City and Country, DB-IP's City Lite, and
ip-location-db's flat records are all read here. A database is outside data: nothing in it is trusted.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from headcount.text import clean

_COUNTRY = re.compile(r"[A-Za-z]{2}", re.ASCII)
_SUBDIVISION = re.compile(r"[A-Za-z0-9]{1,3}", re.ASCII)
# ISO 3166-1 leaves ZZ to its users, and the registries write it where they do not know.
_UNKNOWN_COUNTRY = "ZZ"
# geonames ids are far below; a larger number is damage, and would not fit the state's integers.
_LARGEST_CITY = 2**31 - 1
# Far more than any place's name has; a damaged one may be as long as the file.
_LONGEST_NAME = 1000


class Sighting(NamedTuple):
    """What one record says: codes and names side by side, None where it says nothing (or nonsense)."""

    country: str | None = None
    subdivision: str | None = None
    city: int | None = None
    subdivision_name: str | None = None
    city_name: str | None = None


def read_record(record: object) -> Sighting:
    """What `record` says of a place. Never raises: a part of a wrong type or form is unknown.

    Shapes: `country.iso_code` (else `registered_country.iso_code`), `subdivisions[0].iso_code` (the choice of
    mod_monthly_visitors), `city.geoname_id`, with their `names.en`; or flat `country_code`, `state1`, `city`.
    """
    if not isinstance(record, Mapping):
        return Sighting()
    if "country_code" in record:
        return Sighting(
            country=_country(record["country_code"]),
            subdivision_name=_name(record.get("state1")),
            city_name=_name(record.get("city")),
        )
    country = _country(_part(record, "country").get("iso_code"))
    if country is None:
        country = _country(_part(record, "registered_country").get("iso_code"))
    if "city" not in record and "subdivisions" not in record:
        return Sighting(country)
    subdivisions = record.get("subdivisions")
    first = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else None
    subdivision = first if isinstance(first, Mapping) else {}
    city = _part(record, "city")
    return Sighting(
        country=country,
        subdivision=_subdivision(subdivision.get("iso_code")),
        city=_city(city.get("geoname_id")),
        subdivision_name=_english(subdivision),
        city_name=_english(city),
    )


def knows_countries(record: object) -> bool:
    """Whether `record` has a place's shape at all (a network operator's record has not)."""
    return isinstance(record, Mapping) and any(
        key in record for key in ("country", "registered_country", "country_code")
    )


def knows_cities(record: object) -> bool:
    """Whether `record` says more than the country."""
    return isinstance(record, Mapping) and any(key in record for key in ("city", "subdivisions", "state1"))


def knows_networks(record: object) -> bool:
    """Whether `record` names a network's operator, as the ASN databases do."""
    return isinstance(record, Mapping) and "autonomous_system_number" in record


def _part(record: Mapping[object, object], key: str) -> Mapping[object, object]:
    part = record.get(key)
    return part if isinstance(part, Mapping) else {}


def _country(code: object) -> str | None:
    if not isinstance(code, str) or not _COUNTRY.fullmatch(code):
        return None
    code = code.upper()
    return None if code == _UNKNOWN_COUNTRY else code


def _subdivision(code: object) -> str | None:
    return code.upper() if isinstance(code, str) and _SUBDIVISION.fullmatch(code) else None


def _city(number: object) -> int | None:
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return number if 0 < number <= _LARGEST_CITY else None


def _name(name: object) -> str | None:
    return clean(name[:_LONGEST_NAME].strip()) or None if isinstance(name, str) else None


def _english(part: Mapping[object, object]) -> str | None:
    """The English name of a part, else None: another language would not be found in any table."""
    return _name(_part(part, "names").get("en"))
