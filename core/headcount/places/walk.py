"""All that a GeoIP file holds, each record once: how a file is described, and how it proves itself.

Networks share records, so the addresses that lead to each are worked out from the tree itself: a City file has five
million networks and a third of a million records. Only a process that may die does this (see `proving`).
"""

import ipaddress
from collections.abc import Iterator
from itertools import islice
from typing import Final, Protocol

from maxminddb.reader import Reader

from headcount.places.addresses import Address
from headcount.places.database import About
from headcount.places.database_records import knows_cities, knows_countries, knows_networks
from headcount.text import clean

# How many records are looked at to learn what a database knows: a City database names cities early.
_SAMPLE: Final = 256
_BITS: Final = {4: 32, 6: 128}


class Tree(Protocol):
    """The bytes of a file, of which the tree is the first part: bytes, or a map of the file."""

    def __getitem__(self, at: slice, /) -> bytes: ...

    def __len__(self) -> int: ...


def addresses(reader: Reader, tree: Tree) -> Iterator[Address]:
    """For each record of a database one address that leads to it. Raises ValueError for a tree that can't be one.

    Each node is looked at once, however many lead to it: a damaged one may lead back to the first.
    """
    metadata = reader.metadata()
    nodes, width, bits = metadata.node_count, metadata.record_size // 4, _BITS[metadata.ip_version]
    if metadata.record_size not in (24, 28, 32) or nodes * width > len(tree):
        raise ValueError("the tree does not fit into the file")
    kind = ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address
    seen, found, waiting = bytearray(nodes), set[int](), [(0, 0, bits)] if nodes else []
    while waiting:
        node, path, left = waiting.pop()
        if not left:
            raise ValueError("the tree is deeper than an address is long")
        left -= 1
        pair = _records(tree[node * width : (node + 1) * width], width)
        for record, way in ((pair[1], path | 1 << left), (pair[0], path)):
            if record > nodes:
                if record not in found:
                    found.add(record)
                    yield kind(way)
            elif record < nodes and not seen[record]:
                seen[record] = 1
                waiting.append((record, way, left))


def _records(node: bytes, width: int) -> tuple[int, int]:
    """The two records of a node (MaxMind DB File Format Specification 2.0, Binary Search Tree Section)."""
    both = int.from_bytes(node)
    if width == 7:  # the middle byte holds the upper halves of both
        return both >> 32 | (both >> 4 & 0xF000000), both & 0xFFFFFFF
    half = width * 4
    return both >> half, both & (1 << half) - 1


def describe(reader: Reader, tree: Tree) -> About:
    """What a database is, by what it says itself and by some of its records."""
    metadata = reader.metadata()
    records = [reader.get(address) for address in islice(addresses(reader, tree), _SAMPLE)]
    name = clean(metadata.database_type, 60) if isinstance(metadata.database_type, str) else ""
    return About(
        name=name,
        build=metadata.build_epoch if isinstance(metadata.build_epoch, int) else 0,
        kind=_kind(name, records),
        has_cities="city" in name.lower() or any(map(knows_cities, records)),
        has_ipv6=metadata.ip_version == 6,
    )


def _kind(name: str, records: list[object]) -> str:
    if any(map(knows_countries, records)):
        return "places"
    if any(map(knows_networks, records)) or "asn" in name.lower():
        return "networks"
    if records:
        return "other"
    return "places" if any(word in name.lower() for word in ("city", "country")) else "other"
