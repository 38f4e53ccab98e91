"""Writes Lua tables to the byte as Prosody's serialiser does, but in an order that is always the same.

Source: util/serialization.lua and util/datamanager.lua of Prosody 0.12. Prosody writes keys in the order of
Lua's hash, which differs from one process to the next. Here positional values come first, then the other
numbers, then strings by their bytes, then `false`, `true`, and tables as they come.
"""

import math
import re
from collections.abc import Iterator

from headcount.prosody.lua_table import BooleanKey, LuaKey, LuaTable, LuaValue, TableKey

MAX_DEPTH = 127  # as in Prosody, which refuses more

_SPECIAL = re.compile(rb"[\x00-\x1f\"'\\\x7f-\xff]")
_LETTERS = dict(zip(b"\a\b\f\n\r\t\v\\\"'", b"abfnrtv\\\"'", strict=True))
_ESCAPES = [b"\\%c" % _LETTERS[byte] if byte in _LETTERS else b"\\%03d" % byte for byte in range(256)]


def serialise(value: LuaValue) -> bytes:
    """The document of a `.dat` file, which `lua_table.parse` and Prosody read back.

    Raises ValueError for what Lua or Prosody cannot write: an integer beyond 64 bits, NaN as a key, tables
    within themselves or nested deeper than Prosody's 127. As in Prosody, whole floats below 1e18 come back
    as integers, the lowest integer comes back as a float, and an entry of nil is no entry.
    """
    return b"return " + _value(value, 1) + b";\n"


def _value(value: LuaValue, depth: int) -> bytes:
    if isinstance(value, bytes):
        return b'"' + _SPECIAL.sub(lambda byte: _ESCAPES[ord(byte[0])], value) + b'"'
    if isinstance(value, dict):
        return _table(value, depth)
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if value is None:
        return b"nil"
    return _number(value)


def _table(table: LuaTable, depth: int) -> bytes:
    if depth > MAX_DEPTH:
        raise ValueError("nested deeper than Prosody can write")
    indent = b"\t" * depth
    lines = [indent + key + _value(value, depth + 1) + b";\n" for key, value in _entries(table, depth + 1)]
    return b"{\n" + b"".join(lines) + indent[1:] + b"}" if lines else b"{}"


def _entries(table: LuaTable, depth: int) -> Iterator[tuple[bytes, LuaValue]]:
    """The entries in their order, with keys as they are written: nothing for positional values."""
    following = 1
    for key in sorted(table, key=_rank):
        value = table[key]
        if value is None:
            continue
        if key == following:
            following += 1
            yield b"", value
        else:
            yield b"[" + _key(key, depth) + b"] = ", value


def _rank(key: LuaKey) -> tuple[int, float, bytes]:
    if isinstance(key, bool):
        raise TypeError("a boolean key must be a BooleanKey: True would be the key 1")
    if isinstance(key, int | float):
        return (0, key, b"")
    if isinstance(key, bytes):
        return (1, 0, key)
    if isinstance(key, BooleanKey):
        return (2, key.value, b"")
    return (3, 0, b"")


def _key(key: LuaKey, depth: int) -> bytes:
    if isinstance(key, TableKey):
        return _table(key.table, depth)
    if isinstance(key, BooleanKey):
        return _value(key.value, depth)
    if isinstance(key, float) and math.isnan(key):
        raise ValueError("NaN is no key in Lua")
    return _value(key, depth)


def _number(value: float) -> bytes:
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError("an integer beyond 64 bits")
        return b"%d" % value
    if math.isinf(value):
        return b"(1/0)" if value > 0 else b"(-1/0)"
    if math.isnan(value):
        return b"(0/0)"
    return b"%.18g" % value
