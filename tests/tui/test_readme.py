"""The README names every key that filters or changes what is shown, and none that does not exist."""

import re
from pathlib import Path

from headcount_tui.actions import ACTIONS, Where

README = Path(__file__).parents[2] / "README.md"
TOLD = (Where.LOOK, Where.FILTER, Where.ORDER, Where.GENERAL)


def keys_of_readme() -> set[str]:
    table = README.read_text().split("## Keys")[1].split("##")[0]
    first_cells = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    return {key for cell in first_cells for key in re.findall(r"`(.*?)`", cell)}


def test_the_keys_of_the_readme_are_those_of_the_screen() -> None:
    signs = {sign for action in ACTIONS if action.where in TOLD for sign in action.sign.split()}
    assert keys_of_readme() == signs - {"→", "⇧Tab", "←"}
