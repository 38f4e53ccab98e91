"""The words of a Lua document: strings, numbers, names and marks, read as data and never run.

Source: the Lua 5.4 manual, §3.1, and its llex.c where the manual is silent. The patterns never try a byte
over and over, so reading takes time in proportion to the document, whatever it holds.
"""

import math
import re
from typing import Final

WOULD_RUN = "it holds Lua code, which would have to be run"
NUL_BYTES = "it holds NUL bytes, as a power cut leaves them"
NOT_LUA = "it holds bytes that are no Lua"
BAD_NUMBER = "a malformed number"
BAD_ESCAPE = "an unknown escape in a string"
OPEN_STRING = "a string without its end"
OPEN_COMMENT = "a comment without its end"


class UnreadableError(ValueError):
    """A document cannot be read as data: why (a reason that never quotes the document), and at which byte."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason}, at byte {offset}")
        self.reason = reason
        self.offset = offset


# What a word is: the number of its group in the pattern below.
QUOTED_KEY: Final = 1  # ["login"] = , the whole of it, as Prosody writes it
INTEGER: Final = 2  # decimal and short, so that it cannot overflow
STRING: Final = 3
DIVISION: Final = 4  # (1/0), (-1/0), (0/0): how Prosody writes the numbers that have no digits
MARK: Final = 5
NAME: Final = 6
NUMERAL: Final = 7  # any other number
OPERATOR: Final = 8
END: Final = 9
_QUOTE: Final = 10  # the start of a string that has escapes, or other quotes
_LONG: Final = 11  # the start of a [[string]]
_COMMENT: Final = 12

_WORD = re.compile(
    rb"""[\t-\r\x20]*+(?:
      \["([^"\\\r\n]*+)"\][\t-\r\x20]*+=
    | ([0-9]{1,18}+)(?![0-9A-Za-z_.])
    | "([^"\\\r\n]*+)"
    | \((1|-1|0)/0\)
    | (?!--|\[=*+\[|==)([{}\[\]();,=-])
    | ([A-Za-z_][0-9A-Za-z_]*+)
    | (0[xX](?:[pP][+-]?|[0-9A-Fa-f.])*+[A-Za-z_]?|\.?[0-9](?:[eE][+-]?|[0-9A-Fa-f.])*+[A-Za-z_]?)
    | ([+*/%^\#&~|<>.:]|==)
    | (\Z)
    | (["'])
    | \[(=*+)\[
    | --(\[=*+\[|)
    | ([\x00-\xff])
    )""",
    re.VERBOSE,
)
_REST_OF_STRING = {
    quote: re.compile(rb"((?:[^\\\r\n%b]|\\(?:z[\t-\r\x20]*+|\r\n|\n\r|[\x00-\xff]))*+)%b" % (quote, quote))
    for quote in (b'"', b"'")
}
_REST_OF_LINE = re.compile(rb"[^\r\n]*+")
_NEWLINE = re.compile(rb"\r\n|\n\r|\r")
_ESCAPE = re.compile(
    rb"""\\(?: ([abfnrtv\\"']) | ([0-9]{1,3}) | x([0-9A-Fa-f]{2}) | u\{([0-9A-Fa-f]+)\}
    | (z[\t-\r\x20]*+) | (\r\n|\n\r|\r|\n) | )""",
    re.VERBOSE,
)
_LETTERS = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b"\\": b"\\",
    b'"': b'"',
    b"'": b"'",
}
_DECIMAL = re.compile(rb"(?:[0-9]++(\.[0-9]*+)?|(\.[0-9]++))([eE][+-]?[0-9]++)?")
_HEXADECIMAL = re.compile(rb"0[xX](?:[0-9A-Fa-f]++(\.[0-9A-Fa-f]*+)?|(\.[0-9A-Fa-f]++))([pP][+-]?[0-9]++)?")
_HIGHEST_INTEGER = 2**63 - 1
_QUOTIENTS = {b"1": math.inf, b"-1": -math.inf, b"0": math.nan}


class Words:
    """The words of a document, one after another."""

    __slots__ = ("_at", "_data", "_match")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._match: re.Match[bytes] | None = None

    def next(self) -> tuple[int, bytes]:
        """The next word: its kind, one of those without an underscore, and its text; after the last one, END.

        The text of a key is its name alone, that of a string is what it means, not how it was written.
        """
        while True:
            match = _WORD.match(self._data, self._at)
            assert match is not None  # the last alternative takes any byte
            kind = match.lastindex
            assert kind is not None
            self._match = match
            self._at = match.end()
            text = match[kind]
            if kind < _QUOTE:
                return kind, text
            if kind == _QUOTE:
                return STRING, self._quoted(text)
            if kind == _LONG:
                return STRING, self._long(text, OPEN_STRING)
            if kind != _COMMENT:
                raise self.error(NOT_LUA if text != b"\0" else NUL_BYTES)
            self._skip_comment(text)

    def peek(self) -> tuple[int, bytes]:
        """The next word, which stays the next one."""
        at = self._at
        word = self.next()
        self._at = at
        return word

    def error(self, reason: str) -> UnreadableError:
        """An error at the last word."""
        return UnreadableError(reason, self._match.start(self._match.lastindex or 0) if self._match else 0)

    def _quoted(self, quote: bytes) -> bytes:
        rest = _REST_OF_STRING[quote].match(self._data, self._at)
        if rest is None:
            raise self.error(OPEN_STRING)
        self._at = rest.end()

        def meaning(escape: re.Match[bytes]) -> bytes:
            byte = _escaped(escape)
            if byte is None:
                raise UnreadableError(BAD_ESCAPE, rest.start() + escape.start())
            return byte

        return _ESCAPE.sub(meaning, rest[1])

    def _long(self, equals: bytes, when_open: str) -> bytes:
        """The text up to the closing bracket with as many `=`, without the line end that may come first."""
        start = self._at
        end = self._data.find(b"]" + equals + b"]", start)
        if end < 0:
            raise self.error(when_open)
        self._at = end + len(equals) + 2
        return _NEWLINE.sub(b"\n", self._data[start:end]).removeprefix(b"\n")

    def _skip_comment(self, bracket: bytes) -> None:
        if bracket:
            self._long(bracket[1:-1], OPEN_COMMENT)
        else:
            line = _REST_OF_LINE.match(self._data, self._at)
            assert line is not None  # it may be empty
            self._at = line.end()


def number(numeral: bytes) -> int | float | None:
    """What Lua 5.4 makes of a numeral; None where it is malformed.

    A decimal integer beyond 64 bits becomes a float, a hexadecimal one wraps around (manual, §3.1).
    """
    if match := _DECIMAL.fullmatch(numeral):
        if match.lastindex is None:
            # Beyond 19 digits it is a float anyway, and Python's own conversion would take its time.
            digits = numeral.lstrip(b"0") or b"0"
            if len(digits) <= 19 and (integer := int(digits)) <= _HIGHEST_INTEGER:
                return integer
        return float(numeral)
    if match := _HEXADECIMAL.fullmatch(numeral):
        if match.lastindex is None:
            return wrapped(int(numeral, 16))
        try:
            return float.fromhex(numeral.decode("ascii"))
        except OverflowError:
            return math.inf
    return None


def wrapped(integer: int) -> int:
    """An integer in 64 bits, two's complement."""
    return (integer + 2**63) % 2**64 - 2**63


def quotient(division: bytes) -> float:
    """What the text of a DIVISION, without its `/0`, stands for."""
    return _QUOTIENTS[division]


def _escaped(escape: re.Match[bytes]) -> bytes | None:
    """What an escape in a string stands for; None where Lua knows none such."""
    letter, decimal, hexadecimal, code, blanks, newline = escape.groups()
    if letter:
        return _LETTERS[letter]
    if decimal:
        return bytes([int(decimal)]) if int(decimal) < 256 else None
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if code:
        return _utf8(int(code, 16))
    if blanks:
        return b""
    return b"\n" if newline else None


def _utf8(code: int) -> bytes | None:
    """`code` in UTF-8 as Lua writes it, surrogates and all, up to 31 bits in the six bytes of RFC 2279."""
    if code < 0x80:
        return bytes([code])
    if code >= 2**31:
        return None
    rest: list[int] = []
    room = 0x3F  # what the first byte can still hold
    while code > room:
        rest.insert(0, 0x80 | code & 0x3F)
        code >>= 6
        room >>= 1
    return bytes([(~room << 1) & 0xFF | code, *rest])
