"""What the watcher does not tell is found: by a sweep, before which all is watched again."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from followed import Clock, Said, log_in

from headcount.sources import watch_limits
from headcount.sources.directory import DirectorySource


@pytest.fixture
def root(open_tmp: Path) -> Path:
    path = open_tmp / "prosody"
    path.mkdir()
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sources() -> Iterator[list[DirectorySource]]:
    opened: list[DirectorySource] = []
    yield opened
    for source in opened:
        source.close()


@pytest.fixture
def watched(root: Path, clock: Clock, sources: list[DirectorySource]) -> Said:
    """What is said of `root` by a source with a real watcher, whose sweeps come when the clock goes."""
    log_in(root, "alice", 10)
    source = DirectorySource(str(root), clock=clock)
    sources.append(source)
    said = Said(source).read()
    until(
        said,
        clock,
        lambda: not any(host.fresh for host in source._layout.hosts.values()),
    )
    return said


def until(said: Said, clock: Clock, is_so: Callable[[], bool]) -> None:
    """Follows, with time going on, until it is so."""
    for _ in range(1000):
        if is_so():
            return
        clock.now += 1
        said.take(said.source.follow(0.1))
    raise AssertionError("it was not seen in time")


def test_a_name_that_is_no_text_costs_no_count_and_the_watch_stands_again(
    root: Path, watched: Said, clock: Clock
) -> None:
    store = log_in(root, "bob", 20).parent
    Path(os.fsdecode(os.fsencode(store) + b"/\xff.dat")).write_text("x")
    until(watched, clock, lambda: "watching interrupted" in watched.kinds())
    problem = next(problem for problem in watched.problems if problem.what == "watching interrupted")
    assert "not UTF-8" in problem.why
    log_in(root, "carol", 30)
    until(watched, clock, lambda: watched.last("carol") == 30 and "watching interrupted" not in watched.kinds())
    assert watched.last("bob") == 20
    assert watched.kinds() == {"name is not canonical"}
    log_in(root, "alice", 40)
    watched.follow_until(lambda: watched.last("alice") == 40)  # the clock stands, so no sweep has found it


def test_after_changes_that_were_lost_a_directory_of_the_same_number_is_watched_again(
    root: Path, watched: Said, clock: Clock
) -> None:
    watcher = watched.source._watcher
    assert watcher is not None
    before = watcher._watch
    watcher._take({}, may_lack=True)
    until(watched, clock, lambda: watcher._watch is not before)
    log_in(root, "alice", 40)
    watched.follow_until(lambda: watched.last("alice") == 40)


@pytest.mark.parametrize("by", ["deleted", "renamed"])
def test_a_store_that_went_and_came_again_is_followed(root: Path, watched: Said, clock: Clock, by: str) -> None:
    store = root / "example%2ecom" / "lastlog2"
    if by == "deleted":
        shutil.rmtree(store)
    else:
        store.rename(root.parent / "away")
    log_in(root, "bob", 20)
    until(watched, clock, lambda: watched.last("bob") == 20 and watched.last("alice") == float("-inf"))
    for when in (30, 40):
        log_in(root, "carol", when)
        until(watched, clock, lambda: watched.last("carol") == when)  # noqa: B023


def test_at_the_systems_limit_all_is_found_and_it_is_said_which_to_raise(
    root: Path, clock: Clock, sources: list[DirectorySource], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(root, "alice", 10)
    monkeypatch.setattr(watch_limits, "standing", lambda _: 2)
    sources.append(DirectorySource(str(root), clock=clock))
    said = Said(sources[0]).read()
    until(said, clock, lambda: bool(said.problems))
    assert [(problem.what, "2 of 3" in problem.why) for problem in said.problems] == [("watching interrupted", True)]
    assert "fs.inotify.max_user_watches" in said.problems[0].why
    log_in(root, "alice", 20)
    until(said, clock, lambda: said.last("alice") == 20)
    assert said.problems
    monkeypatch.undo()
    until(said, clock, lambda: not said.problems)
