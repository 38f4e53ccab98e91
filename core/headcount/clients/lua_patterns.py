"""Lua patterns as text: whether one is well formed, and how long it could take.

Lua itself finds a problem only when a match gets as far as it. So the whole pattern is read here, by the rules
of Lua 5.4's lstrlib.c (Reference Manual, 6.4.1), and its problems are given in Lua's words.
"""

import re
from math import comb
from typing import NamedTuple

_MOST_CAPTURES = 32
# How many steps Lua may need for one pattern on one text, at worst: about ten milliseconds.
_MOST_STEPS = 2_000_000


class Shape(NamedTuple):
    """What a pattern is made of: `repetitions` are its `*`, `+` and `-`, `options` its `?`, and `readings`
    its `%b` and back references, each of which may read the rest of the text once more. `problem` is what Lua
    would say against it, "" where it is well formed."""

    problem: str = ""
    anchored: bool = False
    repetitions: int = 0
    options: int = 0
    readings: int = 0


class _FileProblemError(Exception):
    """The pattern is not one."""


def read_pattern(pattern: bytes) -> Shape:
    """The shape of `pattern`. Lua never raises for one without a problem, but for `pattern too complex`."""
    anchored = pattern.startswith(b"^")
    captures = _Captures()
    counts = {"repetition": 0, "option": 0, "reading": 0, "": 0}
    at = 1 if anchored else 0
    try:
        while at < len(pattern):
            at, kind = _read_item(pattern, at, captures)
            counts[kind] += 1
        captures.end()
    except _FileProblemError as problem:
        return Shape(str(problem))
    return Shape("", anchored, counts["repetition"], counts["option"], counts["reading"])


def longest_text(shape: Shape, limit: int) -> int:
    """The length in bytes, at most `limit`, up to which Lua is done with the pattern in two million steps.

    At worst Lua tries every way to share n bytes among the repetitions (and the start, where the pattern may
    start anywhere), and each option both ways.
    """
    repetitions = shape.repetitions + (not shape.anchored)
    for length in range(limit, 0, -1):
        ways = comb(length + repetitions, repetitions) << shape.options
        if ways * (length + 1) ** shape.readings <= _MOST_STEPS:
            return length
    return 0


def first_byte(pattern: bytes) -> int | None:
    """The byte that every text begins with which the well-formed `pattern` matches; None where that can't be known."""
    plain = re.match(rb"\^(?:%([^0-9A-Za-z])|([^\^$()%.\[\]*+\-?]))(?![*?\-])", pattern, re.DOTALL)
    return None if plain is None else (plain[1] or plain[2])[0]


class _Captures:
    """The captures of a pattern as far as it was read: all by number, and those that are still open."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[int] = []

    def start(self) -> None:
        if self._count == _MOST_CAPTURES:
            raise _FileProblemError("too many captures")
        self._count += 1
        self._open.append(self._count)

    def close(self) -> None:
        if not self._open:
            raise _FileProblemError("invalid pattern capture")
        self._open.pop()

    def refer(self, number: int) -> None:
        if not 1 <= number <= self._count or number in self._open:
            raise _FileProblemError(f"invalid capture index %{number}")

    def end(self) -> None:
        if self._open:
            raise _FileProblemError("unfinished capture")


def _read_item(pattern: bytes, at: int, captures: _Captures) -> tuple[int, str]:
    """Read the item that begins at `at`: where the next one does, and what of a `Shape` it counts for."""
    match pattern[at : at + 1]:
        case b"(":
            captures.start()
            return at + 1, ""
        case b")":
            captures.close()
            return at + 1, ""
        case b"%":
            letter = pattern[at + 1 : at + 2]
            if letter == b"b":
                if len(pattern) < at + 4:
                    raise _FileProblemError("malformed pattern (missing arguments to '%b')")
                return at + 4, "reading"
            if letter == b"f":
                if pattern[at + 2 : at + 3] != b"[":
                    raise _FileProblemError("missing '[' after '%f' in pattern")
                return _class_end(pattern, at + 2), ""
            if letter in b"0123456789" and letter:
                captures.refer(int(letter))
                return at + 2, "reading"
    end = _class_end(pattern, at)
    match pattern[end : end + 1]:
        case b"*" | b"+" | b"-":
            return end + 1, "repetition"
        case b"?":
            return end + 1, "option"
    return end, ""


def _class_end(pattern: bytes, at: int) -> int:
    """Where the single character, escape or set that begins at `at` has ended."""
    first = pattern[at : at + 1]
    if first == b"%":
        if at + 1 == len(pattern):
            raise _FileProblemError("malformed pattern (ends with '%')")
        return at + 2
    if first != b"[":
        return at + 1
    at += 2 if pattern[at + 1 : at + 2] == b"^" else 1
    while True:  # a ] that comes first is a member of the set
        if at >= len(pattern):
            raise _FileProblemError("malformed pattern (missing ']')")
        at += 2 if pattern[at : at + 1] == b"%" else 1
        if pattern[at : at + 1] == b"]":
            return at + 1
