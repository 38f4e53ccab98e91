"""Lua tables as data: reads what Prosody's serialiser writes, and what a person may have written by hand.

Prosody loads its files as Lua programs. Headcount never runs them: literals, tables, parentheses, unary
minus and the three divisions that Prosody writes are read, and whatever else is Lua raises UnreadableError.

Strings are `bytes`, tables are `dict`, positional values stand under 1, 2, 3 … A key that has no place in a
Python dict beside the others is wrapped: True would equal 1, and a table is no key. As in Lua, a whole
float is the integer key, and no entry is nil.
"""

import math
from collections.abc import Iterable
from enum import Enum
from typing import Final, Literal

from headcount.prosody.lua_tokens import (
    BAD_NUMBER,
    DIVISION,
    END,
    INTEGER,
    MARK,
    NAME,
    NUMERAL,
    OPERATOR,
    QUOTED_KEY,
    STRING,
    WOULD_RUN,
    UnreadableError,
    Words,
    number,
    quotient,
    wrapped,
)

MAX_SIZE: Final = 32 * 1024 * 1024  # far above any store that one host or user can have
MAX_DEPTH: Final = 195  # Lua's own limit is 200 levels, some of them taken by its caller

NOT_A_TABLE_DOCUMENT = "it does not begin with `return`"
TOO_BIG = "it is too big"
TOO_DEEP = "it is nested too deep"
BAD_KEY = "a key that Lua does not allow"
BAD_MINUS = "a minus before what is no number"
MORE_AFTER_END = "something follows the end"
UNEXPECTED_END = "it ends too early"
UNEXPECTED = "it is no Lua table"


class BooleanKey(Enum):
    """`true` or `false` as a key."""

    FALSE = False
    TRUE = True


class TableKey:
    """A table as a key: equal to nothing but itself, as in Lua."""

    __slots__ = ("table",)

    def __init__(self, table: "LuaTable") -> None:
        self.table = table


LuaKey = bytes | int | float | BooleanKey | TableKey
LuaValue = bytes | int | float | bool | None | dict[LuaKey, "LuaValue"]
LuaTable = dict[LuaKey, LuaValue]


def parse(data: bytes, *, max_size: int = MAX_SIZE, max_depth: int = MAX_DEPTH) -> LuaValue:
    """The value of a `.dat` document, `return <value>;`; None where it holds none, as an absent file would.

    Raises UnreadableError, and nothing else, where the document is not Lua, not data, longer than
    `max_size` bytes or nested deeper than `max_depth`.
    """
    return _Parser(data, max_size, max_depth).document()


class _Awaited(Enum):
    """What an open table waits for, where it is not the value of a key."""

    FIELD = "a field, or the end"
    KEY = "the key in brackets"
    ITEM = "a positional value"


_FIELD: Final = _Awaited.FIELD
_KEY: Final = _Awaited.KEY
_ITEM: Final = _Awaited.ITEM
_BATCH = 50  # LFIELDS_PER_FLUSH in Lua's lopcodes.h


class _OpenTable:
    """A table up to where it has been read. `key` is that of the value to come, or what else is awaited."""

    __slots__ = ("_entries", "_items", "_stored", "key")

    def __init__(self) -> None:
        self._entries: LuaTable = {}
        self._items: list[LuaValue] = []
        self._stored = 0
        self.key: LuaKey | _Awaited = _FIELD

    def put(self, value: LuaValue) -> None:
        key = self.key
        if isinstance(key, _Awaited):
            self._items.append(value)
            if len(self._items) == _BATCH:
                self._store_items()
        elif value is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = value

    def closed(self) -> LuaTable:
        if self._items:
            self._store_items()
        return self._entries

    def _store_items(self) -> None:
        """Lua stores positional values late, in batches, so that they win over keys before and among them."""
        for index, item in enumerate(self._items, self._stored + 1):
            if item is None:
                self._entries.pop(index, None)
            else:
                self._entries[index] = item
        self._stored += len(self._items)
        self._items.clear()


class _Prefix(Enum):
    """What may stand open before a value."""

    MINUS = b"-"
    PARENTHESIS = b"("


class _More(Enum):
    """No value yet: something was opened, or waits for its next part."""

    MORE = 0


_MORE: Final = _More.MORE
_Open = _OpenTable | Literal[_Prefix.MINUS, _Prefix.PARENTHESIS]

_CONSTANTS: dict[bytes, LuaValue] = {b"nil": None, b"true": True, b"false": False}
_STATEMENTS = frozenset(b"break do for function goto if local repeat while".split())
_RESERVED = _STATEMENTS | frozenset(b"and else elseif end false in nil not or return then true until".split())


class _Parser:
    """Reads one document. What is open stands on a stack of its own, so no nesting can exhaust Python's."""

    def __init__(self, data: bytes, max_size: int, max_depth: int) -> None:
        if len(data) > max_size:
            raise UnreadableError(TOO_BIG, max_size)
        if data.startswith(b"\x1bLua"):
            raise UnreadableError(WOULD_RUN, 0)
        self._words = Words(data)
        self._max_depth = max_depth

    def document(self) -> LuaValue:
        kind, text = self._first_word()
        if kind == END:
            return None
        if kind != NAME or text != b"return":
            raise self._not_begun(kind, text)
        value = None
        if self._words.peek() in ((END, b""), (MARK, b";")):
            kind, text = self._words.next()
        else:
            value, kind, text = self._first_of_values()
        if kind == MARK and text == b";":
            kind, text = self._words.next()
        if kind != END:
            raise self._out_of_place(kind, text, MORE_AFTER_END)
        return value

    def _first_of_values(self) -> tuple[LuaValue, int, bytes]:
        """The first of the values that stand between commas, and the word after them."""
        first = self._value()
        kind, text = self._words.next()
        while kind == MARK and text == b",":
            self._value()
            kind, text = self._words.next()
        return first, kind, text

    def _first_word(self) -> tuple[int, bytes]:
        """The first word of the document; Lua has empty statements too."""
        word = self._words.next()
        while word == (MARK, b";"):
            word = self._words.next()
        return word

    def _value(self) -> LuaValue:
        """The value that begins at the next word."""
        stack: list[_Open] = []
        while True:
            value = self._begin(stack)
            while value is not _MORE:
                if not stack:
                    return value
                value = self._go_on(stack, value)

    def _begin(self, stack: list[_Open]) -> LuaValue | _More:
        """Reads on to the next complete value, or to what opens one."""
        kind, text = self._words.next()
        if stack:
            table = stack[-1]
            if isinstance(table, _OpenTable) and table.key is _FIELD:
                if kind == MARK and text == b"}":
                    stack.pop()
                    return table.closed()
                if kind == QUOTED_KEY:
                    table.key = text
                    kind, text = self._words.next()
                elif kind == MARK and text == b"[":
                    table.key = _KEY
                    kind, text = self._words.next()
                elif kind == NAME and text not in _RESERVED:
                    if self._words.next() != (MARK, b"="):
                        raise self._words.error(WOULD_RUN)
                    table.key = text
                    kind, text = self._words.next()
                else:
                    table.key = _ITEM
        if kind == INTEGER:
            return int(text)
        if kind == STRING:
            return text
        if kind == MARK and text in (b"{", b"(", b"-"):
            if len(stack) >= self._max_depth:
                raise self._words.error(TOO_DEEP)
            stack.append(_OpenTable() if text == b"{" else _Prefix(text))
            return _MORE
        return self._rare(kind, text)

    def _go_on(self, stack: list[_Open], value: LuaValue) -> LuaValue | _More:
        """Gives a complete value to what is open around it, which may be complete with it."""
        top = stack[-1]
        if not isinstance(top, _OpenTable):
            stack.pop()
            if top is _Prefix.MINUS:
                return self._negative(value)
            self._expect(b")")
            return value
        if top.key is _KEY:
            self._expect(b"]")
            top.key = self._key(value)
            self._expect(b"=")
            return _MORE
        top.put(value)
        kind, text = self._words.next()
        if kind == MARK and text in (b";", b","):
            top.key = _FIELD
            return _MORE
        if kind == MARK and text == b"}":
            stack.pop()
            return top.closed()
        raise self._out_of_place(kind, text, UNEXPECTED)

    def _rare(self, kind: int, text: bytes) -> LuaValue:
        """A value that the common files have not."""
        if kind == NAME and text in _CONSTANTS:
            return _CONSTANTS[text]
        if kind == DIVISION:
            return quotient(text)
        if kind == NUMERAL:
            value = number(text)
            if value is None:
                raise self._words.error(BAD_NUMBER)
            return value
        if kind == NAME and (text not in _RESERVED or text in (b"function", b"not")):
            raise self._words.error(WOULD_RUN)
        if kind == OPERATOR and text in (b"#", b"~", b"."):  # unary ones, and `...`
            raise self._words.error(WOULD_RUN)
        raise self._words.error(UNEXPECTED_END if kind == END else UNEXPECTED)

    def _negative(self, value: LuaValue) -> int | float:
        if isinstance(value, bytes):  # Lua would try to make a number of it
            raise self._words.error(WOULD_RUN)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._words.error(BAD_MINUS)
        return wrapped(-value) if isinstance(value, int) else -value

    def _key(self, value: LuaValue) -> LuaKey:
        if isinstance(value, bool):
            return BooleanKey(value)
        if isinstance(value, float):
            if math.isnan(value):
                raise self._words.error(BAD_KEY)
            return int(value) if value.is_integer() and -(2.0**63) <= value < 2.0**63 else value
        if isinstance(value, dict):
            return TableKey(value)
        if value is None:
            raise self._words.error(BAD_KEY)
        return value

    def _expect(self, mark: bytes) -> None:
        kind, text = self._words.next()
        if kind != MARK or text != mark:
            raise self._out_of_place(kind, text, UNEXPECTED)

    def _not_begun(self, kind: int, text: bytes) -> UnreadableError:
        """An error at the first word of a document: some begin with a word that tells a program."""
        return self._words.error(WOULD_RUN if kind == NAME and text in _STATEMENTS else NOT_A_TABLE_DOCUMENT)

    def _out_of_place(self, kind: int, text: bytes, otherwise: str) -> UnreadableError:
        """An error at a word that cannot follow a value as data; it may be an operation on that value."""
        if kind == END:
            return self._words.error(UNEXPECTED_END)
        operates = (
            kind == OPERATOR
            or (kind == NAME and text in (b"and", b"or"))
            or (kind == MARK and text in (b"(", b"[", b"-"))
        )
        return self._words.error(WOULD_RUN if operates else otherwise)


def as_lua(value: object) -> LuaValue:
    """Python's own values, as from JSON, as Lua's: text as UTF-8, lists as tables, no integer beyond 64 bits.

    Raises TypeError for a type that Lua has not.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if value is None or isinstance(value, bytes | bool | float):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else _as_float(value)
    if isinstance(value, dict):
        return {_as_key(key): as_lua(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, Iterable):
        return {index: as_lua(item) for index, item in enumerate(value, 1) if item is not None}
    raise TypeError(f"Lua has no {type(value).__name__}")


def _as_float(integer: int) -> float:
    try:
        return float(integer)
    except OverflowError:
        return math.inf if integer > 0 else -math.inf


def _as_key(key: object) -> LuaKey:
    if isinstance(key, bool):
        return BooleanKey(key)
    if isinstance(key, str):
        return key.encode("utf-8", "surrogatepass")
    if isinstance(key, bytes | int | float | BooleanKey | TableKey):
        return key
    raise TypeError(f"Lua has no key of type {type(key).__name__}")
