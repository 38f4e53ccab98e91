"""A table of users folded, so that every group that is shown is empty or has enough users: the tree, and its forks.

Why nothing that is hidden follows from what is shown is shown in `anonymity`.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from headcount.snapshot import OTHER, Cell, Place

Counts = tuple[int, ...]
"""How many users a group has, in columns that have no user in common."""


class _Fork(NamedTuple):
    """One level of the tree: which branch a cell is in, and the cell that its users are shown in when that folds."""

    branch: Callable[[Cell], Hashable]
    fold: Callable[[Cell], Cell]


def _region(place: Place) -> Place:
    """The subdivision that a place is in, or the place itself where none is known."""
    return place if place.subdivision is None else Place(place.country, place.subdivision)


_TREE = (
    _Fork(lambda cell: cell.place.country, lambda cell: Cell(Place(OTHER), cell.client)),
    _Fork(lambda cell: cell.client, lambda cell: Cell(cell.place, OTHER)),
    _Fork(lambda cell: _region(cell.place), lambda cell: Cell(Place(cell.place.country), cell.client)),
    _Fork(lambda cell: cell.place, lambda cell: Cell(_region(cell.place), cell.client)),
)


def folded_counts(cells: Mapping[Cell, int], min_count: int) -> dict[Cell, int]:
    single = folded({cell: (users,) for cell, users in cells.items()}, min_count)
    return {cell: users for cell, (users,) in single.items()}


def folded(cells: Mapping[Cell, Counts], min_count: int, tree: tuple[_Fork, ...] = _TREE) -> dict[Cell, Counts]:
    """The users parted again, so that every column of every cell is 0 or at least `min_count`, as those of all are."""
    if not tree:
        return {cell: counts for cell, counts in cells.items() if any(counts)}
    fork, *finer = tree
    branches: dict[Hashable, dict[Cell, Counts]] = {}
    for cell, counts in cells.items():
        branches.setdefault(fork.branch(cell), {})[cell] = counts
    sizes = {branch: sum_columns(of_branch.values()) for branch, of_branch in branches.items()}
    rest: dict[Cell, Counts] = {}
    for branch in _too_small(sizes, {fork.branch(fork.fold(cell)) for cell in cells}, min_count):
        for cell, counts in branches.pop(branch).items():
            at = fork.fold(cell)
            rest[at] = sum_columns([rest[at], counts]) if at in rest else counts
    result = folded(rest, min_count, tuple(finer)) if rest else {}
    for of_branch in branches.values():
        result |= folded(of_branch, min_count, tuple(finer))
    return result


def _too_small(sizes: Mapping[Hashable, Counts], rest: Collection[Hashable], min_count: int) -> set[Hashable]:
    """The branches that fold: those with too few, those that are in the rest anyway, and as many others as it takes,
    the smallest first, for the rest to be large enough."""
    folded = {branch for branch, counts in sizes.items() if branch in rest or _lacking(counts, min_count)}
    while lacking := _lacking(sum_columns(sizes[branch] for branch in folded), min_count):
        others = [branch for branch in sizes if branch not in folded and any(sizes[branch][i] for i in lacking)]
        if not others:
            break
        folded.add(min(others, key=lambda branch: (sum(sizes[branch]), str(branch))))
    return folded


def _lacking(counts: Counts, min_count: int) -> list[int]:
    """The columns in which there are some users, but too few."""
    return [index for index, users in enumerate(counts) if not is_enough(users, min_count)]


def is_enough(users: int, min_count: int) -> bool:
    return users == 0 or users >= min_count


def is_apart(users: int, others: Iterable[int], min_count: int) -> bool:
    """Whether a total can be shown beside others that may be parts of it, or it of them."""
    return all(is_enough(abs(users - other), min_count) for other in (0, *others))


def differences(nested: list[int]) -> Counts:
    return tuple(outer - inner for inner, outer in pairwise([0, *nested]))


def sum_columns(groups: Iterable[Counts]) -> Counts:
    return tuple(map(sum, zip(*groups, strict=True)))
