"""Places by network, remembered: what was looked up for one address holds for all of its network.

Users of one provider share networks, so this holds few entries where a memory of addresses would hold one for each;
and it holds no address.
"""

import socket
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

from headcount.places.addresses import SPECIAL4, SPECIAL6
from headcount.snapshot import Place

CAPACITY: Final = 1 << 18
"""Networks of one kind that are remembered before all of them are forgotten."""

_HALF: Final = 64
"""Of an IPv6 address the bits that a network can have that is remembered; what is behind them is a host's own."""
_NOWHERE: Final = Place()


def ipv4_of(text: str) -> int | None:
    """An IPv4 address in its usual form as a number; None for any other text."""
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text))
    except (OSError, ValueError):
        return None


def ipv6_of(text: str) -> int | None:
    """An IPv6 address without zone or prefix as a number; None for any other text."""
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET6, text))
    except (OSError, ValueError):
        return None


def first_of(number: int, bits: str, width: int) -> int:
    """The first address of an address' network, whose prefix has so many `bits` of `width`; -1 where it can't have."""
    if not (bits.isascii() and bits.isdigit() and len(bits) <= 3 and int(bits) <= width):
        return -1
    rest = width - int(bits)
    return number >> rest << rest


class PlacesByNetwork:
    """Remembers the places of IPv4 networks, and of IPv6 networks up to /64. Networks of one place share it."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets everything but where special addresses are."""
        self._places: dict[Place, Place] = {}
        self._ranges4 = _Ranges(32, 8, 24, SPECIAL4)
        self._ranges6 = _Ranges(_HALF, 16, 32, [(first >> _HALF, last >> _HALF) for first, last in SPECIAL6])

    def get4(self, number: int) -> Place | None:
        """The place of an IPv4 address, if it is remembered."""
        return self._ranges4.get(number)

    def get6(self, number: int) -> Place | None:
        """The place of an IPv6 address, if it is remembered."""
        return self._ranges6.get(number >> _HALF)

    def put(self, number: int, version: int, prefix: int, place: Place) -> None:
        """Remembers the place of a public address of that IP version, which holds for all of its network with a prefix
        of that length."""
        place = self._places.setdefault(place, place)
        if version == 4:
            self._ranges4.put(number, prefix, place)
        elif prefix <= _HALF:
            self._ranges6.put(number >> _HALF, prefix, place)


class _Ranges:
    """Ranges of numbers of so many `bits` that do not overlap, sorted within each block of those that begin with the
    same bits. `special` are ranges that are nowhere, of which none is narrower than `smallest`."""

    def __init__(self, bits: int, block_bits: int, smallest: int, special: Sequence[tuple[int, int]]) -> None:
        self._bits, self._block_bits, self._smallest = bits, block_bits, smallest
        self._shift = bits - block_bits
        self._special = special
        self._forget()

    def get(self, number: int) -> Place | None:
        """The place of a number, if it is remembered."""
        block = self._blocks.get(number >> self._shift)
        if block is None:
            return None
        firsts, lasts, places = block
        at = bisect_right(firsts, number) - 1
        return places[at] if at >= 0 and number <= lasts[at] else None

    def put(self, number: int, prefix: int, place: Place) -> None:
        """Remembers a network. One that is wider than a block is remembered as its part in that block; of one that has
        special ones inside, so small a part that none of those is narrower."""
        if self._length >= CAPACITY:
            self._forget()
        firsts, lasts, places = self._block(number >> self._shift)
        whole = (1 << self._bits) - 1 >> max(prefix, self._block_bits)
        for rest in (whole, min(whole, (1 << self._bits) - 1 >> self._smallest)):
            first, last = number & ~rest, number | rest
            at = bisect_left(firsts, first)
            if (at == len(firsts) or firsts[at] > last) and (not at or lasts[at - 1] < first):
                firsts.insert(at, first)
                lasts.insert(at, last)
                places.insert(at, place)
                self._length += 1
                return

    def _block(self, at: int) -> "tuple[array[int], array[int], list[Place]]":
        block = self._blocks.get(at)
        if block is None:
            block = self._blocks[at] = array("Q"), array("Q"), []
        return block

    def _forget(self) -> None:
        self._length = 0
        self._blocks: dict[int, tuple[array[int], array[int], list[Place]]] = {}
        for first, last in self._special:
            for at in range(first >> self._shift, (last >> self._shift) + 1):
                firsts, lasts, places = self._block(at)
                firsts.append(max(first, at << self._shift))
                lasts.append(min(last, (at + 1 << self._shift) - 1))
                places.append(_NOWHERE)
