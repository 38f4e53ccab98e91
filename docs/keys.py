"""Writes the README's table of keys again, from the one list of them.

make keys
"""

import re
from pathlib import Path

from headcount_tui.asked.keys import as_markdown

README = Path(__file__).parents[1] / "README.md"
PLACE = re.compile(r"(<!-- keys: .*? -->\n).*?(<!-- end of keys -->)", re.DOTALL)


def with_keys(text: str) -> str:
    """The README's text with the table as it should be."""
    return PLACE.sub(lambda found: f"{found[1]}\n{as_markdown()}\n{found[2]}", text)


if __name__ == "__main__":
    README.write_text(with_keys(README.read_text()))
