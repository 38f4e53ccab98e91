"""Text in columns, for a terminal or a mail."""

import unicodedata
from collections.abc import Sequence


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a head, the first column and any text to the left, numbers to the right."""
    table = [head, *rows]
    widths = [max(_width(row[index]) for row in table) for index in range(len(head))]
    numeric = [index > 0 and all(_is_number(row[index]) for row in rows) for index in range(len(head))]
    lines = []
    for row in table:
        cells = []
        for text, width, to_right in zip(row, widths, numeric, strict=True):
            fill = " " * (width - _width(text))
            cells.append(fill + text if to_right else text + fill)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _is_number(text: str) -> bool:
    return not text or text.removeprefix("≥ ")[0] in "0123456789+-−"


def _width(text: str) -> int:
    """Columns that the text takes in a terminal (Unicode UAX #11)."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.category(character) in ("Mn", "Me") for character in text)
