"""Every key, once: the bindings, the line of keys, the help, the palette and the README's table are all made from this
list, and so is what a user may give other keys to."""

import difflib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, format_key

from headcount.errors import UsageError
from headcount.text import clean


class Where(StrEnum):
    """The part of the screen that a key works in; the help has a section for each."""

    LOOK = "What is shown"
    FILTER = "Filter"
    ORDER = "Order"
    TABLE = "Table"
    YEARS = "Months"
    CHART = "Trend"
    WORLD = "Map"
    GENERAL = "General"
    TYPING = "While a filter is typed"
    EXPORT = "While exporting"
    DIALOG = "In a list or a box"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the user can do: Textual's name for it, its keys, and what the screen says of it.

    `sign` is the keys as people write them; `short` is its word in the line of keys, empty where it has none; `id` is
    what a user calls it who gives it other keys, empty where its keys are fixed.
    """

    name: str
    keys: str
    sign: str
    short: str
    help: str
    where: Where
    id: str = ""


ACTIONS = (
    Action("shift_month(-1)", "left_square_bracket", "[", "", "the month before", Where.LOOK, "month-before"),
    Action("shift_month(1)", "right_square_bracket", "]", "", "the month after", Where.LOOK, "month-after"),
    Action("pick_month", "m", "m", "month", "choose a month from a list", Where.LOOK, "month"),
    Action("show_tab('countries')", "1", "1", "", "countries of the month", Where.LOOK, "countries"),
    Action("show_tab('places')", "2", "2", "", "places: cities where they are known", Where.LOOK, "places"),
    Action("show_tab('clients')", "3", "3", "", "clients", Where.LOOK, "clients"),
    Action("show_tab('months')", "4", "4", "", "all months", Where.LOOK, "months"),
    Action("show_tab('trend')", "5", "5", "", "active users and month users over time", Where.LOOK, "trend"),
    Action("show_tab('map')", "6", "6", "", "world map, shaded by users (1 shows it as a table)", Where.LOOK, "map"),
    Action("show_tab('live')", "7", "7", "", "what happens now", Where.LOOK, "live"),
    Action("step_tab(1)", "tab,right", "Tab →", "", "the next table", Where.LOOK, "next-view"),
    Action("step_tab(-1)", "shift+tab,left", "⇧Tab ←", "", "the table before", Where.LOOK, "view-before"),
    Action("zoom", "z", "z", "", "30 days, a year, all there is", Where.CHART, "zoom"),
    Action("select('left')", "left", "←", "", "select the nearest country with users to the west", Where.WORLD),
    Action("select('right')", "right", "→", "", "select the nearest country with users to the east", Where.WORLD),
    Action("select('up')", "up,k", "↑ k", "", "select the nearest country with users to the north", Where.WORLD),
    Action("select('down')", "down,j", "↓ j", "", "select the nearest country with users to the south", Where.WORLD),
    Action(
        "next(1)", "n,pagedown", "n PgDn", "", "select the country with the next smaller number of users", Where.WORLD
    ),
    Action(
        "next(-1)", "p,pageup", "p PgUp", "", "select the country with the next larger number of users", Where.WORLD
    ),
    Action("zoom_map(1)", "plus,equals_sign", "+", "", "zoom in", Where.WORLD),
    Action("zoom_map(-1)", "minus", "-", "", "zoom out", Where.WORLD),
    Action("go(-1)", "left", "←", "", "the month before that is known", Where.YEARS),
    Action("go(1)", "right", "→", "", "the next month that is known", Where.YEARS),
    Action("go_year(1)", "up,k", "↑ k", "", "a year later", Where.YEARS),
    Action("go_year(-1)", "down,j", "↓ j", "", "a year earlier", Where.YEARS),
    Action("first", "home,g", "Home g", "", "the first month that is known", Where.YEARS),
    Action("last", "end,G", "End G", "", "the last month", Where.YEARS),
    Action("pick_country", "c", "c", "country", "one country: type its name or its code", Where.FILTER, "country"),
    Action("pick_host", "h", "h", "host", "one host", Where.FILTER, "host"),
    Action("edit_text", "slash", "/", "filter", "type filters: country:de client:ios, words", Where.FILTER, "filter"),
    Action("choose", "enter", "Enter", "drill in", "filter by the row under the cursor", Where.FILTER, "choose"),
    Action("drop_last", "escape", "Esc", "back", "remove the last filter", Where.FILTER, "back"),
    Action("next_sort", "s", "s", "sort", "sort by the next column", Where.ORDER, "sort"),
    Action("reverse_sort", "r", "r", "", "reverse the order", Where.ORDER, "reverse"),
    Action("move(-1)", "up,k", "↑ k", "", "up", Where.TABLE),
    Action("move(1)", "down,j", "↓ j", "", "down", Where.TABLE),
    Action("page(-1)", "pageup", "PgUp", "", "a page up", Where.TABLE),
    Action("page(1)", "pagedown", "PgDn", "", "a page down", Where.TABLE),
    Action("first", "home,g", "Home g", "", "the first row", Where.TABLE),
    Action("last", "end,G", "End G", "", "the last row", Where.TABLE),
    Action("pause", "space", "Space", "pause", "pause the figures, or resume", Where.LOOK, "pause"),
    Action("pick_theme", "t", "t", "", "choose the colours", Where.GENERAL, "theme"),
    Action("app.command_palette", "ctrl+p", "Ctrl+P", "", "command palette", Where.GENERAL),
    Action("app.export", "e", "e", "export", "write what is shown to a file", Where.GENERAL, "export"),
    Action("app.copy", "y", "y", "", "copy the row under the cursor, or DAU, WAU and MAU", Where.GENERAL, "copy"),
    Action("app.remember", "R", "R", "", "keep filters and view between starts: on, off", Where.GENERAL, "remember"),
    Action("problems", "exclamation_mark", "!", "problems", "what is wrong with the data", Where.GENERAL, "problems"),
    Action("help", "question_mark,f1", "?", "help", "these keys, and what the words mean", Where.GENERAL, "help"),
    Action("app.quit", "q,ctrl+c,ctrl+q", "q", "quit", "leave Headcount", Where.GENERAL, "quit"),
    Action("choose(1)", "right,space", "→ Space", "", "choose the next one: format or figures", Where.EXPORT),
    Action("choose(-1)", "left", "←", "", "choose the previous one", Where.EXPORT),
    Action("write", "enter", "Enter", "", "write the file", Where.EXPORT),
    Action("complete", "tab", "→ Tab", "", "accept the suggestion", Where.TYPING),
    Action("recall(-1)", "up", "↑", "", "the filter typed before", Where.TYPING),
    Action("recall(1)", "down", "↓", "", "the next filter in the history", Where.TYPING),
    Action("submit", "enter", "Enter", "", "keep the filter", Where.TYPING),
    Action("close", "escape", "Esc", "", "go back to the filter before", Where.TYPING),
    Action("close", "escape,q", "Esc", "close", "close it without a change", Where.DIALOG),
    Action("move(-1)", "up", "↑", "", "up", Where.DIALOG),
    Action("move(1)", "down", "↓", "", "down", Where.DIALOG),
)

# What lies over the main screen has keys of its own, which take none from it.
OVER_IT = (Where.DIALOG, Where.TYPING, Where.EXPORT)
# The keys that the line of keys gives up last.
KEPT = ("help", "app.quit")


def bindings(*places: Where) -> Iterator[Binding]:
    """Textual's bindings for the keys of these parts."""
    for action in ACTIONS:
        if action.where in places:
            for key in action.keys.split(","):
                # Ctrl+C and Ctrl+Q leave from everywhere, as in any program in a terminal, and cannot get other keys.
                everywhere = key.startswith("ctrl+")
                bound = None if everywhere else action.id or None
                yield Binding(key, action.name, action.help, show=False, priority=everywhere, id=bound)


def remapped(keys: Mapping[str, str]) -> tuple[Action, ...]:
    """The actions with other keys where `keys` says so: from an action's id to its keys, with commas between them.

    Raises UsageError for an unknown action, an unknown key, or a key that would do two things.
    """
    ids = {action.id: action for action in ACTIONS if action.id}
    for name, wanted in keys.items():
        if name not in ids:
            near = difflib.get_close_matches(name, ids, n=1)
            said, near = ("Did you mean", near) if near else ("Available", sorted(ids))
            raise UsageError(f"Unknown action {clean(name)}.", f"{said}: {', '.join(near)}.")
        for key in wanted.split(","):
            if not _is_key(key):
                raise UsageError(
                    f"{clean(key) or 'An empty name'} is not a valid key for {name}.",
                    "Write a key as f, F5, ctrl+f or slash.",
                )
    found = tuple(_with_keys(action, keys[action.id]) if action.id in keys else action for action in ACTIONS)
    for action in found:
        for other in found:
            shared = set(action.keys.split(",")) & set(other.keys.split(","))
            if action.id in keys and shared and other is not action and other.where not in OVER_IT:
                raise UsageError(f"The key {min(shared)} would do two things: {action.help}; {other.help}.")
    return found


def _with_keys(action: Action, keys: str) -> Action:
    return replace(action, keys=keys, sign=" ".join(format_key(key) for key in keys.split(",")))


_NAMED_KEYS = {key.value for key in Keys} | set(KEY_NAME_REPLACEMENTS.values())


def _is_key(key: str) -> bool:
    base = key.removeprefix("ctrl+").removeprefix("alt+").removeprefix("shift+")
    if key in _NAMED_KEYS or base in _NAMED_KEYS or (len(base) == 1 and base.isprintable()):
        return True
    try:
        return bool(unicodedata.lookup(base.replace("_", " ")))
    except KeyError:
        return False


def as_markdown(actions: Sequence[Action] = ACTIONS) -> str:
    """The keys as a table for the README: what they do, by the part of the screen that they work in."""
    rows = ["| key | does | action name (for `keys`) |", "|---|---|---|"]
    for where in Where:
        here = [action for action in actions if action.where is where]
        rows += [f"| | **{where.value}** | |"] if here else []
        for action in here:
            signs = " ".join(f"`{sign}`" for sign in action.sign.split())
            rows.append(f"| {signs} | {action.help} | {f'`{action.id}`' if action.id else ''} |")
    return "\n".join(rows) + "\n"
