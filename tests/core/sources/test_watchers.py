"""What tells of changes: each is told, by the path of its directory, or that some may not have been."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headcount.sources import watch_limits
from headcount.sources.watch import LATE, NOT_TEXT, Changes, Watch
from headcount.sources.watcher import Watcher
from support import unprivileged

NEVER = 0.2
"""Seconds for which nothing more is awaited."""


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher()
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


def so(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.01)


def all_of(*paths: Path) -> dict[bytes, bytes]:
    """What has all be told that changes in those directories."""
    return {os.fsencode(path): b"" for path in paths}


def written(path: Path) -> Path:
    temporary = path.with_name(path.name + "~")
    temporary.write_text("x")
    return temporary.rename(path)


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def test_a_change_is_told_by_its_directory_and_what_lies_below_is_not(watcher: Watcher, tmp_path: Path) -> None:
    one, other, below = tmp_path / "one", tmp_path / "other", tmp_path / "one" / "below"
    for path in (one, other, below):
        path.mkdir()
    watcher.watch(all_of(one, other))
    written(below / "carol.dat")
    written(one / "alice.dat")
    written(other / "bob.dat")
    (other / "bob.dat").unlink()
    wanted = {os.fsencode(one): b"alice.dat", os.fsencode(other): b"bob.dat"}
    told = told_until(watcher, lambda told: all(name in told.get(path, ()) for path, name in wanted.items()))
    for _ in range(50):  # what was done last may be told by itself, and then nothing any more
        if not (rest := watcher.wait(NEVER)):
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
    watcher.watch(all_of(tmp_path))
    (tmp_path / "written").write_text("y")
    (tmp_path / "closed").chmod(0o600)
    (tmp_path / "moved").rename(tmp_path.parent / f"{tmp_path.name}-moved")
    (tmp_path / "new").hardlink_to(tmp_path / "linked")
    wanted = {b"written", b"closed", b"moved", b"new"}
    assert wanted <= told_until(watcher, lambda told: wanted <= set().union(*told.values()))[os.fsencode(tmp_path)]


def test_of_a_directory_only_names_that_end_as_asked_are_told_and_no_temporary_one(
    watcher: Watcher, tmp_path: Path
) -> None:
    store, host = tmp_path / "host~" / "lastlog2", tmp_path / "host~"
    store.mkdir(parents=True)
    watcher.watch({os.fsencode(store): b".dat", os.fsencode(host): b""})
    for directory in (store, host):
        for name in ("alice.dat", "a line\nand é.dat", "list.list", "last.dat"):
            written(directory / name)
    shutil.rmtree(host)
    told = told_until(
        watcher, lambda told: all({b"last.dat", b""} <= told.get(os.fsencode(path), set()) for path in (store, host))
    )
    users = {b"alice.dat", "a line\nand é.dat".encode(), b"last.dat"}
    assert told == {
        os.fsencode(store): {*users, b""},
        os.fsencode(host): {*users, b"list.list", b""},
    }


def test_a_name_that_is_no_text_ends_the_watch_says_so_once_and_the_next_watch_stands(
    watcher: Watcher, tmp_path: Path
) -> None:
    watcher.watch(all_of(tmp_path))
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe\x1b[2J.dat")).write_text("x")
    failures: list[str] = []
    so(lambda: watcher.wait(0.01) or ((failure := watcher.failure()) and failures.append(failure)) or failures)
    assert failures == [NOT_TEXT]
    assert watcher.failure() is None
    watcher.watch(all_of(tmp_path))
    written(tmp_path / "alice.dat")
    told_until(watcher, lambda told: b"alice.dat" in told.get(os.fsencode(tmp_path), ()))
    assert watcher.failure() is None


def test_a_path_that_is_no_text_is_not_watched_and_says_so(watcher: Watcher, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(path)
    watcher.watch({path: b""})
    assert "not UTF-8" in (watcher.failure() or "")


def test_a_directory_that_goes_is_told_and_another_of_its_name_is_watched_when_asked(
    watcher: Watcher, tmp_path: Path
) -> None:
    store = tmp_path / "lastlog2"
    path = os.fsencode(store)
    store.mkdir()
    watcher.watch(all_of(store))
    shutil.rmtree(store)
    assert told_until(watcher, lambda told: b"" in told.get(path, ()))
    store.mkdir()
    watcher.watch(all_of(store))
    written(store / "alice.dat")
    told_until(watcher, lambda told: b"alice.dat" in told.get(path, ()))


def test_one_that_is_renamed_away_is_told_and_then_not_under_its_old_name(watcher: Watcher, tmp_path: Path) -> None:
    store, away = tmp_path / "lastlog2", tmp_path / "away"
    path = os.fsencode(store)
    store.mkdir()
    watcher.watch(all_of(store))
    before = watcher._watch
    store.rename(away)
    assert told_until(watcher, lambda told: b"" in told.get(path, ()))
    store.mkdir()
    watcher.watch(all_of(store))
    so(lambda: before and not before.is_alive)
    watcher.wait(0)
    written(away / "alice.dat")
    written(store / "bob.dat")
    told = told_until(watcher, lambda told: b"bob.dat" in told.get(path, ()))
    assert b"alice.dat" not in told[path]


def test_what_can_not_be_watched_is_left_out(watcher: Watcher, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    watcher.watch(all_of(tmp_path / "missing", file, tmp_path))
    assert watcher.failure() is None
    written(tmp_path / "alice.dat")
    told_until(watcher, lambda told: b"alice.dat" in told.get(os.fsencode(tmp_path), ()))


def test_nothing_is_missed_while_one_watch_takes_the_place_of_another(watcher: Watcher, tmp_path: Path) -> None:
    names = set()
    for number in range(30):
        watcher.watch(all_of(tmp_path))
        names.add(os.fsencode(written(tmp_path / f"user{number}.dat").name))
    told_until(watcher, lambda told: told.get(os.fsencode(tmp_path), set()) >= names)
    assert not watcher.has_lost()


class Backend:
    """Stands in for watchfiles: tells, once each, what it is given, and then nothing."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)

    def __call__(self, *_: object) -> "Backend":
        return self

    def watch(self, debounce: int, step: int, patience: int, stop: object) -> object:
        time.sleep(0.001)
        answer = self._answers.pop(0) if self._answers else "timeout"
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        pass


def backed(monkeypatch: pytest.MonkeyPatch, *answers: object) -> None:
    monkeypatch.setattr("watchfiles._rust_notify.RustNotify", Backend(*answers))


@pytest.mark.parametrize("queue", [16_384, 65_536])
@pytest.mark.parametrize("parts", [1, 2])
def test_so_many_changes_at_once_that_some_may_be_lost_are_told_once(
    watcher: Watcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: int, parts: int
) -> None:
    """A login is eight events of a queue and three changes, and a full queue may be told in two parts."""
    monkeypatch.setattr(watch_limits, "limit", lambda name: {"max_queued_events": queue}[name])
    for too_many in (False, True):
        logins = queue // 8 + too_many
        paths = [f"{tmp_path}/user{number}.dat" for number in range(logins)]
        batches = [
            {change for path in paths[part::parts] for change in ((1, path), (1, path + "~"), (3, path + "~"))}
            for part in range(parts)
        ]
        backed(monkeypatch, *batches)
        watcher.watch(all_of(tmp_path))
        told_until(watcher, lambda told: len(told.get(os.fsencode(tmp_path), ())) == len(paths))  # noqa: B023
        assert watcher.has_lost() is too_many
        assert not watcher.has_lost()


@pytest.mark.parametrize("answer", ["timeout", {(1, "/alice.dat")}])
def test_a_process_that_was_stopped_may_have_lost_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    moments = iter((0.0, *[0.1] * 4, *[0.2 + LATE] * 2))
    backed(monkeypatch, "timeout", answer, answer)
    watcher = Watcher(clock=lambda: next(moments, 0.2 + LATE))
    watcher.watch(all_of(tmp_path))
    so(watcher.has_lost)
    assert not watcher.has_lost()
    watcher.close()


@pytest.mark.parametrize("error", [BaseException("it names alice.dat"), RuntimeError("it names alice.dat")])
def test_a_watch_that_ends_by_itself_says_so_once_and_names_nobody(
    watcher: Watcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    backed(monkeypatch, error)
    watcher.watch(all_of(tmp_path))
    assert watcher.wait(120) == {}
    failure = watcher.failure()
    assert failure
    assert type(error).__name__ in failure
    assert "alice" not in failure
    assert watcher.failure() is None


def test_closing_ends_it_at_once_and_leaves_nothing_open(tmp_path: Path) -> None:
    descriptors, running = len(os.listdir("/proc/self/fd")), threads()
    watcher = Watcher()
    for _ in range(3):
        watcher.watch(all_of(tmp_path))
    assert watch_limits.instances()
    watcher.close()
    assert not watch_limits.instances()
    so(lambda: len(os.listdir("/proc/self/fd")) <= descriptors and threads() <= running)
    watcher.close()


def test_it_is_seen_how_many_directories_are_watched(watcher: Watcher, tmp_path: Path) -> None:
    stores = [tmp_path / str(number) for number in range(4)]
    for store in stores:
        store.mkdir()
    (tmp_path / "link").symlink_to(stores[0])
    watcher.watch(all_of(*stores, tmp_path / "link"))
    assert watcher.failure() is None
    assert isinstance(watcher._watch, Watch)
    assert watcher._watch.standing == 4
    assert watch_limits.standing(watch_limits.instances()) == 4


def refused(*_: object) -> Backend:
    raise RuntimeError("Error creating recommended watcher: Too many open files (os error 24)")


@pytest.fixture
def stores(open_tmp: Path) -> list[Path]:
    paths = [open_tmp / str(number) for number in range(6)]
    for path in paths:
        path.mkdir()
    return paths


class TestLimits:
    """What the system allows is not enough: what can be watched is, and which limit to raise is said by its name."""

    def test_of_watches(self, watcher: Watcher, stores: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
        left = [4, 0, 6]
        monkeypatch.setattr(watch_limits, "standing", lambda _: left.pop(0))
        watcher.watch(all_of(*stores))
        failure = watcher.failure()
        assert failure
        assert "4 of 6" in failure
        assert "fs.inotify.max_user_watches" in failure
        first = watcher._watch
        watcher.watch(all_of(*stores))  # there is no more room than before, so the one that stands goes on
        assert watcher._watch is first
        assert watcher.failure() == failure
        written(stores[0] / "alice.dat")
        told_until(watcher, lambda told: b"alice.dat" in told.get(os.fsencode(stores[0]), ()))
        watcher.watch(all_of(*stores))
        assert watcher._watch is not first
        assert watcher.failure() is None

    def test_of_those_who_watch(self, watcher: Watcher, stores: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("watchfiles._rust_notify.RustNotify", refused)
            watcher.watch(all_of(*stores))
        failure = watcher.failure()
        assert failure
        assert "fs.inotify.max_user_instances" in failure
        watcher.watch(all_of(*stores))
        assert watcher.failure() is None
        written(stores[0] / "alice.dat")
        told_until(watcher, lambda told: bool(told))

    def test_a_directory_that_may_not_be_read_or_goes_meanwhile_is_no_matter_of_limits(
        self, watcher: Watcher, stores: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        instances = watch_limits.instances

        def gone_since() -> set[str]:
            shutil.rmtree(stores[1], ignore_errors=True)
            return instances()

        monkeypatch.setattr(watch_limits, "instances", gone_since)
        stores[0].chmod(0)
        with unprivileged():
            watcher.watch(all_of(*stores))
        assert watcher.failure() is None

    def test_as_the_kernel_has_them(self, stores: list[Path]) -> None:
        """In a process whose limits are its own, which takes a user namespace."""
        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", sys.executable, "-c", AT_THE_LIMITS, *map(str, stores)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        if "unshare" in done.stderr or "max_inotify" in done.stderr:
            pytest.skip("no user namespace can be made here")
        assert done.stderr == ""
        short, still, room, swapped, none, files = done.stdout.splitlines()
        assert short == still
        assert "4 of 6" in short
        assert "fs.inotify.max_user_watches" in short
        assert room == swapped == "None 6"
        assert "fs.inotify.max_user_instances" in none
        assert "ulimit -n" in files


AT_THE_LIMITS = """
import os, resource, sys
from headcount.sources.watcher import Watcher

def limit(name, number):
    with open("/proc/sys/user/max_inotify_" + name, "w") as file:
        file.write(str(number))

def watch():
    watcher.watch(dict.fromkeys(map(os.fsencode, sys.argv[1:]), b""))
    print(watcher.failure(), watcher._watch and watcher._watch.standing)

watcher = Watcher()
limit("watches", 4)
watch()
watch()
limit("watches", 10)  # no room for two of six
watch()
limit("instances", 1)
watch()
watcher.close()
limit("instances", 0)
watch()
limit("instances", 9)
opened = [os.open("/", os.O_RDONLY)]
resource.setrlimit(resource.RLIMIT_NOFILE, (opened[0] + 1, opened[0] + 1))
watch()
"""
