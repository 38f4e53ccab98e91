"""Many files at once: by one process, by two, by threads, and with a helper that dies: always the same."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.compact_map import CompactMap
from headcount.prosody.many_files import GONE, Read, StorePaths
from headcount.sources import readers
from headcount.sources.helper import Helper, HelperLostError
from headcount.sources.layout import NotListedError
from headcount.sources.readers import Chunk, Names, Reader, reading
from headcount.user_keys import Keys
from support import prosody_writes
from telling import Activity, record

LOGIN = 'return {\n\t["login"] = {\n\t\t["timestamp"] = %d;\n\t\t["ip"] = "8.8.8.%d";\n\t};\n};\n'
ODD = "return { login = { timestamp = 5 } };\n"
USERS = 3000
KEYS = Keys(b"k" * 32)


OLD, SINCE = 1_000_000_000, 1_500_000_000
RECORDS = 'return {\n\t["2026-11"] = {\n\t\t["resource"] = "phone";\n\t\t["timestamp"] = 1795000000;\n\t};\n};\n'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every hundredth file wants a closer look, every third is old. No test writes into it; some do beside it."""
    tmp_path = tmp_path_factory.mktemp("data")
    for number in range(USERS):
        text = ODD if number % 100 == 0 else LOGIN % (1000 + number, number % 250)
        path = prosody_writes(tmp_path, "example.com", "lastlog2", f"user.{number}", text)
        if number % 3 == 0:
            os.utime(path, (OLD, OLD))
    (path.parent / "bad name.dat").write_text("x")
    (path.parent / "folder.dat").mkdir()
    return path.parent


def paths_of(store: Path, *beside: Path) -> StorePaths:
    return [(path.name, os.fsencode(path)) for path in (store, *beside)]


def everything(
    reader: Reader, files: list[bytes], since: int = 0
) -> tuple[dict[bytes, tuple[object, ...]], set[bytes]]:
    """By file its row and change times; and all that were spoken of, those included that were read later."""
    found: dict[bytes, tuple[object, ...]] = {}
    spoken: list[bytes] = []
    later: list[Chunk] = []

    def take(chunk: list[bytes], said: Read) -> None:
        left = {*said.nobody, *said.later}
        spoken.extend(file for file in chunk if file not in said.later)
        read = [file for file in chunk if file not in left]
        for file, row, *when in zip(read, said.rows, *said.stamps, strict=True):
            found[file] = row, *when
        if said.later:
            later.append((said.later, said.later_stamps))

    for chunk, said in reader.rows(Names([files]), 0, since):
        take(chunk, said)
    if since:
        old = {file for file in files if file.startswith(b"user") and int(file[7:-4]) % 3 == 0}
        # One of them may be in another store, and read with that.
        assert old - {b"user%2e9.dat"} <= {file for names, _ in later for file in names}
        assert len(spoken) < len(files)
    for chunk, said in reader.later_rows([*later]):
        take(chunk, said)
    assert len(spoken) == len(set(spoken))
    return found, set(spoken)


def looked(reader: Reader, files: list[bytes], known: CompactMap) -> tuple[set[int], int, dict[bytes, tuple[int, int]]]:
    """All keys, how many of them are known, and the changed files with key and change time."""
    keys: list[int] = []
    number, changed = 0, {}
    for looks in reader.looks(0, Names([files]), known):
        keys += looks.keys
        number += looks.known
        changed |= {file: (key, when) for file, key, when in looks.changed}
    assert len(keys) == len(files)
    return set(keys), number, changed


@pytest.fixture(params=["alone", "helped", "cold"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(readers, "HELP_FROM", 0 if request.param == "helped" else 1 << 30)
    monkeypatch.setattr(readers, "_is_waiting", lambda *_: request.param == "cold")
    monkeypatch.setattr(readers, "_cores", lambda: 2)
    way: str = request.param
    return way


@pytest.mark.parametrize("since", [0, SINCE * 10**9])
def test_all_files_are_read_once_whatever_the_way(store: Path, way: str, since: int) -> None:
    path = os.fsencode(store)
    files = [*os.listdir(path), b"missing.dat", b"looong" * 60 + b".dat"]
    with reading(paths_of(store), KEYS, "example.com", len(files)) as reader:
        found, spoken = everything(reader, files, since)
    assert spoken == set(files)
    key_of = KEYS.of_host("example.com")
    for number in range(USERS):
        user, file = f"user.{number}", b"user%%2e%d.dat" % number
        login = Activity(5, "login") if number % 100 == 0 else Activity(1000 + number, "login", f"8.8.8.{number % 250}")
        row, when = found.pop(file)
        assert row[:12] == record(key_of(user), user, [login])  # type: ignore[index]
        assert when == os.stat(os.path.join(path, file)).st_ctime_ns
    gone, folder = found.pop(b"missing.dat"), found.pop(b"folder.dat")
    assert (gone[1], gone[0][10]) == (GONE, False)  # type: ignore[index]
    assert folder[0][9:] == (((0, "unreadable record", "it is not a file"),), True, True, False)  # type: ignore[index]
    assert len(found) == 1  # a name that is too long for a file


def test_a_look_tells_what_is_not_as_it_was(store: Path, way: str) -> None:
    path = os.fsencode(store)
    files = [*os.listdir(path), b"missing.dat"]
    key_of = KEYS.of_host("example.com")

    def when(number: int) -> int:
        return os.stat(os.path.join(path, b"user%%2e%d.dat" % number)).st_ctime_ns

    known = CompactMap()
    for number in range(10, USERS):
        known.put(key_of(f"user.{number}"), when(number) - (number < 20))
    with reading(paths_of(store), KEYS, "example.com", len(files)) as reader:
        keys, number, changed = looked(reader, files, known)
    assert {key_of(f"user.{number}") for number in range(USERS)} < keys
    assert number == USERS - 10
    bad, missing, folder = changed.pop(b"bad name.dat"), changed.pop(b"missing.dat"), changed.pop(b"folder.dat")
    assert (bad[0], missing, folder[0]) == (0, (key_of("missing"), 0), key_of("folder"))
    assert changed == {b"user%%2e%d.dat" % number: (key_of(f"user.{number}"), when(number)) for number in range(20)}


def test_all_that_are_there_are_read(store: Path, way: str) -> None:
    files = os.listdir(os.fsencode(store))
    with reading(paths_of(store), KEYS, "example.com", len(files)) as reader:
        rows = [row for _, said in reader.rows(Names([files]), 0, are_all=True) for row in said.rows]
    assert len(rows) == len(set(rows)) == USERS + 1


def test_all_stores_are_read_with_it(store: Path, way: str) -> None:
    """Also where one of them says nothing that can be read, and where it alone is new."""
    written = [
        prosody_writes(store.parents[1], "example.com", name, f"user.{number}", text)
        for name, number, text in (
            ("login_records", 7, RECORDS),
            ("login_records", 8, "x"),
            ("login_records", 9, RECORDS),
            ("account_activity", 9, 'return {\n\t["timestamp"] = 1795000001;\n};\n'),
        )
    ]
    beside = [written[0].parent, written[-1].parent, store.parent / "lastlog"]
    with reading(paths_of(store, *beside), KEYS, "example.com", USERS) as reader:
        found, _ = everything(reader, os.listdir(os.fsencode(store)), SINCE * 10**9)
    row, _, changed, seen, none = found[b"user%2e9.dat"]
    recorded = (1795000000, None, "phone")
    assert row[2:] == (1009, "8.8.8.9", 0, None, 1795000001, (recorded,), (), (), True, False)  # type: ignore[index]
    assert (changed, seen, none) == (written[2].stat().st_ctime_ns, written[3].stat().st_ctime_ns, GONE)
    row, *_ = found[b"user%2e8.dat"]
    assert row[2:4] == (1008, "8.8.8.8")  # type: ignore[index]
    assert [problem[:2] for problem in row[9]] == [(1, "unreadable record")]  # type: ignore[index]
    assert found[b"user%2e10.dat"][2:] == (GONE, GONE, GONE)


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("is_to_read", [True, False])
def test_a_helper_that_is_killed_costs_time_and_nothing_else(
    store: Path, monkeypatch: pytest.MonkeyPatch, after: int, is_to_read: bool
) -> None:
    path = os.fsencode(store)
    files = os.listdir(path)
    with reading(paths_of(store), KEYS, "example.com", 0) as alone:
        expected = everything(alone, files), looked(alone, files, CompactMap())
    monkeypatch.setattr(readers, "HELP_FROM", 0)
    monkeypatch.setattr(readers, "_is_waiting", lambda *_: False)
    monkeypatch.setattr(readers, "CHUNK", 50)
    monkeypatch.setattr(readers, "_cores", lambda: 2)
    real_answer, answers = Helper.answer, 0

    def killed(helper: Helper) -> object:
        nonlocal answers
        answers += 1
        if answers > after:
            helper._process.kill()
            helper._process.wait()
        return real_answer(helper)

    monkeypatch.setattr(Helper, "answer", killed)
    with reading(paths_of(store), KEYS, "example.com", len(files)) as reader:
        if is_to_read:
            assert everything(reader, files) == expected[0]
        else:
            assert looked(reader, files, CompactMap()) == expected[1]
    assert answers > after


def test_a_helper_that_never_comes_is_not_missed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "HELP_FROM", 0)
    monkeypatch.setattr(readers, "_cores", lambda: 2)
    monkeypatch.setattr("headcount.sources.helper.sys.executable", "/nowhere/python")
    path = os.fsencode(store)
    files = os.listdir(path)
    with reading(paths_of(store), KEYS, "example.com", len(files)) as reader:
        assert everything(reader, files)[1] == set(files)


def test_a_helper_ends_with_whoever_began_it(store: Path) -> None:
    helper = Helper(paths_of(store), KEYS.secret, "example.com")
    helper.ask_to_read([b"user%2e1.dat"], 0, [])
    assert helper.answer()[0][0][1] == "user.1"
    helper._asked.close()
    assert helper._process.wait(120) == 0
    with pytest.raises(HelperLostError):
        helper.ask_to_read([b"user%2e1.dat"], 0, [])
    helper.close()


def test_names_are_listed_while_they_are_gone_through() -> None:
    listed: list[int] = []

    def listing() -> Iterator[list[bytes]]:
        for piece in range(4):
            listed.append(piece)
            yield [b"%d-%d" % (piece, number) for number in range(readers.CHUNK + 1)]
        yield []

    names = Names(listing())
    names.list_on(readers.CHUNK + 2)
    assert (listed, len(names), names.is_done) == ([0, 1], 2 * readers.CHUNK + 2, False)
    going = iter(names)
    assert next(going)[0] == b"0-0"
    assert listed == [0, 1, 2]
    rest = [name for chunk in going for name in chunk]
    assert (rest[0], rest[-1], len(rest)) == (b"0-%d" % readers.CHUNK, b"3-%d" % readers.CHUNK, 3 * readers.CHUNK + 4)
    assert (names.is_done, len(names)) == (True, 4 * readers.CHUNK + 4)


def test_names_that_can_t_be_listed_to_the_end_are_never_taken_for_all() -> None:
    def listing() -> Iterator[list[bytes]]:
        yield [b"alice.dat"]
        raise NotListedError

    names = Names(listing())
    names.list_on()
    for _ in range(2):
        with pytest.raises(NotListedError):
            list(names)
        with pytest.raises(NotListedError):
            names.list_on()
    assert names.is_done
