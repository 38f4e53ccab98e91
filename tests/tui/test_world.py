"""The map's geometry: every country is at its place, at every size."""

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount_tui.drawing.atlas import Direction, Point, atlas, cells, nearest, owners, view

SIZES = [(24, 3), (40, 6), (58, 9), (78, 12), (98, 17), (138, 31), (56, 14), (300, 80)]
ALL = frozenset(country.alpha_2 for country in pycountry.countries) | {"XK"}
EUROPE = frozenset(["DE", "FR", "GB", "NL", "IT", "PL", "SE", "CH", "AT", "MT", "LU", "AD", "SG", "HK", "NR"])
points = st.builds(Point, st.floats(-180, 180), st.floats(-55, 80))
directions = st.sampled_from([Direction(1, 0), Direction(-1, 0), Direction(0, 1), Direction(0, -1)])


def test_every_country_but_antarctica_is_in_the_data() -> None:
    assert ALL - atlas().numbers.keys() == {"AQ"}
    assert len(atlas().codes) == len(set(atlas().codes)) <= 255


def number_at(east: float, north: float) -> int:
    return atlas().numbers_at([east], [north])[0][0]


@pytest.mark.parametrize(
    ("code", "east", "north"),
    [
        ("DE", 13.4, 52.5),
        ("FR", 2.3, 48.9),
        ("NO", 9.0, 61.0),
        ("XK", 21.1, 42.6),
        ("GF", -53.0, 4.0),
        ("SJ", 17.0, 78.0),
        ("RU", -173.0, 66.5),  # beyond the 180th meridian
        ("SO", 44.5, 9.5),
        ("CY", 33.2, 35.1),
        ("", -30.0, 40.0),
        ("", 50.9, 42.0),
    ],
)
def test_who_is_where(code: str, east: float, north: float) -> None:
    number = number_at(east, north)
    assert (atlas().codes[number - 1] if number else "") == code


def test_a_country_is_at_its_own_point() -> None:
    at_home = [code for code, at in atlas().points.items() if number_at(*at) == atlas().numbers[code]]
    assert len(at_home) > 200
    # The others are too small for a byte: their line tells where they are all the same.
    for code, (east, north) in {"MC": (7.4, 43.7), "VA": (12.5, 41.9), "TV": (179.2, -8.5)}.items():
        assert abs(atlas().points[code].east - east) < 1
        assert abs(atlas().points[code].north - north) < 1


@pytest.mark.parametrize("size", SIZES)
def test_the_map_fits_its_room_and_is_not_squeezed(size: tuple[int, int]) -> None:
    found = view(*size)
    assert found.width <= size[0]
    assert found.height <= size[1]
    assert 3.9 <= found.width / found.height <= 8
    grid = cells(found)
    assert len(grid) == found.height
    assert {len(row) for row in grid} == {found.width}


@pytest.mark.parametrize("size", SIZES[2:])
def test_whoever_has_users_has_a_cell_near_its_place(size: tuple[int, int]) -> None:
    here = view(*size)
    grid = owners(here, EUROPE)
    for code in EUROPE:
        own = [(x, y) for y, row in enumerate(grid) for x, number in enumerate(row) if number == atlas().numbers[code]]
        at = here.cell_of(atlas().points[code])
        assert at is not None
        assert min(max(abs(x - at[0]), abs(y - at[1])) for x, y in own) <= 3, code


def test_all_the_world_has_cells() -> None:
    here = view(138, 31)
    shown = {number for row in owners(here, ALL) for number in row} - {0}
    assert {atlas().codes[number - 1] for number in shown} == ALL - {"AQ"}


def test_without_users_the_land_is_there_all_the_same() -> None:
    grid = owners(view(98, 17), frozenset())
    assert sum(number > 0 for row in grid for number in row) > 400


def test_enlarged_it_is_a_piece_around_a_point() -> None:
    paris = Point(2.3, 48.9)
    for zoom in (2, 4, 8):
        here = view(98, 17, zoom, paris)
        assert here.east - here.west == 360 / zoom
        assert here.cell_of(paris) is not None
        assert here.cell_of(Point(-100, 40)) is None or zoom == 2
    corner = view(98, 17, 8, Point(-170, -50))
    assert corner.west >= -180
    assert corner.cell_of(Point(-170, -50)) is not None


@given(points, st.lists(st.tuples(st.text(min_size=2, max_size=2), points), max_size=20), directions)
def test_the_light_moves_in_its_direction_or_not_at_all(
    start: Point, others: list[tuple[str, Point]], direction: Direction
) -> None:
    found = nearest(start, others, direction)
    if found is not None:
        ends = [point for code, point in others if code == found]
        if direction.up:
            assert any((point.north - start.north) * direction.up > 0 for point in ends)
        else:  # as the map has it, whose edge runs through the Bering Strait
            here, there = (start.east + 169) % 360, [(point.east + 169) % 360 for point in ends]
            assert any((east - here) * direction.right > 0 for east in there)


def test_left_of_germany_is_no_country_of_the_south() -> None:
    around = [(code, atlas().points[code]) for code in ("FR", "NL", "PL", "BR", "ZA", "SE")]
    home = atlas().points["DE"]
    assert nearest(home, around, Direction(-1, 0)) == "NL"
    assert nearest(home, around, Direction(1, 0)) == "PL"
    assert nearest(home, around, Direction(0, 1)) == "SE"
    assert nearest(home, around[:2], Direction(1, 0)) is None


@given(st.integers(1, 200), st.integers(1, 60))
def test_any_size_has_a_map(width: int, height: int) -> None:
    here = view(width, height)
    assert 1 <= here.width <= width
    assert 1 <= here.height <= height
