"""The README's table of keys is made from the list of them, and is not behind it."""

import runpy
from pathlib import Path

from headcount_tui.asked.keys import as_markdown

ROOT = Path(__file__).parents[2]


def test_the_keys_of_the_readme_are_those_of_the_screen() -> None:
    readme = (ROOT / "README.md").read_text()
    assert as_markdown() in readme, "run: make keys"
    assert runpy.run_path(str(ROOT / "docs" / "keys.py"))["with_keys"](readme) == readme
