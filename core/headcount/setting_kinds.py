"""The kinds of value that a setting may have: what is valid, what is made of it, and how it is written as text."""

import math
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfoNotFoundError

from headcount.zones import zone_of

ZONES = "it is one such as Europe/Berlin or UTC, or whole rules such as CET-1CEST,M3.5.0,M10.5.0/3"
_T = TypeVar("_T", covariant=True)


@dataclass(frozen=True, slots=True)
class Kind(Generic[_T]):
    """One kind of value. `check` makes of a TOML value what `Settings` holds, and raises TypeError, KeyError or
    ValueError (which says why) for what is not valid; `from_text` makes a TOML value of a variable's or a flag's text,
    and raises ValueError."""

    check: Callable[[Any], _T]
    from_text: Callable[[str], object] = str


def _toml(text: str) -> object:
    return tomllib.loads(f"value = {text}")["value"]


def _parts(text: str) -> list[str]:
    return [part for part in text.split(os.pathsep) if part]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    if "\0" in value:
        raise ValueError("it has a zero character in it")
    return value


def _paths(value: object) -> tuple[str, ...]:
    paths = (value,) if isinstance(value, str) else value
    if not isinstance(paths, (list, tuple)):
        raise TypeError
    return tuple(_text(path) for path in paths)


def _countries(value: object) -> frozenset[str] | None:
    codes = [code for code in re.split(r"[\s,]+", value) if code] if isinstance(value, str) else value
    if not isinstance(codes, (list, tuple)):
        raise TypeError
    wanted = frozenset(_text(code).upper() for code in codes)
    if wanted == {"ALL"}:
        return None
    if not wanted or not all(re.fullmatch("[A-Z]{2}", code) for code in wanted):
        raise ValueError('it is "ALL" or a list of two-letter country codes')
    return wanted


def _zone(value: object) -> str:
    try:
        zone_of(name := _text(value))
    except (ValueError, ZoneInfoNotFoundError):
        raise ValueError(f"no time zone has that name; {ZONES}") from None
    return name


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    if value < 1:
        raise ValueError("it is 1 or more")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError
    if not (0 <= value < math.inf):
        raise ValueError("it is a number of seconds")
    return float(value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _patterns(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple((_text(entry["pattern"]), _text(entry["client"])) for entry in value)


def _keys(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise TypeError
    return tuple((_text(action), _text(keys)) for action, keys in value.items())


def _level(value: object) -> str:
    levels = ("debug", "info", "warning", "error")
    if _text(value).lower() not in levels:
        raise ValueError(f"it is one of {', '.join(levels)}")
    return _text(value).lower()


TEXT = Kind(_text)
PATHS = Kind(_paths, _parts)
COUNTRIES = Kind(_countries)
ZONE = Kind(_zone)
LEVEL = Kind(_level)
COUNT = Kind(_count, _toml)
SECONDS = Kind(_seconds, _toml)
TRUTH = Kind(_truth, _toml)
PATTERNS = Kind(_patterns, _toml)
KEYS = Kind(_keys, _toml)
