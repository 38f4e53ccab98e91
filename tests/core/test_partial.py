"""While everything is read, figures of those read so far are compared with nothing, and are no point of the past."""

from dataclasses import replace

import pytest
from made_up import DAY, MONTH, NOW, host, snapshot

from headcount.figures.tables import country_rows
from headcount.figures.totals import figures, pace
from headcount.snapshot import History, HistoryKey, HistoryPoint, Past, Phase, Progress

MONTH_AGO = NOW - 31 * DAY  # 22 October, at the same time of day
POINTS = tuple(
    HistoryPoint(when, {"a": {HistoryKey("DE", "Dino"): Past(300, 600, 900, 500)}})
    for when in (MONTH_AGO, *(NOW - back * DAY for back in (30, 7, 1)))
)
WHOLE = snapshot({"a": host(_2026_11=MONTH)}, history=History(POINTS))
NOT_ALL_READ = (
    {"phase": Phase.SCANNING, "progress": Progress(3, None)},
    {"phase": Phase.SCANNING, "progress": Progress(40_000, 1_000_000)},
    {"phase": Phase.SCANNING},  # the figures of an earlier run, before anything is read
    {"phase": Phase.WAITING},  # nothing can be read
    {"phase": Phase.STOPPED, "progress": Progress(3, 9)},  # the engine ended before all was read
)


@pytest.mark.parametrize("changes", NOT_ALL_READ)
def test_what_is_read_so_far_is_compared_with_nothing(changes: dict[str, object]) -> None:
    shown = replace(WHOLE, **changes)  # type: ignore[arg-type]
    assert [(figure.users, figure.before, figure.series[-1]) for figure in figures(shown)] == [
        (3, None, None),
        (5, None, None),
        (12, None, None),
    ]
    assert all(figure.is_partial for figure in figures(shown))
    assert [figure.series[-2] for figure in figures(shown)] == [300, 600, 900]
    assert pace(shown) is None
    assert all(row.then is None for row in country_rows(shown, "2026-11"))


@pytest.mark.parametrize(
    "changes",
    [{"phase": Phase.LIVE}, {"phase": Phase.SCANNING, "progress": Progress(5, 9, active_done=True)}],
)
def test_as_soon_as_all_who_were_active_are_read_it_is(changes: dict[str, object]) -> None:
    shown = replace(WHOLE, **changes)  # type: ignore[arg-type]
    assert [(figure.users, figure.before, figure.series[-1]) for figure in figures(shown)] == [
        (3, 300, 3),
        (5, 600, 5),
        (12, 900, 12),
    ]
    assert not any(figure.is_partial for figure in figures(shown))
    assert pace(shown) is not None
    assert any(row.then is not None for row in country_rows(shown, "2026-11"))


def test_a_month_that_is_over_is_told_of_the_past_and_stays() -> None:
    end = NOW - 21 * DAY - 5 * 3600  # October is over
    october = HistoryPoint(end, {"a": {HistoryKey("DE", "Dino"): Past(200, 400, 800)}})
    shown = replace(WHOLE, history=History((*POINTS[:2], october, *POINTS[2:])), **NOT_ALL_READ[0])  # type: ignore[arg-type]
    assert [(figure.users, figure.is_partial) for figure in figures(shown, "2026-10")] == [
        (200, False),
        (400, False),
        (800, False),
    ]
