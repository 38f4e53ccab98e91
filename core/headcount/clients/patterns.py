"""What a resource means: a client, by the first Lua pattern that matches it, as mod_monthly_visitors does.

Lua itself matches, so that a pattern means here what it means in the module: bytes, not characters, and the
classes (`%a`) of the process's locale, which in the C locale and in all of UTF-8 hold ASCII letters alone.
"""

import importlib.resources
import tomllib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from headcount.clients.lua_patterns import first_byte, longest_text, read_pattern
from headcount.errors import UsageError
from headcount.snapshot import UNKNOWN
from headcount.text import clean

CACHE_SIZE = 4096
LONGEST_RESOURCE = 1023
"""Bytes of the longest resource that there can be (RFC 7622, 3.4)."""

# Patterns and resources are data to these lines, never code. A pattern that Lua gives up on ("pattern too
# complex", which depends on the resource too) is taken for one that does not match, and told. Only those patterns are
# tried that may match a text which begins as the resource does: `firsts` has the byte, or -1 for any.
_FIRST_MATCH = b"""
local match, byte, protected = string.match, string.byte, pcall
return function(patterns, longest, firsts, count)
  local may_match = {}
  for first = -1, 255 do
    local some = {}
    for i = 1, count do
      if firsts[i] == first or firsts[i] == -1 then some[#some + 1] = i end
    end
    may_match[first] = some
  end
  return function(resource)
    local failed, reason
    for _, i in ipairs(may_match[byte(resource) or -1]) do
      if #resource <= longest[i] then
        local fine, found = protected(match, resource, patterns[i])
        if fine and found then return i, failed, reason end
        if not fine and not failed then failed, reason = i, found end
      end
    end
    return nil, failed, reason
  end
end
"""


class ClientPatterns:
    """An ordered list of (Lua pattern, client): the first pattern that matches a resource gives its client.

    Lua's matching can take very long on a resource made for it, and cannot be stopped. So a pattern with
    several open repetitions (`.-.-.-x`) is not tried on a resource so long that it could need millions of
    steps: a pattern that begins with `^` and has two is tried on every resource, with three on those of up
    to 226 bytes, with four up to 80. The last `CACHE_SIZE` resources are remembered, in memory alone. For
    one thread.

    Raises UsageError for a pattern that is not one, with its position and Lua's reason; and for no client.
    """

    def __init__(self, patterns: Iterable[tuple[str, str]]) -> None:
        self.patterns = tuple(patterns)
        self._clients = tuple(_called_client(client) for _, client in self.patterns)
        self._problems: dict[int, str] = {}
        encoded = [_bytes(pattern) for pattern, _ in self.patterns]
        longest = [self._longest(position, pattern) for position, pattern in enumerate(encoded, 1)]
        firsts = [-1 if (first := first_byte(pattern)) is None else first for pattern in encoded]
        self._first_match = _lua_matcher(encoded, longest, firsts)
        self._cached = lru_cache(maxsize=CACHE_SIZE)(self._find)

    @classmethod
    def configured(cls, own: Iterable[tuple[str, str]] = (), *, default: bool = True) -> "ClientPatterns":
        """The operator's own patterns first, then the default list, unless that is switched off."""
        return cls((*own, *(default_patterns() if default else ())))

    @property
    def problems(self) -> tuple[str, ...]:
        """The patterns that Lua gave up on so far, and why; never with the resource."""
        return tuple(self._problems.values())

    def client(self, resource: str | None) -> str:
        """The client of `resource`; `?` where no pattern matches, or there is no resource. Never raises."""
        return UNKNOWN if resource is None else self._cached(resource)

    def _find(self, resource: str) -> str:
        data = _bytes(resource)
        if len(data) > LONGEST_RESOURCE:
            return UNKNOWN
        found, failed, reason = self._first_match(data)
        if failed is not None:
            self._problems.setdefault(failed, f"{self._called(failed)}: {clean(reason or b'')}")
        return UNKNOWN if found is None else self._clients[found - 1]

    def _longest(self, position: int, pattern: bytes) -> int:
        """The longest resource that the pattern is tried on. Raises UsageError where something is wrong."""
        shape = read_pattern(pattern)
        problem = shape.problem or ("" if self._clients[position - 1] else "it names no client")
        if problem:
            raise UsageError(
                f"{self._called(position)}: {problem}",
                "A client pattern is a Lua pattern (Lua 5.4 Reference Manual, 6.4.1) with a client.",
            )
        return longest_text(shape, LONGEST_RESOURCE)

    def _called(self, position: int) -> str:
        return f'Client pattern {position}, "{clean(self.patterns[position - 1][0])}"'


def client_names(own: Iterable[tuple[str, str]] = (), *, default: bool = True) -> tuple[str, ...]:
    """The clients that the patterns of `ClientPatterns.configured` may find, each once."""
    patterns = (*own, *(default_patterns() if default else ()))
    return tuple(dict.fromkeys(_called_client(client) for _, client in patterns))


def _called_client(name: str) -> str:
    return clean(name.strip(), 60)


def default_patterns() -> tuple[tuple[str, str], ...]:
    """The list that comes with Headcount (data/clients.toml): what today's clients call their resources.

    The client of some is `?`: what they match is a machine's name, though a later pattern would match it too.
    """
    text = (importlib.resources.files("headcount") / "data" / "clients.toml").read_text("utf-8")
    return tuple((entry["pattern"], entry["client"]) for entry in tomllib.loads(text)["client_patterns"])


def _bytes(text: str) -> bytes:
    """The bytes that Prosody saw: what was not UTF-8 comes as lone surrogates."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


_Matcher = Callable[[bytes], tuple[int | None, int | None, bytes | None]]


def _lua_matcher(patterns: list[bytes], longest: list[int], firsts: list[int]) -> _Matcher:
    """A function of Lua's: resource -> (first that matches, else None; first that Lua gave up on; why)."""
    try:  # here, since nothing needs a Lua to say --version
        from lupa.lua54 import LuaRuntime
    except ImportError:  # built from source with one Lua alone; patterns are the same in 5.2 to 5.4
        from lupa import LuaRuntime  # type: ignore[no-redef]  # the same class of another Lua

    runtime = LuaRuntime(
        encoding=None,  # bytes in, bytes out
        unpack_returned_tuples=True,
        register_eval=False,
        register_builtins=False,
        attribute_filter=_no_attribute,
    )
    make: Any = runtime.execute(_FIRST_MATCH)
    matcher: _Matcher = make(
        runtime.table_from(patterns), runtime.table_from(longest), runtime.table_from(firsts), len(patterns)
    )
    return matcher


def _no_attribute(*_: object) -> str:
    raise AttributeError("Lua may not look into Python")
