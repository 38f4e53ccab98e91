"""The list of keys: everything that tells or binds a key agrees with it."""

from samples import SAMPLE

from headcount_tui.actions import ACTIONS, Where, bindings
from headcount_tui.app import HeadcountApp
from headcount_tui.lines import keys
from headcount_tui.screens.help import Help, help_text
from headcount_tui.screens.main import MainScreen
from headcount_tui.screens.picker import Picker
from headcount_tui.screens.problems import Problems
from headcount_tui.shown import Asked, look
from headcount_tui.widgets.live_table import LiveTable
from headcount_tui.widgets.text_filter import TextFilter


def test_no_key_does_two_things_in_one_place() -> None:
    main = [binding.key for where in Where if where not in (Where.DIALOG, Where.TYPING) for binding in bindings(where)]
    assert len(main) == len(set(main))
    for where in (Where.DIALOG, Where.TYPING):
        apart = [binding.key for binding in bindings(where)]
        assert len(apart) == len(set(apart))


def test_every_action_exists_where_it_is_bound() -> None:
    for action in ACTIONS:
        name = action.name.removeprefix("app.").split("(")[0]
        if action.name.startswith("app."):
            owners: tuple[type, ...] = (HeadcountApp,)
        elif action.where is Where.TABLE:
            owners = (LiveTable,)
        elif action.where is Where.TYPING:
            owners = (TextFilter,)
        elif action.where is Where.DIALOG:
            owners = (Help, Picker, Problems)
        else:
            owners = (MainScreen,)
        for owner in owners:
            assert hasattr(owner, f"action_{name}"), (owner, action)


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
