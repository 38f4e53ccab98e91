"""Where the countries are: the map of the world as dots, at any size. Pure functions of bundled data.

A cell of the terminal is two by four dots, as braille has them. The map is cylindrical. Where it has room in height
it grows towards the poles, from a plain map of degrees as far as Miller's projection.
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

ATTRIBUTION = "Map: made with Natural Earth, naturalearthdata.com"

_MIDDLE = 11.0  # the meridian in the map's middle: its edge then runs through the Bering Strait
_FILE_NORTH, _FILE_SOUTH = 84.0, -56.0  # degrees that the file covers
_NORTH, _SOUTH = 83.5, -56.0
_MILLER = 0.8  # Miller's projection is Mercator's of 0.8 of each latitude
_CELL = 2.0  # a cell of the terminal is this many times higher than wide
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

    def numbers_at(self, easts: Iterable[float], norths: Iterable[float]) -> list[bytes]:
        """A row for each of `norths`: the number of the country at each of `easts`, counted from 1; 0 for the sea."""
        columns = [int((east + 180) % 360 / 360 * self.across) for east in easts]
        rows = [int((_FILE_NORTH - north) / 360 * self.across) for north in norths]
        sea = bytes(self.across)
        lines = [
            self.raster[row * self.across : (row + 1) * self.across] if 0 <= row < self.down else sea for row in rows
        ]
        return [bytes(map(line.__getitem__, columns)) for line in lines]


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
        x = _across(at.east) - 180
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
    """The world in at most this many cells, or, enlarged `zoom` times, the piece of it around a point."""
    bend = _bend(width, height)
    high = _up(_NORTH, bend) - _up(_SOUTH, bend)
    shape = 360 / high * _CELL  # columns to a row
    columns = min(width, max(1, int(height * shape * _SLACK)))
    rows = min(height, max(1, math.ceil(columns / shape)))
    if zoom == 1 or at is None:
        return View(columns, rows, -180, 180, _up(_NORTH, bend), _up(_SOUTH, bend), bend)
    wide, high = 360 / zoom, high / zoom
    x = _across(at.east) - 180
    west = min(max(x - wide / 2, -180), 180 - wide)
    top = min(max(_up(at.north, bend) + high / 2, _up(_SOUTH, bend) + high), _up(_NORTH, bend))
    return View(columns, rows, west, west + wide, top, top - high, bend)


def _bend(width: int, height: int) -> float:
    """The stretching that makes the map as high as the room is, Miller's at the most."""
    wanted = 360 / (width / height / _CELL)
    steps = [index * _MILLER / 16 for index in range(17)]
    highs = [_up(_NORTH, bend) - _up(_SOUTH, bend) for bend in steps]
    return steps[min(bisect_left(highs, wanted), 16)]


class Part(NamedTuple):
    """What a country has of a cell: its number, and its dots, as the bits of a braille sign (U+2800 and on)."""

    number: int
    dots: int


Cell = tuple[Part, ...]
"""One cell of the map: the countries there, the one with the most dots first; of the others those that are not much
smaller."""


@lru_cache(maxsize=16)
def cells(view: View) -> tuple[tuple[Cell, ...], ...]:
    """The cells of the view, row by row."""
    dots = _dots(view)
    return tuple(
        tuple(_cell([row[2 * x : 2 * x + 2] for row in dots[top : top + len(_BRAILLE)]]) for x in range(view.width))
        for top in range(0, len(dots), len(_BRAILLE))
    )


# The bit of each dot of a braille sign, by row and column (Unicode, chapter 21).
_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def _cell(dots: Sequence[bytes]) -> Cell:
    if not any(map(any, dots)):
        return ()
    found: dict[int, int] = {}
    for row, bits in zip(dots, _BRAILLE, strict=True):
        for number, bit in zip(row, bits, strict=True):
            if number:
                found[number] = found.get(number, 0) | bit
    parts = sorted((Part(*item) for item in found.items()), key=lambda part: (-part.dots.bit_count(), part.number))
    return tuple(part for part in parts if part.dots.bit_count() * 2 >= parts[0].dots.bit_count())


def _dots(view: View) -> list[bytes]:
    """The number of the country at each dot, row by row, 0 for the sea: what most of four samples in it are."""
    down, across = view.height * len(_BRAILLE), view.width * 2
    wide, high = (view.east - view.west) / across, (view.top - view.bottom) / down
    easts = [_MIDDLE + view.west + wide * (x + part) for x in range(across) for part in (0.25, 0.75)]
    norths = [_north(view.top - high * (y + part), view.bend) for y in range(down) for part in (0.25, 0.75)]
    sampled = atlas().numbers_at(easts, norths)
    return [
        bytes(map(_most, upper[::2], upper[1::2], lower[::2], lower[1::2]))
        for upper, lower in zip(sampled[::2], sampled[1::2], strict=True)
    ]


@cache
def _most(*numbers: int) -> int:
    """What most of the samples are; the sea only where three of four are it."""
    land = [number for number in numbers if number]
    return max(land, key=land.count) if len(land) >= 2 else 0


@lru_cache(maxsize=16)
def owners(view: View, wanted: frozenset[str]) -> tuple[tuple[int, ...], ...]:
    """The number of the one country that each cell shows, 0 where there is none.

    A cell shows the country with the most dots in it, those wanted first. A country wanted that has no cell then,
    being small or among small ones, gets the nearest one that nobody else needs.
    """
    world = atlas()
    first = {world.numbers[code] for code in wanted if code in world.numbers}
    grid = [
        [next((part.number for part in cell if part.number in first), cell[0].number if cell else 0) for cell in row]
        for row in cells(view)
    ]
    left = Counter(number for row in grid for number in row)
    taken: set[tuple[int, int]] = set()
    for number in sorted(first, reverse=True):  # the smallest country first: it can be nowhere else
        at = view.cell_of(world.points[world.codes[number - 1]])
        if left[number] or at is None:
            continue
        for column, row in _around(at, view):
            owner = grid[row][column]
            if (column, row) not in taken and (owner not in first or left[owner] > 1):
                left[owner] -= 1
                left[number] += 1
                grid[row][column] = number
                taken.add((column, row))
                break
    return tuple(tuple(row) for row in grid)


def _around(at: tuple[int, int], view: View) -> Iterable[tuple[int, int]]:
    """The cells of the view around one, the nearest first, as far as they may still stand for what is there."""
    column, row = at
    reach = range(-_REACH, _REACH + 1)
    steps = sorted(((x, y) for x in reach for y in reach), key=lambda step: (step[0] ** 2 + 4 * step[1] ** 2, step))
    for x, y in steps:
        if 0 <= column + x < view.width and 0 <= row + y < view.height:
            yield column + x, row + y


_REACH = 3


class Direction(NamedTuple):
    """A step on the map."""

    right: int
    up: int


def nearest(start: Point, others: Iterable[tuple[str, Point]], direction: Direction) -> str | None:
    """The nearest of `others` that lies in that direction from `start`; None where none does.

    What lies straight ahead is nearer than what lies aside: going there and back finds most of what is around.
    """
    best: tuple[float, str] | None = None
    for code, point in others:
        x, y = _across(point.east) - _across(start.east), point.north - start.north
        ahead, aside = (x * direction.right, abs(y)) if direction.right else (y * direction.up, abs(x))
        if ahead > 0 and aside <= 2 * ahead:
            best = min(best or (math.inf, ""), (math.hypot(ahead, 2 * aside), code))
    return best[1] if best else None


def _across(east: float) -> float:
    """Degrees from the left edge of the map."""
    return (east - _MIDDLE + 180) % 360
