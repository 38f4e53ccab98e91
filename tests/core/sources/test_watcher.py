"""The kernel's word that files changed: each is told, by the path of its directory, or that some were not."""

import ctypes
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headcount.sources.watcher import Changes, Watcher

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher()
    yield made
    made.close()


def told_until(watcher: Watcher, is_so: Callable[[Changes], bool]) -> Changes:
    told: Changes = {}
    deadline = time.monotonic() + 10
    while not is_so(told):
        assert time.monotonic() < deadline, "it was not told in time"
        for path, names in watcher.wait(0.1).items():
            told.setdefault(path, set()).update(names)
    return told


def written(path: Path) -> Path:
    temporary = path.with_name(path.name + "~")
    temporary.write_text("x")
    return temporary.rename(path)


def test_a_change_is_told_by_its_directory_and_what_lies_below_is_not(watcher: Watcher, tmp_path: Path) -> None:
    one, other, below = tmp_path / "one", tmp_path / "other", tmp_path / "one" / "below"
    for path in (one, other, below):
        path.mkdir()
    watcher.watch([os.fsencode(one), os.fsencode(other)])
    written(below / "carol.dat")
    written(one / "alice.dat")
    written(other / "bob.dat")
    (other / "bob.dat").unlink()
    told = told_until(watcher, lambda told: len(told) == 2)
    assert b"alice.dat" in told[os.fsencode(one)]
    assert b"bob.dat" in told[os.fsencode(other)]
    assert not any(b"carol" in name for names in told.values() for name in names)
    assert watcher.wait(0.1) == {}
    assert not watcher.has_lost()


def test_a_file_that_is_written_in_place_may_be_read_again_or_moves_away_is_told(
    watcher: Watcher, tmp_path: Path
) -> None:
    for name in ("written", "closed", "moved", "linked"):
        (tmp_path / name).write_text("x")
    watcher.watch([os.fsencode(tmp_path)])
    (tmp_path / "written").write_text("y")
    (tmp_path / "closed").chmod(0o600)
    (tmp_path / "moved").rename(tmp_path.parent / f"{tmp_path.name}-moved")
    (tmp_path / "new").hardlink_to(tmp_path / "linked")
    wanted = {b"written", b"closed", b"moved", b"new"}
    assert wanted <= told_until(watcher, lambda told: wanted <= set().union(*told.values()))[os.fsencode(tmp_path)]


def test_a_name_that_is_no_text_is_told_as_it_is(watcher: Watcher, tmp_path: Path) -> None:
    watcher.watch([os.fsencode(tmp_path)])
    name = b"\xff\xfe\x1b[2J.dat"
    Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_text("x")
    written(tmp_path / "alice.dat")
    told = told_until(watcher, lambda told: b"alice.dat" in told.get(os.fsencode(tmp_path), ()))
    assert name in told[os.fsencode(tmp_path)]


def test_a_directory_that_goes_is_told_and_another_of_its_name_is_watched_when_asked(
    watcher: Watcher, tmp_path: Path
) -> None:
    store = tmp_path / "lastlog2"
    path = os.fsencode(store)
    store.mkdir()
    watcher.watch([path])
    shutil.rmtree(store)
    assert told_until(watcher, lambda told: b"" in told.get(path, ()))
    store.mkdir()
    watcher.watch([path])
    written(store / "alice.dat")
    told_until(watcher, lambda told: b"alice.dat" in told.get(path, ()))


def test_one_that_is_renamed_away_is_not_told_of_under_its_old_name(watcher: Watcher, tmp_path: Path) -> None:
    store, away = tmp_path / "lastlog2", tmp_path / "away"
    path = os.fsencode(store)
    store.mkdir()
    watcher.watch([path])
    store.rename(away)
    store.mkdir()
    watcher.watch([path])
    watcher.wait(0.1)
    written(away / "alice.dat")
    written(store / "bob.dat")
    told = told_until(watcher, lambda told: b"bob.dat" in told.get(path, ()))
    assert b"alice.dat" not in told[path]


def test_what_can_not_be_watched_is_left_out(watcher: Watcher, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    watcher.watch([os.fsencode(path) for path in (tmp_path / "missing", file, tmp_path)])
    assert watcher.failure() is None
    written(tmp_path / "alice.dat")
    told_until(watcher, lambda told: b"alice.dat" in told.get(os.fsencode(tmp_path), ()))


def test_that_the_kernel_dropped_changes_is_told_once(watcher: Watcher, tmp_path: Path) -> None:
    holds = int(QUEUE.read_text())
    if holds > 50_000:
        pytest.skip(f"the kernel holds {holds:,} changes here")
    watcher.watch([os.fsencode(tmp_path)])
    with watcher._lock:  # nobody takes them
        for number in range(holds // 2):
            written(tmp_path / f"user{number}.dat")
    told_until(watcher, lambda told: bool(told))
    deadline = time.monotonic() + 10
    while not watcher.has_lost():
        assert time.monotonic() < deadline, "it was not told in time"
        watcher.wait(0.1)
    watcher.wait(0.2)
    assert not watcher.has_lost()
    written(tmp_path / "alice.dat")
    told_until(watcher, lambda told: b"alice.dat" in told.get(os.fsencode(tmp_path), ()))


def test_where_there_is_no_inotify_it_is_told_and_what_can_be_is_tried_again(
    watcher: Watcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(ctypes, "CDLL", lambda *_, **__: object())
        watcher.watch([os.fsencode(tmp_path)])
    assert watcher.failure()
    assert watcher.failure() is None
    watcher.watch([os.fsencode(tmp_path)])
    written(tmp_path / "alice.dat")
    told_until(watcher, lambda told: bool(told))


def test_closing_ends_it_at_once_and_leaves_nothing_open(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    watcher = Watcher()
    watcher.watch([os.fsencode(tmp_path)])
    assert set(os.listdir("/proc/self/fd")) > before
    watcher.close()
    assert len(os.listdir("/proc/self/fd")) == len(before)
    watcher.close()
