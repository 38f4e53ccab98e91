"""The demo's past: what is kept of it is what plain sets of its events and visits tell, and all of it shows."""

import threading
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from headcount.demo.run import demo_server
from headcount.engine.assemble import open_run
from headcount.figures.totals import Turnover, pace, turnover
from headcount.months import month_of, shift
from headcount.settings import Settings
from headcount.snapshot import Quality, Snapshot
from headcount.state.sqlite import SqliteState

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("day", [2, 22])
def test_the_demos_first_look_shows_what_a_year_of_following_would(day: int) -> None:
    """Early in a month the month before is still open."""
    now = datetime(2026, 11, day, 10, tzinfo=BERLIN).timestamp()
    with demo_server(Settings(timezone="Europe/Berlin"), now) as (server, settings):
        users: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for visit in server.past_visits():
            users[visit.month].add((visit.host, visit.user))
        events = list(server.past_activity())
        for event in events:
            users[month_of(event.when, BERLIN) or ""].add((event.host, event.user))
        with SqliteState(Path(settings.state or ""), read_only=True) as state:
            assert len(state.load().marks) == 1
        shown = first_look(settings, now + 2)
    assert (shown.problems, len(shown.marks)) == ((), 1)
    for back in range(6):
        month = shift("2026-11", -back)
        here, before = users[month], users[shift(month, -1)]
        lost = len(before - here) if back else None
        assert turnover(shown, month) == Turnover(len(here - before), len(here & before), lost), month
        assert all(host.months[month].quality is Quality.EXACT for host in shown.hosts.values())
    found = pace(shown)
    assert found is not None
    first = datetime(2026, 10, 1, tzinfo=BERLIN).timestamp()
    until = min((p.when for p in shown.history.points), key=lambda when: abs(when - found.then))
    october = {(event.host, event.user) for event in events if first <= event.when < until}
    assert (found.users, found.before) == (len(users["2026-11"]), len(october))


def first_look(settings: Settings, now: float) -> Snapshot:
    stop = threading.Event()
    with open_run(settings, {}, keep="always", now=now) as run:
        run.engine.run(lambda seen: stop.set() if seen.phase.value == "live" else None, stop)
        return run.engine.snapshot()
