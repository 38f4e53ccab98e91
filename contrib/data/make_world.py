"""Makes tui/headcount_tui/data/world.xz: which country is where, for the map of the world.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    pip install pycountry
    python contrib/data/make_world.py package/countries-10m.json

The outlines are Natural Earth's (1:10m, admin 0, version 4.1; public domain), which npm package world-atlas
brings as TopoJSON. The file that is made of them is, compressed with xz,

    a line of text for each country: its ISO 3166-1 code, the longitude and the latitude of a point in it,
    an empty line,
    and a byte for each STEP degrees, row by row from north to south, each from west to east:
    0 for the sea, else the number of the country's line, counted from 1.

The largest country comes first. A country that is too small for any byte has its line all the same.
"""

import json
import lzma
import math
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pycountry

Ring = list[tuple[float, float]]
Polygon = list[Ring]

STEP = 0.25
NORTH, SOUTH = 84.0, -56.0  # what lies beyond has no users, or is Antarctica
WIDTH, HEIGHT = round(360 / STEP), round((NORTH - SOUTH) / STEP)
FILE = Path(__file__).parents[2] / "tui/headcount_tui/data/world.xz"

# What has no number of ISO's: the country whose addresses are used there. All others without one are uninhabited.
NAMED = {
    "Akrotiri": "CY",
    "Baikonur": "KZ",
    "Cyprus U.N. Buffer Zone": "CY",
    "Dhekelia": "CY",
    "Indian Ocean Ter.": "CX",
    "Kosovo": "XK",
    "N. Cyprus": "CY",
    "Somaliland": "SO",
    "USNB Guantanamo Bay": "CU",
}

# Natural Earth counts these to the country that they belong to; ISO has codes for them.
# Code of the whole, code of the part, and the box it lies in: west, south, east, north.
PARTS = (
    ("FR", "GF", (-55, 2, -51, 6)),
    ("FR", "GP", (-62, 15.7, -60.9, 16.6)),
    ("FR", "MQ", (-61.3, 14.3, -60.7, 15)),
    ("FR", "RE", (55, -21.5, 56, -20.7)),
    ("FR", "YT", (45, -13.1, 45.4, -12.5)),
    ("NL", "BQ", (-68.5, 12, -68.1, 12.4)),
    ("NL", "BQ", (-63.3, 17.4, -62.9, 17.7)),
    ("NO", "BV", (3, -55, 4, -54)),
    ("NO", "SJ", (10, 74, 35, 81)),
    ("NO", "SJ", (-10, 70, -7, 72)),
    ("NZ", "TK", (-173, -9.6, -171, -8.4)),
    ("CX", "CC", (96, -13, 98, -11)),
)


def rings_of(atlas: dict[str, Any]) -> list[Ring]:
    """The arcs of the atlas, in degrees (https://github.com/topojson/topojson-specification, 2.1.3)."""
    (by_x, by_y), (from_x, from_y) = atlas["transform"]["scale"], atlas["transform"]["translate"]
    arcs = []
    for steps in atlas["arcs"]:
        x = y = 0
        arc = []
        for right, up in steps:
            x, y = x + right, y + up
            arc.append((x * by_x + from_x, y * by_y + from_y))
        arcs.append(arc)
    return arcs


def polygons_of(geometry: dict[str, Any], arcs: list[Ring]) -> list[Polygon]:
    """The polygons of one country, each its outline and its holes."""
    many = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    return [
        [unrolled([at for arc in ring for at in (arcs[arc] if arc >= 0 else arcs[~arc][::-1])]) for ring in polygon]
        for polygon in many
    ]


def unrolled(ring: Ring) -> Ring:
    """The ring without leaps: where it crosses the 180th meridian, its longitudes go on."""
    turn, before, found = 0, ring[0][0], []
    for x, y in ring:
        turn += -360 if x - before > 180 else 360 if before - x > 180 else 0
        found.append((x + turn, y))
        before = x
    return found


def area_and_middle(ring: Ring) -> tuple[float, float, float]:
    """The area of a ring in square degrees, and its centre of gravity."""
    area = x = y = 0.0
    (left, low) = ring[0]  # near the ring: the sums of what lies far off lose their last digits
    for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = (x0 - left) * (y1 - low) - (x1 - left) * (y0 - low)
        area += cross / 2
        x += (x0 + x1 - 2 * left) * cross / 6
        y += (y0 + y1 - 2 * low) * cross / 6
    if not area:
        return 0.0, left, low
    return abs(area), left + x / area, low + y / area


def countries_of(atlas: dict[str, Any]) -> dict[str, list[Polygon]]:
    """ISO code -> polygons."""
    codes = {country.numeric: country.alpha_2 for country in pycountry.countries}
    arcs = rings_of(atlas)
    found: dict[str, list[Polygon]] = defaultdict(list)
    for geometry in atlas["objects"]["countries"]["geometries"]:
        name = geometry["properties"]["name"]
        code = codes.get(geometry.get("id", "")) or NAMED.get(name)
        if code is None or code == "AQ":
            print(f"left out: {name}")
            continue
        for polygon in polygons_of(geometry, arcs):
            _, x, y = area_and_middle(polygon[0])
            part = next((p for whole, p, (w, s, e, n) in PARTS if whole == code and w <= x <= e and s <= y <= n), code)
            found[part].append(polygon)
    return found


def paint(raster: bytearray, polygon: Polygon, number: int) -> None:
    """Set the bytes whose middles lie in the polygon."""
    crossings: dict[int, list[float]] = defaultdict(list)
    for ring in polygon:
        for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
            (low_x, low_y), (high_x, high_y) = ((x0, y0), (x1, y1)) if y0 < y1 else ((x1, y1), (x0, y0))
            first = max(0, int((NORTH - high_y) / STEP) - 1)
            for row in range(first, min(HEIGHT, int((NORTH - low_y) / STEP) + 2)):
                y = NORTH - (row + 0.5) * STEP
                if low_y <= y < high_y:
                    crossings[row].append(low_x + (y - low_y) / (high_y - low_y) * (high_x - low_x))
    for row, found in crossings.items():
        found.sort()
        for west, east in zip(found[::2], found[1::2], strict=True):
            # The middles at (column + 0.5) * STEP that lie between the two.
            for column in range(math.ceil((west + 180) / STEP - 0.5), math.ceil((east + 180) / STEP - 0.5)):
                raster[row * WIDTH + column % WIDTH] = number


def point_in(polygons: list[Polygon], raster: bytearray, number: int) -> tuple[float, float]:
    """The point of the country nearest to the middle of its largest polygon; that middle where it has no byte."""
    _, x, y = max(area_and_middle(polygon[0]) for polygon in polygons)
    cells = [(index % WIDTH, index // WIDTH) for index, owner in enumerate(raster) if owner == number]
    middles = [(-180 + (column + 0.5) * STEP, NORTH - (row + 0.5) * STEP) for column, row in cells]
    return min(middles, key=lambda at: (at[0] - x) ** 2 + (at[1] - y) ** 2, default=(x, y))


def main() -> None:
    countries = countries_of(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    size = {code: sum(area_and_middle(p[0])[0] for p in polygons) for code, polygons in countries.items()}
    order = sorted(countries, key=lambda code: -size[code])
    raster = bytearray(WIDTH * HEIGHT)
    for number, code in enumerate(order, start=1):  # the small ones last, so that they lie on top
        for polygon in countries[code]:
            paint(raster, polygon, number)
    lines = []
    for number, code in enumerate(order, start=1):
        x, y = point_in(countries[code], raster, number)
        lines.append(f"{code} {x:.2f} {y:.2f}\n")
    packed = lzma.compress("".join(lines).encode("ascii") + b"\n" + raster, preset=9 | lzma.PRESET_EXTREME)
    FILE.write_bytes(packed)
    print(f"{FILE.name}: {len(order)} countries, {len(packed)} bytes")


if __name__ == "__main__":
    main()
