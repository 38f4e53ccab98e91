"""The feed beside the screen: its failures, its end, its speed, and that quitting never waits for it."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from at_rest import at_rest
from fake_feed import FakeFeed
from samples import SAMPLE
from screens import Timers, screen, until_so

from headcount.errors import NoPermissionError
from headcount.screen import ScreenOptions
from headcount.snapshot import Snapshot
from headcount_tui.app import HeadcountApp, run
from headcount_tui.failure import Failure
from headcount_tui.running.feed_thread import Ended, Published
from headcount_tui.running.right_of_way import BREATH, RightOfWay


async def test_a_failure_is_told_with_what_fixes_it_and_the_last_figures_stay() -> None:
    async with screen(SAMPLE) as seen:
        error = NoPermissionError("/var/lib/prosody may not be read", "sudo usermod -aG prosody me")
        shown = await seen.put(error, "✖ /var/lib/prosody may not be read")
        assert "sudo usermod -aG prosody me" in shown
        assert "■ stopped" in shown
        assert "93,682" in shown
        assert seen.app.screen.has_class("-unsettled")
        assert "country Germany" in await seen.press("enter")
        await seen.press("q")
        assert seen.app.return_value == 4


async def test_a_failure_before_the_first_figures() -> None:
    async with screen(waiting_for="Starting") as seen:
        await seen.put(NoPermissionError("no way in"), "✖ no way in")
        await seen.press("m", "h", "c", "slash", "escape", "exclamation_mark", "enter", "s", "r", "[", "4")


async def test_a_problem_shows_no_traceback() -> None:
    async with screen(SAMPLE) as seen:
        shown = await seen.put(ZeroDivisionError("[/nope] \x1b]52;c;x"), "✖ Headcount failed: ZeroDivisionError")
        assert "[/nope]" not in shown  # its text may quote what was read
        assert "Traceback" not in shown
        assert "please report it" in shown
        await seen.press("q")
        assert seen.app.return_value == 1


async def test_a_feed_that_ends_by_itself() -> None:
    async with screen(SAMPLE) as seen:
        shown = await seen.put(None, "■ stopped")
        assert "✖" not in shown
        assert "93,682" in shown


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quit_stops_the_feed(key: str) -> None:
    async with screen(SAMPLE) as seen:
        await seen.press(key)
        assert seen.app.return_value == 0
    assert seen.feed.stopped.wait(60)


@pytest.mark.parametrize("opens", ["question_mark", "exclamation_mark", "m", "slash"])
async def test_ctrl_c_quits_from_anywhere(opens: str) -> None:
    async with screen(SAMPLE) as seen:
        await seen.press(opens)
        await seen.press("ctrl+c")
        assert seen.app.return_value == 0


class Deaf:
    """A feed that hangs, as one does on a dead network mount."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def run(self, publish: Callable[[Snapshot], None], stop: threading.Event) -> None:
        publish(SAMPLE)
        self.release.wait()


async def test_quit_does_not_wait_for_a_feed_that_hangs() -> None:
    feed = Deaf()
    app = HeadcountApp(feed)
    async with app.run_test() as pilot:
        await pilot.press("q")
    app.feed_thread.stop()
    app.feed_thread.join(0.1)
    hanging = [thread for thread in threading.enumerate() if thread.name == "feed"]
    feed.release.set()
    assert len(hanging) == 1, "it was waited for: it ends only now"


async def test_a_feed_that_speaks_when_the_screen_has_no_widgets_is_no_problem() -> None:
    """They go, and the last messages are read then, where the screen of a picture closes."""
    app = HeadcountApp(FakeFeed())
    close_all = app._close_all

    async def closed() -> None:
        await close_all()
        assert app.post_message(Published(SAMPLE))
        assert app.post_message(Ended(Failure("no way in", "", 4)))
        await at_rest()

    app._close_all = closed  # type: ignore[method-assign]
    async with app.run_test() as pilot:
        await pilot.pause()
    assert app._exception is None
    await app.action_quit()
    assert app.return_value == 4, "what failed is known all the same"


async def test_a_newer_snapshot_replaces_one_that_waits() -> None:
    first, second = Published(SAMPLE), Published(replace(SAMPLE, generated_at=1.0))
    assert first.can_replace(second)


async def test_many_snapshots_are_painted_at_the_screens_pace() -> None:
    """The first at once, then the newest each time the pace allows it, and nothing while nothing is new."""
    feed = FakeFeed()
    app = HeadcountApp(feed, pace=3600)
    async with app.run_test() as pilot:
        timers = Timers(pilot, app)
        painted: list[float] = []
        receive = app._main.receive
        app._main.receive = lambda snapshot: painted.append(snapshot.generated_at) or receive(snapshot)
        feed.put(SAMPLE)
        await until_so(pilot, lambda: len(painted) == 1)
        for last in (100, 200):
            for back in range(99, -1, -1):
                feed.put(replace(SAMPLE, generated_at=float(last - back)))
            await until_so(pilot, lambda last=last: app._newest is not None and app._newest.generated_at == last)
            await timers.fire(3600)
        await timers.fire(3600)
        assert painted == [SAMPLE.generated_at, 100, 200]
        feed.put(SAMPLE)
        await until_so(pilot, lambda: len(painted) == 4)


@pytest.mark.parametrize("color", [True, False])
def test_the_command_can_ask_for_no_color(color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")  # so that what `run` sets is undone
    monkeypatch.delenv("NO_COLOR")
    seen: list[bool] = []

    async def note(app: HeadcountApp, mouse: bool) -> int:
        seen.append(app.no_color)
        return 0

    monkeypatch.setattr(HeadcountApp, "run_async", note)
    assert run(FakeFeed(SAMPLE), ScreenOptions(color=color)) == 0
    assert seen == [not color]


def test_a_feed_rests_while_the_loop_is_at_work_and_ends_when_the_loop_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headcount_tui.running.right_of_way.PATIENCE", 60)
    right_of_way = RightOfWay()
    loop = right_of_way.new_loop()
    rounds: list[str] = []

    def feed() -> None:
        while not right_of_way.is_set():
            rounds.append("feed")

    async def work() -> None:
        worker.start()
        while not rounds:
            await asyncio.sleep(0.001)  # the loop waits: the feed goes on
        await asyncio.sleep(0)
        rounds.clear()
        time.sleep(0.05)  # the loop is at work
        assert len(rounds) <= 1
        right_of_way.set()

    worker = threading.Thread(target=feed)
    loop.run_until_complete(work())
    loop.close()
    worker.join(60)
    assert not worker.is_alive()


def test_a_feed_lets_go_for_a_moment_whenever_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr("headcount_tui.running.right_of_way.time.sleep", rests.append)
    right_of_way = RightOfWay()
    assert not right_of_way.is_set()
    right_of_way.set()
    assert right_of_way.is_set()
    assert rests == [BREATH, BREATH]
