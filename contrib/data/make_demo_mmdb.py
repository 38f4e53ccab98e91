#!/usr/bin/env python3
"""Make core/headcount/data/demo.mmdb: the demo's own places, in the shape of a MaxMind City database.

    python contrib/data/make_demo_mmdb.py [FILE]

It holds the networks reserved for documentation alone, so it tells nothing about anyone. The same table
gives the same bytes. Needs mmdb-writer and the project itself, both there after `pip install -e '.[dev]'`.
"""

import sys
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from headcount.demo.places import COUNTRIES, Town, networks

DEFAULT = Path(__file__).parents[2] / "core/headcount/data/demo.mmdb"


class ReproducibleWriter(MMDBWriter):
    """Without the time of the build, which would make every build another file."""

    def _build_meta(self) -> dict[str, Any]:
        return super()._build_meta() | {"build_epoch": 1_700_000_000}


def record(town: Town) -> dict[str, Any]:
    """What a City database says of one of the town's networks."""
    country = {"iso_code": town.country, "names": {"en": COUNTRIES[town.country]}}
    found: dict[str, Any] = {"country": country, "registered_country": country}
    if town.subdivision is not None:
        found["subdivisions"] = [{"iso_code": town.subdivision, "names": {"en": town.subdivision_name}}]
    if town.city is not None:
        found["city"] = {"geoname_id": town.city, "names": {"en": town.city_name}}
    return found


def make(path: Path) -> None:
    """Write the database to `path`."""
    writer = ReproducibleWriter(
        ip_version=6,
        ipv4_compatible=True,
        database_type="Headcount-Demo-City",
        languages=["en"],
        description="Invented: documentation networks spread over real towns, for headcount demo",
    )
    for town, blocks in networks():
        writer.insert_network(IPSet([str(block) for block in blocks]), record(town))
    writer.to_db_file(str(path))


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
