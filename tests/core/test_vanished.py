"""A data directory that lost what was in it: nobody is taken for idle, or gone, who is only out of sight."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from headcount.cli import main
from headcount.clients.patterns import ClientPatterns
from headcount.engine.engine import Engine
from headcount.engine.options import Options
from headcount.figures.totals import sum_active
from headcount.places.lookup import Places
from headcount.records import MOVED, NO_HOST, NOT_READABLE, SourceProblems
from headcount.snapshot import Phase, Snapshot
from headcount.sources.directory import DirectorySource
from headcount.state.restart_index import IndexKeeper
from headcount.state.sqlite import SqliteState
from headcount.user_keys import Keys
from support import prosody_writes

DAY = 86_400
PLACES = Places(())
DATABASE = b"SQLite format 3\0" + bytes(4080)
HOSTS = ("a.example", "b.example")


def login(root: Path, host: str, user: str) -> None:
    prosody_writes(
        root, host, "lastlog2", user, f'return {{ ["login"] = {{ ["timestamp"] = {int(time.time())}; }}; }};'
    )


def fill(root: Path) -> None:
    root.mkdir(exist_ok=True)
    for host in HOSTS:
        for user in ("alice", "bob"):
            login(root, host, user)


class Running:
    """An engine that runs in a thread on a directory and a state, and what it showed last."""

    def __init__(self, root: Path, state: Path, *, trusts_files: bool = False, has_index: bool = True) -> None:
        self.stop = threading.Event()
        self.shown: list[Snapshot] = []
        self.later = 0.0
        self._opened = SqliteState(state)
        keys = Keys()
        self._source = DirectorySource(str(root), keys=keys, trusts_files=trusts_files)
        index = IndexKeeper(state.with_name("index"), lambda: "") if has_index else None
        options = Options(
            zone=ZoneInfo("UTC"), zone_name="UTC", clock=self._clock, keys=keys, settle=0, trust_clock=True
        )
        engine = Engine(self._source, PLACES, ClientPatterns([]), self._opened, options, index)
        self._thread = threading.Thread(target=engine.run, args=(self.shown.append, self.stop), daemon=True)
        self._thread.start()

    def _clock(self) -> float:
        return time.time() + self.later

    def close(self) -> None:
        self.stop.set()
        self._thread.join(60)
        self._source.close()
        self._opened.close()

    def until(self, is_so: Callable[[Snapshot], bool]) -> Snapshot:
        end = time.monotonic() + 120
        while not (self.shown and is_so(self.shown[-1])):
            assert time.monotonic() < end, self.shown[-1:]
            assert self._thread.is_alive()
            time.sleep(0.02)
        return self.shown[-1]


def active(snapshot: Snapshot) -> int:
    return sum(sum_active(counts.active.values()).day for counts in snapshot.hosts.values())


def known(snapshot: Snapshot) -> int:
    return sum(counts.users_known for counts in snapshot.hosts.values())


def urgent(snapshot: Snapshot) -> list[str]:
    return [problem.what for problem in snapshot.problems if problem.is_urgent]


def is_well(users: int) -> Callable[[Snapshot], bool]:
    return lambda shown: shown.phase is Phase.LIVE and not urgent(shown) and active(shown) == users


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "prosody"
    fill(root)
    return root


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def empty(root: Path) -> Path:
    """As if the volume were unmounted: what it held is elsewhere."""
    aside = root.with_name("volume")
    aside.mkdir()
    for entry in root.iterdir():
        entry.rename(aside / entry.name)
    return aside


def fill_again(root: Path, aside: Path) -> None:
    for entry in aside.iterdir():
        entry.rename(root / entry.name)


def test_a_volume_that_goes_leaves_the_figures_and_goes_on_when_it_is_back(root: Path, state: Path) -> None:
    with closing(Running(root, state)) as running:
        running.until(is_well(4))
        aside = empty(root)
        shown = running.until(lambda shown: urgent(shown) == [NO_HOST])
        assert (active(shown), known(shown)) == (4, 4)
        running.later = 3 * DAY
        shown = running.until(lambda shown: shown.generated_at > time.time() + 2 * DAY)
        assert (active(shown), known(shown)) == (4, 4)  # who is active can't be told, so it stays
        running.later = 0
        fill_again(root, aside)
        login(root, "a.example", "carol")
        running.until(is_well(5))
    points = [
        sum(past.day for counts in point.hosts.values() for past in counts.values()) for point in shown.history.points
    ]
    assert 0 not in points


def test_it_looks_every_two_seconds_though_no_sweep_is_due(root: Path) -> None:
    now = [0.0]
    with closing(DirectorySource(str(root), watching=False, clock=lambda: now[0])) as source:
        list(source.read())

        def problems_said() -> list[list[str]]:
            now[0] += 2.1
            batches = [record for batch in source.follow(0) for record in batch]
            return [
                [problem.what for problem in record.problems]
                for record in batches
                if isinstance(record, SourceProblems)
            ]

        assert problems_said() == []
        aside = empty(root)
        assert problems_said() == [[NO_HOST]]
        fill_again(root, aside)
        assert problems_said() == [[]]


@pytest.mark.parametrize("has_index", [True, False])
def test_so_does_one_that_is_not_there_at_the_start(root: Path, state: Path, *, has_index: bool) -> None:
    with closing(Running(root, state)) as running:
        running.until(is_well(4))
    if not has_index:
        state.with_name("index").unlink()
    aside = empty(root)
    with closing(Running(root, state)) as running:
        shown = running.until(lambda shown: urgent(shown) == [NO_HOST])
        assert (active(shown), known(shown)) == (4, 4)
        fill_again(root, aside)
        running.until(is_well(4))


def test_one_host_that_is_deleted_is_gone(root: Path, state: Path) -> None:
    with closing(Running(root, state)) as running:
        running.until(is_well(4))
        shutil.rmtree(root / "a%2eexample")
        running.until(is_well(2))


def test_a_host_that_was_renamed_is_no_lost_volume(root: Path, state: Path) -> None:
    shutil.rmtree(root / "b%2eexample")
    with closing(Running(root, state)) as running:
        running.until(is_well(2))
        (root / "a%2eexample").rename(root / "c%2eexample")
        running.until(
            lambda shown: is_well(2)(shown) and "c.example" in shown.hosts and shown.hosts["c.example"].users_known == 2
        )


def test_the_operators_word_that_all_hosts_were_deleted_is_kept(root: Path, state: Path) -> None:
    with closing(Running(root, state)) as running:
        running.until(is_well(4))
    shutil.rmtree(root)
    root.mkdir()
    with closing(Running(root, state, trusts_files=True)) as running:
        running.until(is_well(0))
    with closing(Running(root, state)) as running:
        running.until(is_well(0))


def test_a_server_that_moves_to_a_database_keeps_its_last_figures(root: Path, state: Path) -> None:
    with closing(Running(root, state)) as running:
        running.until(is_well(4))
        later = time.time_ns() + 10 * 10**9
        (root / "prosody.sqlite").write_bytes(DATABASE)
        os.utime(root / "prosody.sqlite", ns=(later, later))
        shown = running.until(lambda shown: urgent(shown) == [MOVED])
        assert "prosody.sqlite" in next(problem.why for problem in shown.problems)
        running.later = 40 * DAY
        shown = running.until(lambda shown: shown.generated_at > time.time() + 39 * DAY)
        assert (active(shown), known(shown)) == (4, 4)
        running.later = 0
        for host in HOSTS:  # as Snikket's tweak does
            shutil.rmtree(root / host.replace(".", "%2e"))
        time.sleep(1.5)
        shown = running.shown[-1]
        assert (urgent(shown), active(shown), known(shown)) == ([MOVED], 4, 4)


def test_a_database_that_holds_something_else_is_found_out_by_the_next_login(root: Path, state: Path) -> None:
    with closing(Running(root, state)) as running:
        running.until(is_well(4))
        (root / "archive.sqlite").write_bytes(DATABASE)
        running.until(lambda shown: urgent(shown) == [MOVED])
        login(root, "a.example", "carol")
        running.until(is_well(5))
        os.utime(root / "archive.sqlite")  # another message
        login(root, "a.example", "dave")
        os.utime(root / "archive.sqlite")
        running.until(is_well(6))


@pytest.fixture
def command(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    monkeypatch.setenv("HOME", str(root.parent))
    monkeypatch.setenv("TZ", "UTC")

    def report(*arguments: str) -> tuple[int, str, str]:
        code = main(["report", str(root), "--state", str(state), "--format", "json", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return report


Command = Callable[..., tuple[int, str, str]]


def problems(told: str) -> list[str]:
    return [problem["what"] for problem in json.loads(told)["problems"]]


def test_a_report_tells_no_zeros_of_a_lost_volume(command: Command, root: Path, state: Path) -> None:
    with closing(Running(root, state)) as running:
        running.until(is_well(4))
    empty(root)
    code, _, error = command()
    assert code == 3
    assert "mounted" in error
    assert "--trust-files" in error
    code, told, _ = command("--trust-files")
    assert code == 0
    assert json.loads(told)["hosts"]["a.example"]["active_users"]["1d"] == 0


def test_a_report_tells_of_a_newer_database(command: Command, root: Path, state: Path) -> None:
    later = time.time_ns() + 10 * 10**9
    other = root / "other.sqlite"
    other.write_bytes(b"SQLite format 2\0")
    os.utime(other, ns=(later, later))
    (root / "old.sqlite").write_bytes(DATABASE)
    os.utime(root / "old.sqlite", (1, 1))
    code, told, _ = command()
    assert (code, problems(told)) == (0, [])
    other.write_bytes(DATABASE)
    os.utime(other, ns=(later, later))
    code, told, _ = command()
    assert (code, problems(told)) == (0, [MOVED])
    assert json.loads(told)["hosts"]["a.example"]["active_users"]["1d"] == 2
    code, told, _ = command("--trust-files")
    assert (code, problems(told)) == (0, [])


def unreadable(root: Path, host: str, user: str) -> Path:
    """A record that nobody can read, root neither: a directory has its name."""
    path = root / host.replace(".", "%2e") / "lastlog2" / f"{user}.dat"
    path.unlink()
    path.mkdir()
    return path


def test_where_no_record_can_be_read_a_report_fails(command: Command, root: Path) -> None:
    made = [unreadable(root, host, user) for host in HOSTS for user in ("alice", "bob")]
    code, told, error = command()
    assert (code, told) == (4, "")
    assert "4 users" in error
    made[0].rmdir()
    login(root, HOSTS[0], "alice")
    code, told, _ = command()
    assert (code, problems(told)) == (0, ["unreadable record"])


def test_who_was_read_before_stays_active_where_nothing_can_be_read_any_more(root: Path, state: Path) -> None:
    with closing(Running(root, state)) as running:
        running.until(is_well(4))
        made = [unreadable(root, host, user) for host in HOSTS for user in ("alice", "bob")]
        shown = running.until(lambda shown: NOT_READABLE in urgent(shown))
        assert active(shown) == 4
        for path in made:
            path.rmdir()
        fill(root)
        running.until(is_well(4))


IN_A_NAMESPACE = """
import subprocess, sys
from contextlib import closing
from pathlib import Path
import test_vanished as tested

root, state = Path(sys.argv[1]) / "mounted", Path(sys.argv[1]) / "state.db"
root.mkdir()
def mount():
    subprocess.run(["mount", "--bind", sys.argv[1] + "/volume", str(root)], check=True)
volume = Path(sys.argv[1]) / "volume"
tested.fill(volume)
mount()
with closing(tested.Running(root, state)) as running:
    running.until(tested.is_well(4))
    subprocess.run(["umount", "--lazy", str(root)], check=True)
    running.until(lambda shown: tested.urgent(shown) == [tested.NO_HOST] and tested.active(shown) == 4)
    mount()
    tested.login(root, "a.example", "carol")
    running.until(tested.is_well(5))
print("seen")
"""


def test_a_real_mount_that_goes_and_comes(tmp_path: Path) -> None:
    private = ["unshare", "--mount", "--propagation", "private"]
    if subprocess.run([*private, "mount", "-t", "tmpfs", "none", str(tmp_path)], capture_output=True).returncode:
        pytest.skip("mounting needs root, or a system that lets users have mount namespaces of their own")
    here = Path(__file__).parents[2]
    paths = os.pathsep.join(str(here / part) for part in ("core", "tui", "tests", "tests/core"))
    done = subprocess.run(
        [*private, sys.executable, "-c", IN_A_NAMESPACE, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout == "seen\n", done.stderr[-3000:]
