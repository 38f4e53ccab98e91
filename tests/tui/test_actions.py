"""The list of keys: everything that tells or binds a key agrees with it."""

from samples import SAMPLE

from headcount_tui.app import HeadcountApp
from headcount_tui.asked.keys import ACTIONS, Where, bindings
from headcount_tui.asked.shown import Asked, look
from headcount_tui.drawing.lines import keys
from headcount_tui.screens.export import Export
from headcount_tui.screens.help import Help, help_text
from headcount_tui.screens.main import MainScreen
from headcount_tui.screens.picker import Picker
from headcount_tui.screens.problems import Problems
from headcount_tui.widgets.heat_table import HeatTable
from headcount_tui.widgets.live_table import LiveTable
from headcount_tui.widgets.text_filter import TextFilter
from headcount_tui.widgets.trend import Trend
from headcount_tui.widgets.world_map import WorldMap

# The parts whose keys are those of one widget: they go before the screen's own while it has the focus.
OF_ONE_WIDGET = {
    Where.TABLE: LiveTable,
    Where.CHART: Trend,
    Where.YEARS: HeatTable,
    Where.WORLD: WorldMap,
    Where.TYPING: TextFilter,
    Where.EXPORT: Export,
}


def test_no_key_does_two_things_in_one_place() -> None:
    apart = [Where.DIALOG, *OF_ONE_WIDGET]
    general = [binding.key for where in Where if where not in apart for binding in bindings(where)]
    assert len(general) == len(set(general))
    for where in apart:
        here = [binding.key for binding in bindings(where)]
        assert len(here) == len(set(here))


def test_every_action_exists_where_it_is_bound() -> None:
    for action in ACTIONS:
        name = action.name.removeprefix("app.").split("(")[0]
        if action.name.startswith("app."):
            owners: tuple[type, ...] = (HeadcountApp,)
        elif action.where in OF_ONE_WIDGET:
            owners = (OF_ONE_WIDGET[action.where], MainScreen)
        elif action.where is Where.DIALOG:
            owners = (Help, Picker, Problems, Export)
        else:
            owners = (MainScreen,)
        if action.where in OF_ONE_WIDGET:
            assert any(hasattr(owner, f"action_{name}") for owner in owners), action
        else:
            assert all(hasattr(owner, f"action_{name}") for owner in owners), action


def test_every_key_is_in_the_help() -> None:
    told = help_text(ACTIONS).plain
    for action in ACTIONS:
        assert action.sign in told
        assert action.help in told


def test_the_line_of_keys_keeps_help_and_quit_to_the_last() -> None:
    shown = look(SAMPLE, Asked())
    for width in (200, 80, 40, 20):
        line = keys(ACTIONS, shown, width)
        assert line.cell_length <= width
        assert "? help" in line.plain
        assert "q quit" in line.plain
    assert "! problems" in keys(ACTIONS, shown, 200).plain
