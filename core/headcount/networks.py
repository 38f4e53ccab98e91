"""Places by network, remembered: what was looked up for one address holds for all of its network.

Users of one provider share networks, so this holds few entries where a memory of addresses would hold one for each;
and it holds no address.
"""

import socket
from array import array
from bisect import bisect_left, bisect_right
from typing import Final

from headcount.addresses import SPECIAL4, Address
from headcount.snapshot import Place

CAPACITY: Final = 1 << 18
"""Networks of one kind that are remembered before all of them are forgotten."""

_WIDTHS6: Final = (4, 6, 8)
_SMALLEST4: Final = 0xFF
_NOWHERE: Final = Place()


def ipv4_of(text: str) -> int | None:
    """An IPv4 address in its usual form as a number; None for any other text."""
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text))
    except (OSError, ValueError):
        return None


def ipv6_of(text: str) -> bytes | None:
    """The bytes of an IPv6 address without zone or prefix; None for any other text."""
    try:
        return socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return None


class PlacesByNetwork:
    """Remembers the places of IPv4 networks, as ranges that do not overlap, sorted within each /8; and those of IPv6
    by /32, /48 and /64, the widest in which an answer holds."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets everything but where special addresses are."""
        self._forget4()
        self._known6: dict[bytes, Place] = {}

    def get4(self, number: int) -> Place | None:
        """The place of an IPv4 address, if it is remembered."""
        firsts, lasts, places = self._ranges[number >> 24]
        at = bisect_right(firsts, number) - 1
        return places[at] if at >= 0 and number <= lasts[at] else None

    def get6(self, packed: bytes) -> Place | None:
        """The place of an IPv6 address, if it is remembered."""
        for width in _WIDTHS6:
            place = self._known6.get(packed[:width])
            if place is not None:
                return place
        return None

    def put(self, address: Address, prefix: int, place: Place) -> None:
        """Remembers the place of a public address, which holds for all of its network with a prefix of that length."""
        if address.version == 4:
            self._put4(int(address), prefix, place)
            return
        for width in _WIDTHS6:
            if prefix <= 8 * width:
                if len(self._known6) >= CAPACITY:
                    self._known6.clear()
                self._known6[address.packed[:width]] = place
                return

    def _put4(self, number: int, prefix: int, place: Place) -> None:
        """A network wider than /8 is remembered as its part in that /8; of one that has special ones inside, its /24,
        for none of those is narrower."""
        if self._length >= CAPACITY:
            self._forget4()
        firsts, lasts, places = self._ranges[number >> 24]
        whole = 0xFFFFFFFF >> max(prefix, 8)
        for hosts in (whole, min(whole, _SMALLEST4)):
            first, last = number & ~hosts, number | hosts
            at = bisect_left(firsts, first)
            if (at == len(firsts) or firsts[at] > last) and (not at or lasts[at - 1] < first):
                firsts.insert(at, first)
                lasts.insert(at, last)
                places.insert(at, place)
                self._length += 1
                return

    def _forget4(self) -> None:
        self._length = 0
        self._ranges: list[tuple[array[int], array[int], list[Place]]] = [
            (array("I"), array("I"), []) for _ in range(256)
        ]
        for first, last in SPECIAL4:
            for block in range(first >> 24, (last >> 24) + 1):
                firsts, lasts, places = self._ranges[block]
                firsts.append(max(first, block << 24))
                lasts.append(min(last, (block << 24) + 0xFFFFFF))
                places.append(_NOWHERE)
