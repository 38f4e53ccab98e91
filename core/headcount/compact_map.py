"""A mapping of 64-bit keys to 64-bit numbers that takes little more than the 16 bytes of each pair.

A dictionary takes more than a hundred for the same. The keys are hashes, so their first bits spread them evenly over
buckets; in a bucket they stand in order, side by side with their values.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

_BITS = 64
_FULL = 256
"""Pairs in a bucket, on average, at which all buckets are split in two."""


class CompactMap:
    """Keys and values are whole numbers from 0 to 2**64 - 1. Keys must be spread evenly for it to be quick."""

    __slots__ = ("_keys", "_length", "_shift", "_values")

    def __init__(self) -> None:
        self._shift = _BITS
        self._keys = [array("Q")]
        self._values = [array("Q")]
        self._length = 0

    @classmethod
    def of_sorted(cls, keys: "array[int]", values: "array[int]") -> "CompactMap":
        """The mapping of `keys`, which must be in ascending order and each once, to `values`."""
        made = cls()
        made._length = len(keys)
        while made._length > _FULL << (_BITS - made._shift):
            made._shift -= 1
        buckets = 1 << (_BITS - made._shift)
        bounds = [bisect_left(keys, bucket << made._shift) for bucket in range(buckets)] + [len(keys)]
        made._keys = [keys[first:end] for first, end in pairwise(bounds)]
        made._values = [values[first:end] for first, end in pairwise(bounds)]
        return made

    def __len__(self) -> int:
        return self._length

    def __contains__(self, key: int) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Iterator[int]:
        """The keys in ascending order. The mapping must not change meanwhile."""
        for keys in self._keys:
            yield from keys

    def items(self) -> Iterator[tuple[int, int]]:
        """The pairs, by ascending key. The mapping must not change meanwhile, but values may be set."""
        for keys, values in zip(self._keys, self._values, strict=True):
            yield from zip(keys, values, strict=True)

    def between(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """The pairs whose value is `first` or more and less than `end`. The mapping must not change meanwhile."""
        for keys, values in zip(self._keys, self._values, strict=True):
            for at, value in enumerate(values):
                if first <= value < end:
                    yield keys[at], value

    def odd(self) -> Iterator[tuple[int, int]]:
        """The pairs whose value is odd. The mapping must not change meanwhile."""
        for keys, values in zip(self._keys, self._values, strict=True):
            for at, value in enumerate(values):
                if value & 1:
                    yield keys[at], value

    def part(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """The pairs whose key is `first` or more and less than `end`. The mapping must not change meanwhile."""
        for bucket in range(first >> self._shift, ((end - 1) >> self._shift) + 1):
            keys = self._keys[bucket]
            found = slice(bisect_left(keys, first), bisect_left(keys, end))
            yield from zip(keys[found], self._values[bucket][found], strict=True)

    def get(self, key: int) -> int | None:
        """The value of a key; None where there is none."""
        bucket = key >> self._shift
        keys = self._keys[bucket]
        at = bisect_left(keys, key)
        return self._values[bucket][at] if at < len(keys) and keys[at] == key else None

    def put(self, key: int, value: int) -> int | None:
        """Sets the value of a key; returns the one before, None where there was none."""
        bucket = key >> self._shift
        keys = self._keys[bucket]
        at = bisect_left(keys, key)
        if at < len(keys) and keys[at] == key:
            values = self._values[bucket]
            before = values[at]
            values[at] = value
            return before
        self._insert(bucket, at, key, value)
        return None

    def add(self, key: int, value: int) -> int | None:
        """Sets the value of a key that is not there; of one that is, changes nothing and returns its value."""
        bucket = key >> self._shift
        keys = self._keys[bucket]
        at = bisect_left(keys, key)
        if at < len(keys) and keys[at] == key:
            return self._values[bucket][at]
        self._insert(bucket, at, key, value)
        return None

    def put_many(self, keys: Sequence[int], values: Sequence[int]) -> list[int | None]:
        """As `put`, of many keys, in a fraction of the time; the values before."""
        befores: list[int | None] = []
        shift, all_keys, all_values = self._shift, self._keys, self._values
        note, find = befores.append, bisect_left
        for key, value in zip(keys, values, strict=True):
            bucket = key >> shift
            of_bucket = all_keys[bucket]
            at = find(of_bucket, key)
            if at < len(of_bucket) and of_bucket[at] == key:
                its_values = all_values[bucket]
                note(its_values[at])
                its_values[at] = value
            else:
                of_bucket.insert(at, key)
                all_values[bucket].insert(at, value)
                note(None)
        self._length += befores.count(None)
        self._split()
        return befores

    def pop(self, key: int) -> int | None:
        """Takes a key away; returns its value, None where there was none."""
        bucket = key >> self._shift
        keys = self._keys[bucket]
        at = bisect_left(keys, key)
        if at == len(keys) or keys[at] != key:
            return None
        del keys[at]
        self._length -= 1
        return self._values[bucket].pop(at)

    def keys_of(self, value: int) -> list[int]:
        """The keys that have that value, in ascending order."""
        return [
            key
            for keys, values in zip(self._keys, self._values, strict=True)
            if value in values
            for key, its_value in zip(keys, values, strict=True)
            if its_value == value
        ]

    def columns(self) -> "tuple[array[int], array[int]]":
        """The keys in ascending order, and their values: copies, made in a moment. It is what `of_sorted` takes."""
        return _joined(self._keys), _joined(self._values)

    def _insert(self, bucket: int, at: int, key: int, value: int) -> None:
        self._keys[bucket].insert(at, key)
        self._values[bucket].insert(at, value)
        self._length += 1
        if self._length > _FULL * len(self._keys):
            self._split()

    def _split(self) -> None:
        """Halves the buckets until they are small."""
        while self._length > _FULL * len(self._keys):
            self._shift -= 1
            keys, values = [], []
            for bucket, (of_bucket, its_values) in enumerate(zip(self._keys, self._values, strict=True)):
                middle = bisect_left(of_bucket, (2 * bucket + 1) << self._shift)
                keys += [of_bucket[:middle], of_bucket[middle:]]
                values += [its_values[:middle], its_values[middle:]]
            self._keys, self._values = keys, values


def places_of(keys: Iterable[int], column: "array[int]") -> list[int]:
    """Where those of `keys` that are there stand in a column of keys in ascending order, itself in that order."""
    places = ((key, bisect_left(column, key)) for key in keys)
    return sorted({at for key, at in places if at < len(column) and column[at] == key})


def without(column: "array[int]", places: Sequence[int]) -> "array[int]":
    """A column but for what stands at some places, which are in ascending order and each there once."""
    return _joined(column[first + 1 : end] for first, end in pairwise([-1, *places, len(column)])) if places else column


def _joined(parts: "Iterable[array[int]]") -> "array[int]":
    column = array("Q")
    for part in parts:
        column += part
    return column
