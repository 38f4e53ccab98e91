"""What is worked out once, and what need not be painted again."""

from dataclasses import replace

import pytest
from samples import SAMPLE, snapshot
from textual.geometry import Size

from headcount.figures.filters import Filter
from headcount.figures.tables import client_rows, country_rows
from headcount_tui.asked.shown import Asked, Sort, Tab, Zoom, look
from headcount_tui.widgets.figure_box import FigureBox, MonthBox
from headcount_tui.widgets.trend import Trend
from headcount_tui.widgets.world_map import SideMap

SHOWN = look(SAMPLE, Asked())


def test_rows_are_made_once_for_a_snapshot_and_a_filter() -> None:
    rows = SHOWN.rows(country_rows)
    other_view = look(SAMPLE, Asked(tab=Tab.CLIENTS), last=SHOWN)
    assert other_view.rows(country_rows) is rows
    assert other_view.rows(client_rows) == client_rows(SAMPLE, "2026-11")
    filtered = look(SAMPLE, Asked(Filter().having("country", "DE")), last=SHOWN)
    assert [row.label for row in filtered.rows(country_rows)] == ["Germany"]
    newer = look(snapshot(), Asked(), last=SHOWN)
    assert newer.rows(country_rows) is not rows


def test_another_view_or_order_is_all_that_differs() -> None:
    asked = Asked(tab=Tab.PLACES, sorts={Tab.PLACES: Sort("label", False)})
    assert look(SAMPLE, asked, last=SHOWN).differs_in_view_alone(SHOWN)


@pytest.mark.parametrize("asked", [Asked(zoom=Zoom.YEAR), Asked(paused=True), Asked(Filter().having("client", "IOS"))])
def test_what_is_asked_besides_differs(asked: Asked) -> None:
    assert not look(SAMPLE, asked, last=SHOWN).differs_in_view_alone(SHOWN)


def test_a_newer_snapshot_or_the_end_differs() -> None:
    assert not look(snapshot(), Asked(), last=SHOWN).differs_in_view_alone(SHOWN)
    assert not look(SAMPLE, Asked(), ended=True, last=SHOWN).differs_in_view_alone(SHOWN)


@pytest.mark.parametrize("tab", Tab)
def test_what_follows_no_view_looks_the_same_in_each(tab: Tab) -> None:
    other = replace(SHOWN, asked=Asked(tab=tab, sorts={tab: Sort("label", False)}))
    size = Size(50, 16)
    for panel in (Trend(), SideMap("map")):
        assert panel.draw(other, size).is_same(panel.draw(SHOWN, size))
    for box in (FigureBox(0), MonthBox()):
        assert box.above(other, 30).is_same(box.above(SHOWN, 30))
