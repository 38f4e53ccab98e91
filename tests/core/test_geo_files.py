"""GeoIP files that change, fall and come back under whoever reads them: nothing that happens to one ends a process."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_geo import FRANKFURT, places, refresh_until, wait_for_children, write

import headcount
from headcount.errors import NoPermissionError, UsageError
from headcount.places.database import About
from headcount.places.database_file import RETRY
from headcount.places.lookup import Places
from headcount.places.private_copies import Store
from headcount.places.proof import Answer, Proof
from headcount.snapshot import Place
from support import unprivileged

# A parent that is killed while its child waits to be asked for more, or goes through a file that has no end.
PARENT = """
import sys; sys.path.insert(0, sys.argv[1])
import os, time
from headcount.places import proof as geo_proof
endless = "import itertools, headcount.places.proving as it; it.addresses = lambda *_: itertools.repeat('8.8.8.8'); "
geo_proof._BEGIN = geo_proof._BEGIN.replace("from headcount", endless + "from headcount", 1)
proof = geo_proof.Proof(sys.argv[2], 1, [], time.monotonic)
while proof.about is None:
    proof.answer(1)
if sys.argv[3]:
    proof.go_on(sys.argv[3])
    while os.path.getsize(sys.argv[3]) < os.path.getsize(sys.argv[2]):
        time.sleep(0.01)
print(proof._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
ADDRESSES = ("203.0.113.7", "198.51.100.1", "198.51.100.200", "2001:db8:1::1", "8.8.8.8")


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write(tmp_path / "city.mmdb", "GeoLite2-City")


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    return tmp_path / "state.db.geo"


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files for which a child was begun."""
    paths: list[str] = []

    class Noted(Proof):
        def __init__(self, path: str, *more: object) -> None:
            paths.append(path)
            super().__init__(path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("headcount.places.database_file.Proof", Noted)
    return paths


def kept(beside: Path, *files: Path, usual: tuple[str, ...] = ()) -> Places:
    """Places as an engine has them."""
    return Places(files, usual=usual, store=Store(str(beside)))


def damage(path: Path) -> None:
    """Makes a string of a record one that is none, by rename; the frame of the file stays whole."""
    whole = path.read_bytes()
    at = whole.index(b"iso_code") + 3
    new = path.with_name("damaged")
    new.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    new.rename(path)


class TestUnderAnEngine:
    """What is done to the file while it is in use."""

    @pytest.mark.parametrize("length", [0, 100, 1900])
    def test_one_that_is_cut_in_place_stays_in_use_as_it_was(self, city: Path, length: int) -> None:
        found = places(city)
        os.truncate(city, length)
        for address in ADDRESSES:
            assert isinstance(found.lookup(address), Place)
        assert found.lookup("203.0.113.7") == FRANKFURT
        refresh_until(found, lambda: found.problems)
        (problem,) = found.problems
        assert str(city) in problem
        assert "The last good one (GeoLite2-City " in problem

    def test_one_that_is_overwritten_slowly_is_used_when_it_is_done(self, city: Path, tmp_path: Path) -> None:
        found = places(city)
        after = write(tmp_path / "after", "City", {"203.0.113.0/24": {"country_code": "FR"}}).read_bytes()
        with city.open("r+b") as file:
            for at in range(0, len(after), 100):
                file.write(after[at : at + 100])
                file.flush()
                found.refresh()
                assert found.lookup("203.0.113.7") == FRANKFURT
            file.truncate()
        refresh_until(found, lambda: found.label.startswith("City"))
        assert found.lookup("203.0.113.7") == Place("FR")
        assert found.problems == ()

    def test_one_that_is_written_to_while_it_is_looked_through_is_looked_through_again(
        self, city: Path, begun: list[str]
    ) -> None:
        found = places(city)
        write(city, "City", {"203.0.113.0/24": {"country_code": "FR"}})
        refresh_until(found, lambda: len(begun) == 2)
        write(city, "City", {"203.0.113.0/24": {"country_code": "JP"}})
        refresh_until(found, lambda: found.label.startswith("City"))
        assert found.lookup("203.0.113.7") == Place("JP")

    def test_one_that_goes_away_stays_in_use_and_is_taken_again_when_it_comes_back(self, city: Path) -> None:
        found = places(city)
        whole = city.read_bytes()
        city.unlink()
        assert not found.refresh()
        assert "There is no GeoIP database" in found.problems[0]
        city.write_bytes(whole)
        refresh_until(found, lambda: not found.problems)
        wait_for_children(found)
        assert found.lookup("203.0.113.7") == FRANKFURT

    @pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "link to a device"])
    def test_what_is_no_file_in_its_place_is_told_and_never_waited_for(self, city: Path, kind: str) -> None:
        found = places(city)
        city.unlink()
        make(city, kind)
        for _ in range(3):
            assert not found.refresh()
        assert "not a GeoIP database that can be read" in found.problems[0]
        assert found.lookup("203.0.113.7") == FRANKFURT

    def test_one_that_is_damaged_inside_does_not_take_its_place(self, city: Path) -> None:
        found = places(city)
        damage(city)
        refresh_until(found, lambda: found.problems)
        assert "is damaged" in found.problems[0]
        assert "stays in use" in found.problems[0]
        assert found.lookup("203.0.113.7") == FRANKFURT

    def test_one_that_appears_in_a_usual_place_is_used_from_then_on(self, tmp_path: Path) -> None:
        found = places(usual=(str(tmp_path / "GeoIP"),))
        assert found.lookup("8.8.8.8") == Place("US")
        (tmp_path / "GeoIP").mkdir()
        write(tmp_path / "GeoIP/ASN.mmdb", "GeoLite2-ASN")
        write(tmp_path / "GeoIP/City.mmdb", "GeoLite2-City")
        refresh_until(found, lambda: found.has_cities)
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert found.warnings == found.notes == found.problems == ()


class TestAtTheBeginning:
    """What a file is when it is named, or found, for the first time."""

    @pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "link to a device"])
    def test_what_is_no_file_is_refused_and_never_waited_for(self, tmp_path: Path, kind: str) -> None:
        make(tmp_path / "no-file.mmdb", kind)
        with pytest.raises(UsageError, match="not a GeoIP database that can be read") as error:
            places(tmp_path / "no-file.mmdb")
        assert error.value.hint

    def test_one_that_is_damaged_inside_is_told_as_a_loss_and_the_built_in_one_answers(self, city: Path) -> None:
        damage(city)
        found = places(city)
        (loss,) = found.losses
        assert str(city) in loss
        assert "is damaged" in loss
        assert "country data by NRO" in loss
        assert found.lookup("8.8.8.8") == Place("US")
        write(city, "GeoLite2-City")
        refresh_until(found, lambda: found.has_cities)
        assert found.losses == ()

    def test_a_damaged_one_that_was_found_gives_way_to_the_next_best(self, tmp_path: Path, city: Path) -> None:
        damage(city)
        write(tmp_path / "country.mmdb", "GeoLite2-Country")
        found = places(usual=(str(tmp_path),))
        assert found.lookup("203.0.113.7") == Place("DE")
        assert "city.mmdb is damaged" in found.warnings[0]
        write(city, "GeoLite2-City")
        refresh_until(found, lambda: found.has_cities)
        assert found.warnings == ()

    def test_only_the_best_one_found_is_looked_through(self, tmp_path: Path, city: Path, begun: list[str]) -> None:
        write(tmp_path / "country.mmdb", "GeoLite2-Country")
        found = kept(tmp_path / "geo", usual=(str(tmp_path),))
        assert found.has_cities
        begun.clear()
        found.close()
        assert kept(tmp_path / "geo", usual=(str(tmp_path),)).has_cities
        assert begun == [], "what the others are is known too"

    def test_a_tree_that_leads_back_to_its_root_is_damaged_and_not_gone_through_for_ever(self, city: Path) -> None:
        whole = bytearray(city.read_bytes())
        whole[0:6] = bytes(6)  # both of the root's records
        city.write_bytes(whole)
        found = places(city)
        assert found.lookup("203.0.113.7") == Place()


class TestMutations:
    """Bytes of a file changed at random, the same ones each time. Only what becomes of us is judged."""

    @pytest.mark.parametrize("seed", [4, 20])
    def test_no_damaged_file_ends_who_reads_it(self, tmp_path: Path, city: Path, seed: int) -> None:
        """maxminddb 3.2.0 in C ends its process over at least one file of each."""
        whole = city.read_bytes()
        records, end = whole.index(bytes(16)) + 16, whole.rindex(b"\xab\xcd\xefMaxMind.com")
        dice = random.Random(seed)
        for number in range(12):
            mutated = bytearray(whole)
            where = range(len(whole)) if number % 4 == 3 else range(records, end)
            for _ in range(dice.choice([1, 1, 2, 4])):
                mutated[dice.choice(where)] = dice.randrange(256)
            path = tmp_path / f"mutated-{number}.mmdb"
            path.write_bytes(mutated)
            try:
                found = places(path)
            except UsageError:
                continue
            for address in ADDRESSES:
                place = found.lookup(address)
                assert place.country is None or (place.country.isascii() and len(place.country) == 2)
                assert place.city is None or 0 < place.city < 2**31
                assert all(text.isprintable() for text in found.names.name(place))
            assert all(text.isprintable() for text in (found.label, *found.losses, *found.problems, *found.notes))
            found.close()


class TestProof:
    """The child: its limits, and that whatever becomes of it is an answer."""

    @pytest.fixture
    def child(self) -> Iterator[list[Proof]]:
        proofs: list[Proof] = []
        yield proofs
        for proof in proofs:
            proof.close()

    def answer(self, proofs: list[Proof], path: Path) -> Answer:
        proofs.append(Proof(str(path), path.stat().st_size, [], time.monotonic))
        wait_for(lambda: proofs[-1].answer(0.1) is not None)
        answer = proofs[-1].answer(0)
        assert answer is not None
        return answer

    def script(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setattr("headcount.places.proof._BEGIN", text)

    @pytest.mark.parametrize("number", [signal.SIGBUS, signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
    def test_its_death_by_a_signal_means_damage(
        self, child: list[Proof], city: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
    ) -> None:
        self.script(monkeypatch, f"import os; os.kill(os.getpid(), {int(number)})")
        answer = self.answer(child, city)
        assert answer.verdict == "damaged"
        assert number.name in answer.why

    @pytest.mark.parametrize(
        "text",
        [
            "pass",
            "raise SystemExit(3)",
            "print('[')",
            "print('[' * 100000)",
            "print('null')",
            """print('{"whole": "ab", "stamp": ["x", 1, 2, 3], "about": {}}')""",
            """print('{"about": {"name": 5}}')""",
            "import sys; sys.stdout.buffer.write(b'\\xff\\n')",
        ],
        ids=lambda text: text[:20],
    )
    def test_one_that_says_nothing_or_nonsense_proves_nothing(
        self, child: list[Proof], city: Path, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        self.script(monkeypatch, text)
        assert self.answer(child, city).verdict == "no answer"

    def test_one_that_takes_too_long_is_ended(
        self, child: list[Proof], city: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.script(monkeypatch, "import time; time.sleep(1000)")
        proof = Proof(str(city), 1, [], iter([0.0, 0.0, 1e9]).__next__)
        child.append(proof)
        assert proof.answer(0) is None
        late = proof.answer(0)
        assert late is not None
        assert (late.verdict, late.why) == ("no answer", "it took too long to look through")
        proof.close()
        assert proof._process.returncode == -signal.SIGKILL

    def test_it_has_limits_and_gives_way_to_others(
        self, child: list[Proof], city: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        told = tmp_path / "told"
        text = (
            "import sys; sys.path[:0] = sys.argv[1].split('\\n'); import json, os, resource\n"
            "import headcount.places.proving as proving\n"
            "def told(*_):\n"
            "    limits = [resource.getrlimit(what)[0] for what in (resource.RLIMIT_CPU, resource.RLIMIT_AS, "
            "resource.RLIMIT_CORE)]\n"
            f"    open({str(told)!r}, 'w').write(json.dumps([*limits, os.getpriority(os.PRIO_PROCESS, 0)]))\n"
            "    os._exit(0)\n"
            "proving._description = told\n"
            "proving.serve()\n"
        )
        self.script(monkeypatch, text)
        assert self.answer(child, city).verdict == "no answer"
        seconds, memory, core, niceness = json.loads(told.read_text())
        assert (seconds, core) == (60, 0)
        assert 2**29 <= memory < 2**30
        assert niceness >= 10

    @pytest.mark.parametrize("is_copied", [True, False])
    def test_it_ends_with_whoever_began_it_and_leaves_no_copy(
        self, city: Path, tmp_path: Path, is_copied: bool
    ) -> None:
        copy = tmp_path / "copy"
        copy.touch()
        core = str(Path(headcount.__file__).parents[1])
        line = [sys.executable, "-c", PARENT, core, str(city), str(copy) if is_copied else ""]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == -signal.SIGKILL
        wait_for(lambda: not is_running(int(done.stdout)))
        assert copy.exists() is not is_copied


class TestStore:
    """What proved itself is kept beside the state, and is there again at the next start."""

    def test_a_file_proves_itself_once(self, city: Path, beside: Path, begun: list[str]) -> None:
        kept(beside, city).close()
        found = kept(beside, city)
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert begun == [str(city)]

    def test_one_that_was_merely_touched_is_known_by_its_digest(self, city: Path, beside: Path) -> None:
        found = kept(beside, city)
        stamp = found.stamp
        city.touch()
        found.refresh()
        wait_for_children(found)
        assert found.stamp == stamp
        assert [copy.read_bytes() for copy in beside.glob("*.mmdb")] == [city.read_bytes()]
        assert len(list(beside.iterdir())) == 2

    @pytest.mark.parametrize("harm", ["cut", "damaged", "gone", "fifo"])
    def test_the_last_good_one_is_used_at_the_next_start_too(self, city: Path, beside: Path, harm: str) -> None:
        kept(beside, city).close()
        if harm == "cut":
            os.truncate(city, 1000)
        elif harm == "damaged":
            damage(city)
        else:
            city.unlink()
            if harm == "fifo":
                os.mkfifo(city)
        found = kept(beside, city)
        assert found.lookup("203.0.113.7") == FRANKFURT
        refresh_until(found, lambda: found.problems)
        assert str(city) in found.problems[0]
        assert "The last good one (GeoLite2-City " in found.problems[0]
        assert found.losses == ()

    def test_it_is_for_its_owner_alone(self, city: Path, beside: Path) -> None:
        kept(beside, city)
        assert stat.S_IMODE(beside.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in beside.iterdir()} == {0}

    def test_the_copy_of_what_was_before_is_removed(self, city: Path, beside: Path) -> None:
        found = kept(beside, city)
        write(city, "City", {"203.0.113.0/24": {"country_code": "FR"}})
        refresh_until(found, lambda: found.label.startswith("City"))
        assert len(list(beside.glob("*.mmdb"))) == 1
        assert len(list(beside.iterdir())) == 2

    def test_copies_of_files_that_are_not_named_any_more_are_removed_and_so_is_what_a_kill_left(
        self, city: Path, tmp_path: Path, beside: Path
    ) -> None:
        kept(beside, city).close()
        (beside / "tmpleft.part").write_bytes(b"half")
        other = write(tmp_path / "other.mmdb", "GeoLite2-Country")
        kept(beside, other).close()
        assert [file.read_bytes() for file in beside.glob("*.mmdb")] == [other.read_bytes()]
        assert len(list(beside.iterdir())) == 2

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"reader": 1}', "[" * 100_000, '{"reader": "R", "files": {"F": {"stamp": [1]}}}']
    )
    def test_a_list_that_can_not_be_believed_costs_a_proof(
        self, city: Path, beside: Path, begun: list[str], text: str
    ) -> None:
        kept(beside, city).close()
        reader = json.loads((beside / "known.json").read_text())["reader"]
        (beside / "known.json").write_text(text.replace('"R"', json.dumps(reader)))
        assert kept(beside, city).lookup("203.0.113.7") == FRANKFURT
        assert len(begun) == 2

    def test_a_copy_that_is_not_what_it_was_costs_a_proof(self, city: Path, beside: Path, begun: list[str]) -> None:
        kept(beside, city).close()
        (copy,) = beside.glob("*.mmdb")
        os.truncate(copy, 100)
        assert kept(beside, city).lookup("203.0.113.7") == FRANKFURT
        assert len(begun) == 2

    def test_another_reader_has_everything_proved_again(
        self, city: Path, beside: Path, begun: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept(beside, city).close()
        monkeypatch.setattr("maxminddb.__version__", "99.0")
        assert kept(beside, city).lookup("203.0.113.7") == FRANKFURT
        assert len(begun) == 2

    def test_somebody_elses_directory_is_left_alone(self, city: Path, beside: Path) -> None:
        beside.mkdir()
        beside.chmod(0o777)
        assert kept(beside, city).lookup("203.0.113.7") == FRANKFURT
        assert list(beside.iterdir()) == []

    def test_without_a_place_for_it_a_copy_is_a_passing_one(
        self, city: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "in the way").write_bytes(b"")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
        (tmp_path / "tmp").mkdir()
        found = kept(tmp_path / "in the way" / "geo", city)
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert list((tmp_path / "tmp").iterdir()) == []

    def test_no_room_for_any_copy_is_a_loss_in_words(
        self, city: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
        now = [0.0]
        found = Places([city], usual=(), ticks=lambda: now[0])
        assert "can't be copied to where it is safe" in found.losses[0]
        (tmp_path / "nowhere").mkdir()
        found.refresh()
        assert found.losses
        now[0] = RETRY
        refresh_until(found, lambda: found.has_cities)
        assert found.losses == ()

    def test_who_may_only_read_takes_what_is_kept(self, city: Path, beside: Path, begun: list[str]) -> None:
        kept(beside, city).close()
        found = Places([city], usual=(), store=Store(others=[str(beside)]))
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert len(begun) == 1


def test_a_file_that_may_not_be_read_any_more_stays_in_use(open_tmp: Path) -> None:
    city = write(open_tmp / "city.mmdb", "GeoLite2-City")
    found = places(city)
    city.chmod(0)
    with unprivileged():
        refresh_until(found, lambda: found.problems)
    assert "may not be read" in found.problems[0]
    assert found.lookup("203.0.113.7") == FRANKFURT
    with unprivileged(), pytest.raises(NoPermissionError):
        places(city)


def test_a_description_that_is_none_is_refused() -> None:
    good = About("City", 1, "places", has_cities=True, has_ipv6=True)
    assert About.from_json(good.to_json()) == good
    for bad in ({}, [], None, {**good.to_json(), "kind": "x"}, {**good.to_json(), "build": True}):
        with pytest.raises((ValueError, TypeError)):
            About.from_json(bad)


def make(path: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    else:
        path.symlink_to("/dev/zero")


def is_running(pid: int) -> bool:
    """Whether there is a process of that number that is not merely waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends_at, "it did not come true in time"
        time.sleep(0.01)
