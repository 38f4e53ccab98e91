"""For terminals that have ASCII alone: each sign of ours as one that they have, in as many cells."""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_LINES = {"─━╌╍┄┅┈┉═╴╶╺╸▔⎺⎽": "-", "│┃┆┇┊┋║╵╷╹╻▏▕⎸⎹": "|", "┌┐└┘├┤┬┴┼╭╮╯╰╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋╪╫": "+"}
_BARS = {"▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█▊▉■▀▐▙▛▜▟▚▞": "#", "▓": "%"}
_BARS |= {"▎▍░": ":", "▌▋▒": "=", "▖▗▘▝": "."}
_SIGNS = {
    "▲△↑⇧": "^",
    "▼▽↓": "v",
    "◀◂←‹«": "<",
    "▶▸→›»": ">",
    "●◉◆": "*",
    "○◌•": "o",
    "◇": "<",
    "◐◑": "%",
    "✖✕✗×": "x",
    "✓✔": "v",
    "⚠": "!",
    "‖❚": "|",
    "−–—‐‑": "-",
    "≥": ">",
    "≤": "<",
    "…": ".",
    "·∙⋅": ".",
    "’‘": "'",
    "“”": '"',
    "\u00a0\u2009\u202f": " ",
}


def _table(*groups: Mapping[str, str]) -> dict[int, str]:
    return {ord(sign): twin for group in groups for signs, twin in group.items() for sign in signs}


_TABLE = _table(_LINES, _BARS, _SIGNS)
_SHADES = " ..::--==++**##@"


@lru_cache(maxsize=4096)
def _twin(sign: str) -> str:
    """One sign in ASCII, as many cells wide."""
    if sign.isascii():
        return sign
    code = ord(sign)
    if code in _TABLE:
        return _TABLE[code]
    if 0x2800 <= code <= 0x28FF:  # Braille patterns: as dark as they have dots
        return _SHADES[min(2 * (code - 0x2800).bit_count(), len(_SHADES) - 1)]
    width = cell_len(sign)
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return plain[:width].ljust(width) if plain else "?" * width


def in_ascii(text: str) -> str:
    """The text in ASCII, as many cells wide: accents are dropped, a letter that has no twin becomes `?`."""
    return text if text.isascii() else "".join(map(_twin, text))


class AsciiOnly(LineFilter):
    """Textual's hook for what is done to each painted line."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 (Textual's signature)
        """The line's pieces in ASCII."""
        return [Segment(in_ascii(text), style, control) for text, style, control in segments]


def is_needed(environment: Mapping[str, str], encoding: str) -> bool:
    """Whether a terminal shows ASCII alone, by what it says of itself: the Linux console's font has few signs, and an
    encoding that is no Unicode has none."""
    return environment.get("TERM", "") in ("linux", "dumb", "vt100", "vt220") or "utf" not in encoding.lower()
