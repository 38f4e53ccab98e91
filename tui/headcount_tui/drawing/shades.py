"""In which of a few steps a number is, for what is shaded by users. Pure functions."""

from collections.abc import Sequence
from typing import NamedTuple

_NICE = (1, 2, 5)


class Steps(NamedTuple):
    """The least number of each step, ascending."""

    least: tuple[int, ...]

    def of(self, value: int | None) -> int:
        """The step of a number, counted from 1; 0 where it is less than the first, or not known."""
        return 0 if value is None else sum(value >= least for least in self.least)

    def ranges(self) -> list[tuple[int, int | None]]:
        """The least and the greatest number of each step; None: without end."""
        ends: Sequence[int | None] = [*(least - 1 for least in self.least[1:]), None]
        return list(zip(self.least, ends, strict=True))


def by_magnitude(values: Sequence[int], steps: int = 4) -> Steps:
    """Steps that each grow by about the same factor, two at the least, from 1 to the greatest of `values`, as finely as
    the least of them needs; at round numbers, so that they hardly move when a value does. Fewer for small values."""
    top, low = max(values, default=1), max(1, min(values, default=1))
    factor = max(2.0, (top / low) ** (1 / steps))
    found = {1} | {_nice_below(top / factor**back) for back in range(1, steps)}
    return Steps(tuple(sorted(found)))


def evenly(values: Sequence[int], steps: int = 4) -> Steps:
    """Steps of one width from the least of `values` to the greatest, but never less than a fortieth of the greatest
    wide: what hardly differs shall look it."""
    top = max(values, default=0)
    span = max(top - min(values, default=0), top / 10, steps)
    return Steps(tuple(round(top - span * (1 - index / steps)) for index in range(steps)))


def _nice_below(value: float) -> int:
    """The greatest of 1, 2, 5, 10, 20, … that is not above `value`."""
    power = 1
    while power * 10 <= value:
        power *= 10
    return max((nice * power for nice in _NICE if nice * power <= value), default=1)
