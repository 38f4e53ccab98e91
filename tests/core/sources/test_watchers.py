"""What tells of changes: each is told, by the path of its directory, or that some were not. By the kernel's own word,
and by watchfiles, which stands in where there is no inotify."""

import ctypes
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headcount.sources import inotify
from headcount.sources.inotify import Inotify
from headcount.sources.notifier import BURST, Notifier
from headcount.sources.watcher import Changes, Watcher

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


pytestmark = pytest.mark.skipif(not inotify.is_there(), reason="it takes Linux, which has inotify")


@pytest.fixture(params=[Inotify, Notifier])
def watcher(request: pytest.FixtureRequest) -> Iterator[Watcher]:
    made: Watcher = request.param()
    yield made
    made.close()


@pytest.fixture
def kernel() -> Iterator[Inotify]:
    made = Inotify()
    yield made
    made.close()


def told_until(watcher: Watcher, is_so: Callable[[Changes], bool]) -> Changes:
    told: Changes = {}
    deadline = time.monotonic() + 120
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
    wanted = {os.fsencode(one): b"alice.dat", os.fsencode(other): b"bob.dat"}
    told = told_until(watcher, lambda told: all(name in told.get(path, ()) for path, name in wanted.items()))
    for _ in range(50):  # what was done last may be told by itself, and then nothing any more
        if not (rest := watcher.wait(0.2)):
            break
        for path, names in rest.items():
            told.setdefault(path, set()).update(names)
    assert rest == {}
    assert not any(b"carol" in name for names in told.values() for name in names)
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


def test_a_name_that_is_no_text_is_told_as_it_is(kernel: Inotify, tmp_path: Path) -> None:
    kernel.watch([os.fsencode(tmp_path)])
    name = b"\xff\xfe\x1b[2J.dat"
    Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_text("x")
    written(tmp_path / "alice.dat")
    told = told_until(kernel, lambda told: b"alice.dat" in told.get(os.fsencode(tmp_path), ()))
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


def test_one_that_is_renamed_away_is_not_told_of_under_its_old_name(kernel: Inotify, tmp_path: Path) -> None:
    store, away = tmp_path / "lastlog2", tmp_path / "away"
    path = os.fsencode(store)
    store.mkdir()
    kernel.watch([path])
    store.rename(away)
    store.mkdir()
    kernel.watch([path])
    kernel.wait(0.1)
    written(away / "alice.dat")
    written(store / "bob.dat")
    told = told_until(kernel, lambda told: b"bob.dat" in told.get(path, ()))
    assert b"alice.dat" not in told[path]


def test_what_can_not_be_watched_is_left_out(watcher: Watcher, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    watcher.watch([os.fsencode(path) for path in (tmp_path / "missing", file, tmp_path)])
    assert watcher.failure() is None
    written(tmp_path / "alice.dat")
    told_until(watcher, lambda told: b"alice.dat" in told.get(os.fsencode(tmp_path), ()))


def test_that_the_kernel_dropped_changes_is_told_once(kernel: Inotify, tmp_path: Path) -> None:
    holds = int(QUEUE.read_text())
    if holds > 50_000:
        pytest.skip(f"the kernel holds {holds:,} changes here")
    kernel.watch([os.fsencode(tmp_path)])
    with kernel._lock:  # nobody takes them
        for number in range(holds // 2):
            written(tmp_path / f"user{number}.dat")
    told_until(kernel, lambda told: bool(told))
    deadline = time.monotonic() + 120
    while not kernel.has_lost():
        assert time.monotonic() < deadline, "it was not told in time"
        kernel.wait(0.1)
    kernel.wait(0.2)
    assert not kernel.has_lost()
    written(tmp_path / "alice.dat")
    told_until(kernel, lambda told: b"alice.dat" in told.get(os.fsencode(tmp_path), ()))


def test_where_there_is_no_inotify_it_is_told_and_what_can_be_is_tried_again(
    kernel: Inotify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(ctypes, "CDLL", lambda *_, **__: object())
        kernel.watch([os.fsencode(tmp_path)])
    assert kernel.failure()
    assert kernel.failure() is None
    kernel.watch([os.fsencode(tmp_path)])
    written(tmp_path / "alice.dat")
    told_until(kernel, lambda told: bool(told))


def test_so_many_changes_at_once_that_some_may_be_lost_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [{(1, f"{tmp_path}/user{number}.dat") for number in range(many)} for many in (BURST, BURST + 1)]
    monkeypatch.setattr("watchfiles.watch", lambda *_, **__: iter(batches[:1]))
    notifier = Notifier()
    notifier.watch([os.fsencode(tmp_path)])
    assert len(notifier.wait(120)[os.fsencode(tmp_path)]) == BURST
    assert not notifier.has_lost()
    monkeypatch.setattr("watchfiles.watch", lambda *_, **__: iter(batches[1:]))
    notifier.watch([os.fsencode(tmp_path)])
    assert len(notifier.wait(120)[os.fsencode(tmp_path)]) == BURST + 1
    assert notifier.has_lost()
    assert not notifier.has_lost()
    notifier.close()


def test_a_notifier_that_ends_by_itself_says_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def panics(*_: object, **__: object) -> Iterator[object]:
        raise BaseException("it names alice.dat")

    monkeypatch.setattr("watchfiles.watch", panics)
    notifier = Notifier()
    notifier.watch([os.fsencode(tmp_path)])
    assert notifier.wait(120) == {}
    assert notifier.failure() == "BaseException"
    assert notifier.failure() is None
    notifier.close()


def test_closing_ends_it_at_once_and_leaves_nothing_open(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    watcher = Inotify()
    watcher.watch([os.fsencode(tmp_path)])
    assert set(os.listdir("/proc/self/fd")) > before
    watcher.close()
    assert len(os.listdir("/proc/self/fd")) == len(before)
    watcher.close()
