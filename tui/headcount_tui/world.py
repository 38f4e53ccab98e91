"""Where the countries are: the map of the world as dots, at any size. Pure functions of bundled data.

A cell of the terminal is DOTS_ACROSS by DOTS_DOWN dots, as braille has them. The map is cylindrical. Where it has
room in height it grows towards the poles, from a plain map of degrees as far as Miller's projection.
"""

import importlib.resources
import lzma
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

DOTS_ACROSS, DOTS_DOWN = 2, 4
_MIDDLE = 11.0  # the meridian in the map's middle: its edge then runs through the Bering Strait
_NORTH, _SOUTH = 83.5, -56.0
_MILLER = 0.8  # Miller's projection is Mercator's of 0.8 of each latitude
_CELL = 2.0  # a cell of the terminal is so many times higher than wide
_SLACK = 1.15  # how much wider than true the map may be drawn, to fill a flat panel


class Point(NamedTuple):
    """Degrees east and north."""

    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Atlas:
    """The bundled data (contrib/data/make_world.py says how they lie in the file), a country's number by its code."""

    codes: tuple[str, ...]
    points: dict[str, Point]
    numbers: dict[str, int]
    raster: bytes
    across: int
    down: int

    def number_at(self, east: float, north: float) -> int:
        """The number of the country there, counted from 1; 0 for the sea."""
        column = int((east + 180) % 360 / 360 * self.across)
        row = int((_FILE_NORTH - north) / 360 * self.across)
        return self.raster[row * self.across + column] if 0 <= row < self.down else 0


_FILE_NORTH, _FILE_SOUTH = 84.0, -56.0


@cache
def atlas() -> Atlas:
    """The data, read on first use."""
    packed = (importlib.resources.files("headcount_tui") / "data" / "world.xz").read_bytes()
    text, _, raster = lzma.decompress(packed).partition(b"\n\n")
    lines = [line.split() for line in text.decode("ascii").splitlines()]
    codes = tuple(code for code, _, _ in lines)
    # across * down bytes of 360 by 140 degrees
    across = round(math.sqrt(len(raster) * 360 / (_FILE_NORTH - _FILE_SOUTH)))
    return Atlas(
        codes,
        {code: Point(float(east), float(north)) for code, east, north in lines},
        {code: number for number, code in enumerate(codes, start=1)},
        raster,
        across,
        len(raster) // across,
    )


class View(NamedTuple):
    """A piece of the map in `width` by `height` cells. West, east: degrees from the middle meridian; top, bottom: of
    the projection, which is stretched towards the poles by `bend` (0: not at all)."""

    width: int
    height: int
    west: float
    east: float
    top: float
    bottom: float
    bend: float

    def cell_of(self, at: Point) -> tuple[int, int] | None:
        """The column and the row of a point; None where it is beyond the edge."""
        x = (at.east - _MIDDLE + 180) % 360 - 180
        column = math.floor((x - self.west) / (self.east - self.west) * self.width)
        row = math.floor((self.top - _up(at.north, self.bend)) / (self.top - self.bottom) * self.height)
        return (column, row) if 0 <= column < self.width and 0 <= row < self.height else None


def _up(north: float, bend: float) -> float:
    """How far up a latitude is drawn, in degrees at the equator."""
    if not bend:
        return north
    return math.degrees(math.log(math.tan(math.pi / 4 + math.radians(bend * north) / 2)) / bend)


def _north(up: float, bend: float) -> float:
    """The inverse of `_up`."""
    if not bend:
        return up
    return math.degrees(2 * math.atan(math.exp(bend * math.radians(up))) - math.pi / 2) / bend


@lru_cache(maxsize=32)
def view(width: int, height: int, zoom: int = 1, at: Point | None = None) -> View:
    """The world in at most so many cells, or, enlarged `zoom` times, the piece of it around a point."""
    bend = _bend(width, height)
    high = _up(_NORTH, bend) - _up(_SOUTH, bend)
    shape = 360 / high * _CELL  # columns to a row
    columns = min(width, max(1, int(height * shape * _SLACK)))
    rows = min(height, max(1, math.ceil(columns / shape)))
    if zoom == 1 or at is None:
        return View(columns, rows, -180, 180, _up(_NORTH, bend), _up(_SOUTH, bend), bend)
    wide, high = 360 / zoom, high / zoom
    x = (at.east - _MIDDLE + 180) % 360 - 180
    west = min(max(x - wide / 2, -180), 180 - wide)
    top = min(max(_up(at.north, bend) + high / 2, _up(_SOUTH, bend) + high), _up(_NORTH, bend))
    return View(columns, rows, west, west + wide, top, top - high, bend)


def _bend(width: int, height: int) -> float:
    """The stretching that makes the map as high as the room is, Miller's at the most."""
    wanted = 360 / (width / height / _CELL)
    steps = [index * _MILLER / 16 for index in range(17)]
    highs = [_up(_NORTH, bend) - _up(_SOUTH, bend) for bend in steps]
    return steps[min(bisect_left(highs, wanted), 16)]


Dots = tuple[bytes, ...]


@lru_cache(maxsize=16)
def dots(view: View) -> Dots:
    """The number of the country at each dot of the view, row by row; 0 for the sea."""
    world = atlas()
    across, down = view.width * DOTS_ACROSS, view.height * DOTS_DOWN
    columns = [_MIDDLE + view.west + (x + part) / across * (view.east - view.west) for x in range(across) for part in (0.25, 0.75)]
    rows = []
    for y in range(down):
        norths = [_north(view.top - (y + part) / down * (view.top - view.bottom), view.bend) for part in (0.25, 0.75)]
        upper, lower = ([world.number_at(east, north) for east in columns] for north in norths)
        rows.append(bytes(_most(upper[x], upper[x + 1], lower[x], lower[x + 1]) for x in range(0, 2 * across, 2)))
    return tuple(rows)


def _most(*numbers: int) -> int:
    """What most of the samples are; the sea only where three of four are it."""
    land = [number for number in numbers if number]
    return max(land, key=land.count) if len(land) >= 2 else 0
