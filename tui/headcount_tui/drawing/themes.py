"""The colours to choose from. Only here do colours have values; everything else uses their names."""

from typing import NamedTuple

from textual.theme import BUILTIN_THEMES, Theme

# The colours that Okabe and Ito chose for eyes that do not tell red from green ("Color Universal Design", 2008):
# blue says what green says elsewhere, vermilion what red says.
SAFE_DARK = Theme(
    name="safe-dark",
    primary="#56B4E9",
    secondary="#CC79A7",
    accent="#F0E442",
    warning="#E69F00",
    error="#D55E00",
    success="#56B4E9",
    foreground="#E4E4E4",
    background="#101418",
    surface="#181D23",
    panel="#222932",
    dark=True,
)
SAFE_LIGHT = Theme(
    name="safe-light",
    primary="#0072B2",
    secondary="#CC79A7",
    accent="#7A5195",
    warning="#9A6700",
    error="#B84A00",
    success="#0072B2",
    foreground="#1A1A1A",
    background="#FAFAFA",
    surface="#F0F0F0",
    panel="#E4E4E4",
    dark=False,
)
OWN = (SAFE_DARK, SAFE_LIGHT)


class Offer(NamedTuple):
    """A theme and what is said of it."""

    name: str
    note: str


FIRST = (
    Offer("textual-dark", "dark"),
    Offer("textual-light", "light"),
    Offer("safe-dark", "dark, for every eye"),
    Offer("safe-light", "light, for every eye"),
    Offer("ansi-dark", "your terminal's own, dark"),
    Offer("ansi-light", "your terminal's own, light"),
)


def offers() -> list[Offer]:
    """Every theme, those first that differ most."""
    first = {offer.name for offer in FIRST}
    rest = [theme for name, theme in BUILTIN_THEMES.items() if name not in first]
    return [*FIRST, *(Offer(theme.name, "dark" if theme.dark else "light") for theme in rest)]


def default(term: str) -> str:
    """The theme that fits a terminal whose name (TERM) is known: the Linux console has its own sixteen colours."""
    return "ansi-dark" if term == "linux" else "textual-dark"
