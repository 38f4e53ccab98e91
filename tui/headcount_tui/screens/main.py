"""The main screen: it keeps what the user asks for, and hands each new state to the parts that draw it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from headcount.figures.filter_language import known
from headcount.figures.filters import Field, Filter
from headcount.snapshot import Phase, Snapshot
from headcount_tui.asked import transitions
from headcount_tui.asked.keys import Action, Where, bindings
from headcount_tui.asked.news import News, news
from headcount_tui.asked.shown import Asked, Shown, Sort, Tab, look, urgent
from headcount_tui.drawing import choices, hints, lines, themes
from headcount_tui.drawing.render import outside
from headcount_tui.drawing.tables import country_of, how_many, sort_rows, table_of
from headcount_tui.failure import Failure
from headcount_tui.screens.help import Help
from headcount_tui.screens.picker import Picker
from headcount_tui.screens.problems import Problems
from headcount_tui.widgets.figure_box import FigureBox, MonthBox
from headcount_tui.widgets.heat_table import HeatTable
from headcount_tui.widgets.live_feed import LiveFeed
from headcount_tui.widgets.live_table import LiveTable, Start
from headcount_tui.widgets.panel import Line, Panel
from headcount_tui.widgets.shares import Shares
from headcount_tui.widgets.table_title import TableTitle
from headcount_tui.widgets.text_filter import FilterLine, TextFilter
from headcount_tui.widgets.trend import Trend
from headcount_tui.widgets.world_map import SideMap, WorldMap

NEWS_KEPT = 500
# The views that have a row under their cursor, for Enter to choose.
ROW_VIEWS = (LiveTable, HeatTable, WorldMap)
# What has the focus in a view that is no table: its keys are those of the widget.
FOCUS = {Tab.MONTHS: "HeatTable", Tab.TREND: "#trend", Tab.MAP: "#map", Tab.LIVE: "LiveFeed"}
# The views that a widget is in. It is hidden in the others by its own style, not by a class of the screen, at which
# Textual would style and paint all of the screen again.
_TABLES = (Tab.COUNTRIES, Tab.PLACES, Tab.CLIENTS)
SEEN_IN = {
    "LiveTable": (*_TABLES, Tab.MONTHS),
    "#side": _TABLES,
    "Shares": (Tab.CLIENTS,),
    "HeatTable": (Tab.MONTHS,),
    "#trend": (Tab.TREND,),
    "#map": (Tab.MAP,),
    "LiveFeed": (Tab.LIVE,),
}


class MainScreen(Screen[None]):
    """Everything at one glance: how many, whether it grows, where, and with what."""

    BINDINGS: ClassVar[list[BindingType]] = list(
        bindings(Where.LOOK, Where.CHART, Where.FILTER, Where.ORDER, Where.GENERAL)
    )
    AUTO_FOCUS = "LiveTable"
    focused = Reactive[Widget | None](None, repaint=False)  # Textual's own paints the whole screen when it moves

    def __init__(self, actions: Sequence[Action], asked: Asked) -> None:
        super().__init__()
        self._actions = actions
        self._asked = asked
        self._snapshot: Snapshot | None = None
        self._failure: Failure | None = None
        self._ended = False
        self._shown: Shown | None = None
        self._hint = self._banner = ""
        self._happened: deque[News] = deque(maxlen=NEWS_KEPT)
        self._trail = transitions.Trail()
        self._cursors: dict[tuple[Filter, Tab], object] = {}

    def compose(self) -> ComposeResult:
        """From the top down."""
        yield Line(lines.status, id="status")
        yield Static(id="banner", markup=False)
        yield Line(lines.scan, id="scan")
        with Horizontal(id="figures"):
            for index in range(3):
                yield FigureBox(index)
            yield MonthBox()
        yield Line(lines.figures_line, id="figures-line")
        yield Line(lines.tabs, id="tabs")
        with Horizontal(id="body"):
            with Vertical(id="view"):
                yield HeatTable()
                yield TableTitle()
                yield Shares()
                yield LiveTable()
                yield Trend(id="trend")
                yield WorldMap(id="map")
                yield LiveFeed()
            with Vertical(id="side"):
                yield Trend(id="side-trend")
                yield SideMap(id="side-map")
        yield Static(id="hint", markup=False)
        yield Line(lines.filters, id="filters")
        yield FilterLine()
        yield Line(partial(lines.keys, self._actions), id="keys")

    @property
    def asked(self) -> Asked:
        """What the user asks for now."""
        return self._asked

    @property
    def shown(self) -> Shown | None:
        """What is shown now, once there is anything."""
        return self._shown

    @property
    def row(self) -> Any:
        """The row under the cursor, or of the selected country; None in a view without rows."""
        view = self.focused if isinstance(self.focused, ROW_VIEWS) else self.query_one(LiveTable)
        return None if table_of(self._asked) is None else view.row

    # What comes in

    def receive(self, snapshot: Snapshot) -> None:
        """Show a newer snapshot, now or when it is no longer paused."""
        if self._snapshot is not None:
            self._happened.extend(news(self._snapshot, snapshot))
        self._snapshot = snapshot
        if not self._asked.paused or self._shown is None:
            self._refresh()

    def end(self, failure: Failure | None) -> None:
        """Say that no newer figures will come, and why."""
        self._ended, self._failure = True, failure
        self._show_banner()
        self._refresh()

    def _ask(self, asked: Asked) -> None:
        if asked != self._asked:
            table = self.query_one(LiveTable)
            self._cursors[self._asked.filter, self._asked.tab] = table.key
            home = (asked.filter, asked.tab) != (self._asked.filter, self._asked.tab)
            self._asked = asked
            self._show_view()
            self._refresh(home=home)

    def _show_view(self) -> None:
        """Let the view asked for alone be seen, and have the keys."""
        for name, tabs in SEEN_IN.items():
            self.query_one(name).styles.display = None if self._asked.tab in tabs else "none"
        for name in ("LiveTable", "TableTitle"):
            self.query_one(name).set_class(self._asked.tab is Tab.MONTHS, "-under-years")
        if not isinstance(self.focused, TextFilter):
            self.query_one(FOCUS.get(self._asked.tab, "LiveTable")).focus(scroll_visible=False)

    def on_mount(self) -> None:
        """Show the first view."""
        self._show_view()

    def _ask_filter(self, asked: Filter) -> None:
        self._ask(replace(self._asked, filter=asked))

    # What goes out

    def _refresh(self, home: bool = False) -> None:
        """Work out what there is to show, and show it."""
        if self._snapshot is None:
            return
        snapshot = self._shown.whole if self._shown is not None and self._asked.paused else self._snapshot
        before, shown = self._shown, look(snapshot, self._asked, self._ended, self._happened, self._shown)
        is_other = before is None or not shown.differs_in_view_alone(before)
        self._shown = shown
        with self.app.batch_update():
            self.set_class(not shown.settled, "-unsettled")
            self.query_one("#scan").display = shown.whole.phase is Phase.SCANNING and not self._ended
            self._show_banner()
            self._show_table(shown, home)
            for panel in self.query(Panel):
                if is_other or panel.follows_view:
                    panel.show(shown)
            self._follow()
        for screen in self.app.screen_stack:
            if isinstance(screen, Problems):
                screen.show(shown.whole.problems)

    @on(HeatTable.Moved)
    def _follow(self) -> None:
        """Let what goes with a cursor go where it is: the list with the table of years, the map with the table."""
        table = self.query_one(LiveTable)
        if self._asked.tab is Tab.MONTHS:
            table.go_to(self.query_one(HeatTable).cursor)
        else:
            self.query_one(SideMap).select(country_of(table.row))

    @on(LiveTable.Moved)
    def _table_moved(self) -> None:
        if self._asked.tab is Tab.MONTHS:
            self.query_one(HeatTable).go_to(self.query_one(LiveTable).row.month)
        else:
            self._follow()

    def _show_banner(self) -> None:
        """What stands in the way of newer figures, and how to fix it."""
        banner = self.query_one("#banner", Static)
        text = lines.banner(self._failure, urgent(self._snapshot) if self._snapshot else ())
        if text.plain != self._banner:
            self._banner = text.plain
            banner.update(text)
            banner.display = bool(text.plain)

    def _show_table(self, shown: Shown, home: bool) -> None:
        spec = table_of(shown.asked)
        if spec is None:
            self.query_one(TableTitle).counted = ""
            self._show_hint("")
            return
        rows = [] if hints.is_apart(shown) else spec.rows(shown)
        columns = spec.columns(shown, rows)
        empty = outside("" if rows else hints.empty(shown))
        table = self.query_one(LiveTable)
        table.present(
            # The core's own order, with its rules for equal counts, stays where no other is asked for.
            sort_rows(rows, columns, shown.asked.sorts.get(shown.asked.tab)),
            columns,
            shown.sort,
            empty,
            Start(self._cursors.get((shown.asked.filter, shown.asked.tab))) if home else None,
            highlight=shown.settled,
        )
        self.query_one(TableTitle).counted = how_many(spec, rows, shown.whole.anonymity is None)
        self._show_hint(hints.hint(shown) if rows else "")

    def _show_hint(self, text: str) -> None:
        hint = self.query_one("#hint", Static)
        if text != self._hint:
            self._hint = text
            hint.update(outside(text))
            hint.display = bool(text)

    # What the user does

    def action_shift_month(self, by: int) -> None:
        """The next month that there is, before or after."""
        if self._shown is None:
            return
        asked = transitions.month_shifted(self._asked, self._shown, by)
        if asked is None:
            self.notify(f"No {'later' if by > 0 else 'earlier'} month is known.", markup=False, timeout=2)
        else:
            self._ask(asked)

    def action_show_tab(self, name: str) -> None:
        """Another view."""
        self._ask(replace(self._asked, tab=Tab(name)))

    def action_step_tab(self, by: int) -> None:
        """The view beside."""
        self._ask(transitions.tab_stepped(self._asked, by))

    def action_zoom(self, name: str = "") -> None:
        """As far back as `name` says, or as the next zoom does."""
        self._ask(transitions.zoomed(self._asked, name))

    def action_pick_month(self) -> None:
        """Choose a month."""
        if self._shown is not None:
            self._pick("month", "Month", choices.months(self._shown))

    def action_pick_country(self) -> None:
        """Choose a country."""
        if self._shown is not None:
            self._pick("country", "Country", choices.countries(self._shown))

    def action_pick_host(self) -> None:
        """Choose a host."""
        if self._shown is not None:
            self._pick("host", "Host", choices.hosts(self._shown))

    def _pick(self, field: Field, title: str, offered: list[choices.Choice]) -> None:
        def picked(value: str | None) -> None:
            if value is not None:
                self._ask(transitions.filtered(self._asked, field, value))

        self.app.push_screen(Picker(title, offered, self._asked.filter.value(field)), picked)

    def action_edit_text(self) -> None:
        """Type filters."""
        if self._shown is not None:
            self.add_class("-typing")
            self.query_one(FilterLine).open(self._asked.filter, known(self._shown.whole, self._asked.filter))

    @on(FilterLine.Typed)
    def _typed(self, event: FilterLine.Typed) -> None:
        self._ask_filter(event.asked)
        if event.is_last:
            self.remove_class("-typing")
            self.set_focus(None)
            self._show_view()

    def action_drop_last(self) -> None:
        """Remove the last filter, and go back to where it was chosen."""
        self._ask(self._trail.back(self._asked))

    def action_drop(self, field: Field) -> None:
        """Remove that filter."""
        self._ask_filter(self._asked.filter.having(field, None))

    def action_choose(self) -> None:
        """Filter by the row under the cursor."""
        row, table = self.row, table_of(self._asked)
        if row is not None and self._shown is not None and table is not None:
            asked = table.narrow(self._asked, row, self._shown)
            self._trail.note(self._asked, asked)
            self._ask(asked)

    def action_pause(self) -> None:
        """Pause the figures, or resume."""
        self._ask(replace(self._asked, paused=not self._asked.paused))

    @on(LiveTable.Chosen)
    @on(HeatTable.Chosen)
    @on(WorldMap.Chosen)
    def _row_chosen(self) -> None:
        self.action_choose()

    def action_next_sort(self) -> None:
        """Sort by the column to the right of the one that is sorted by."""
        table = self.query_one(LiveTable)
        columns = table.visible_columns() if table.display else []
        names = [column.name for column, _ in columns if column.title]
        if names and self._shown is not None:
            column = self._shown.sort.column
            index = names.index(column) if column in names else -1
            self._sort_by(names[(index + 1) % len(names)])

    @on(LiveTable.SortAsked)
    def _head_clicked(self, event: LiveTable.SortAsked) -> None:
        if self._shown is not None and self._shown.sort.column == event.column:
            self.action_reverse_sort()
        else:
            self._sort_by(event.column)

    def action_reverse_sort(self) -> None:
        """Sort the other way round."""
        if self._shown is not None and self.query_one(LiveTable).display:
            sort = self._shown.sort
            self._set_sort(sort._replace(descending=not sort.descending))

    def _sort_by(self, name: str) -> None:
        for column, _ in self.query_one(LiveTable).visible_columns():
            if column.name == name:
                self._set_sort(Sort(name, column.descending))

    def _set_sort(self, sort: Sort) -> None:
        self._ask(transitions.ordered(self._asked, sort))

    def action_problems(self) -> None:
        """What is wrong with the data."""
        if self._shown is not None:
            self.app.push_screen(Problems(self._shown.whole.problems))

    def action_pick_theme(self) -> None:
        """Choose the colours."""
        before = self.app.theme

        def picked(name: str | None) -> None:
            self.app.theme = name or before

        offered = [choices.Choice(offer.name, offer.name, offer.note) for offer in themes.offers()]
        self.app.push_screen(Picker("Colours", offered, before), picked)

    def action_help(self) -> None:
        """The keys, and what the words mean."""
        self.app.push_screen(Help(self._actions))
