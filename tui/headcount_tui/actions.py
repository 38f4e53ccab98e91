"""Every key, once: the bindings, the line of keys and the help are all made from this list."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding


class Where(StrEnum):
    """The part of the screen that a key works in; the help has a section for each."""

    LOOK = "What is shown"
    CHART = "Trend"
    YEARS = "Months"
    WORLD = "Map"
    FILTER = "Filter"
    ORDER = "Order"
    TABLE = "Table"
    GENERAL = "General"
    DIALOG = "In a list or a box"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the user can do: Textual's name for it, its keys, and how it is told.

    `sign` is the keys as people write them; `short` is its word in the line of keys, empty where it has none.
    """

    name: str
    keys: str
    sign: str
    short: str
    help: str
    where: Where


ACTIONS = (
    Action("shift_month(-1)", "left_square_bracket", "[", "", "the month before", Where.LOOK),
    Action("shift_month(1)", "right_square_bracket", "]", "", "the month after", Where.LOOK),
    Action("pick_month", "m", "m", "month", "choose a month from a list", Where.LOOK),
    Action("show_tab('countries')", "1", "1", "", "countries of the month", Where.LOOK),
    Action("show_tab('places')", "2", "2", "", "places: cities where they are known", Where.LOOK),
    Action("show_tab('clients')", "3", "3", "", "clients", Where.LOOK),
    Action("show_tab('months')", "4", "4", "", "all months", Where.LOOK),
    Action("show_tab('trend')", "5", "5", "", "active users and month users over time", Where.LOOK),
    Action("show_tab('map')", "6", "6", "", "the world", Where.LOOK),
    Action("show_tab('live')", "7", "7", "", "what happens now", Where.LOOK),
    Action("step_tab(1)", "tab,right", "Tab →", "", "the next table", Where.LOOK),
    Action("step_tab(-1)", "shift+tab,left", "⇧Tab ←", "", "the table before", Where.LOOK),
    Action("pick_country", "c", "c", "country", "one country: type its name or its code", Where.FILTER),
    Action("pick_host", "h", "h", "host", "one host", Where.FILTER),
    Action("edit_text", "slash", "/", "text", "a text in a place, a client or a host", Where.FILTER),
    Action("choose", "enter", "Enter", "drill in", "filter by the row under the cursor", Where.FILTER),
    Action("drop_last", "escape", "Esc", "back", "take the last filter away", Where.FILTER),
    Action("next_sort", "s", "s", "sort", "sort by the next column", Where.ORDER),
    Action("reverse_sort", "r", "r", "", "sort the other way round", Where.ORDER),
    Action("move(-1)", "up,k", "↑ k", "", "up", Where.TABLE),
    Action("move(1)", "down,j", "↓ j", "", "down", Where.TABLE),
    Action("page(-1)", "pageup", "PgUp", "", "a page up", Where.TABLE),
    Action("page(1)", "pagedown,space", "PgDn Space", "", "a page down", Where.TABLE),
    Action("first", "home,g", "Home g", "", "the first row", Where.TABLE),
    Action("last", "end,G", "End G", "", "the last row", Where.TABLE),
    Action("problems", "exclamation_mark", "!", "problems", "what is wrong with the data", Where.GENERAL),
    Action("help", "question_mark,f1", "?", "help", "these keys, and what the words mean", Where.GENERAL),
    Action("app.quit", "q,ctrl+c,ctrl+q", "q", "quit", "leave Headcount", Where.GENERAL),
    Action("close", "escape,q", "Esc", "close", "close it and change nothing", Where.DIALOG),
    Action("move(-1)", "up", "↑", "", "up", Where.DIALOG),
    Action("move(1)", "down", "↓", "", "down", Where.DIALOG),
)

# The keys that the line of keys gives up last.
KEPT = ("help", "app.quit")


def bindings(*places: Where) -> Iterator[Binding]:
    """Textual's bindings for the keys of these parts."""
    for action in ACTIONS:
        if action.where in places:
            # Ctrl+C and Ctrl+Q leave from everywhere, as in any program in a terminal.
            yield from (
                Binding(key, action.name, action.help, show=False, priority=key.startswith("ctrl+"))
                for key in action.keys.split(",")
            )
