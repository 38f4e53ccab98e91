"""Who was counted in an open month, and where, as long as a login record may still tell it better.

A user is known here by the first 64 bits of the month's hash (`month_hashes`), and takes 16 bytes. The state keeps
the whole hash. Two users who share 64 bits are one: that any two of a million do happens on one server in
thirty-seven million.
"""

import operator
import sys
from array import array
from collections.abc import Callable, Sequence
from enum import Enum
from itertools import compress
from struct import Struct
from typing import Final

from headcount.compact_map import CompactMap
from headcount.counting.month_hashes import HASH_SIZE
from headcount.snapshot import Cell

_FIRST_BITS: Final = Struct(">Q").unpack_from


class How(Enum):
    """How a user was counted who is not to be moved: `FINAL` by us, `MARKED` by mod_monthly_visitors."""

    FINAL = "final"
    MARKED = "marked"


class Counted:
    """Users by their hashes, each with how they were counted: a cell for one who may still be moved to another."""

    __slots__ = ("_hows", "_numbers", "_users")

    def __init__(self) -> None:
        self._users = CompactMap()
        self._hows: list[Cell | How] = []
        self._numbers: dict[Cell | How, int] = {}

    def __len__(self) -> int:
        return len(self._users)

    def __contains__(self, digest: bytes) -> bool:
        return _FIRST_BITS(digest)[0] in self._users

    def get(self, digest: bytes) -> Cell | How | None:
        """How a user was counted; None for one who was not."""
        number = self._users.get(_FIRST_BITS(digest)[0])
        return None if number is None else self._hows[number]

    def add(self, digest: bytes, how: Cell | How) -> Cell | How | None:
        """Takes note of a user who was not counted yet; of one who was, changes nothing and returns how."""
        number = self._users.add(_FIRST_BITS(digest)[0], self._number(how))
        return None if number is None else self._hows[number]

    def put(self, digest: bytes, how: Cell | How) -> None:
        """Takes note of how a user was counted, in place of what was known."""
        self._users.put(_FIRST_BITS(digest)[0], self._number(how))

    def load(self, hashes: bytes, hows: Sequence[str], how_of: Callable[[str], Cell | How]) -> None:
        """Takes all users at once, in place of those who were there: their hashes side by side, and of each what
        `how_of` makes into how they were counted. Of one who is there twice the latter holds."""
        users = array("Q", hashes)[:: HASH_SIZE // 8]
        if sys.byteorder == "little":
            users.byteswap()
        numbers = {one: self._number(how_of(one)) for one in set(hows)}
        order = sorted(range(len(users)), key=users.__getitem__)  # quick, since it mostly is in order already
        sorted_users = array("Q", map(users.__getitem__, order))
        is_last = [*map(operator.ne, sorted_users, sorted_users[1:]), True]
        numbered = array("Q", map(numbers.__getitem__, map(hows.__getitem__, order)))
        self._users = CompactMap.of_sorted(
            array("Q", compress(sorted_users, is_last)), array("Q", compress(numbered, is_last))
        )

    def ours(self) -> int:
        """How many were counted by us."""
        marked = self._numbers.get(How.MARKED)
        return len(self._users) - sum(number == marked for _, number in self._users.items())

    def _number(self, how: Cell | How) -> int:
        number = self._numbers.get(how)
        if number is None:
            number = self._numbers[how] = len(self._hows)
            self._hows.append(how)
        return number
