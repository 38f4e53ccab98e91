"""Many files at once: by one process, by two, by threads, and with a helper that dies: always the same."""

import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.compact_map import CompactMap
from headcount.prosody.many import Rows, StorePaths
from headcount.sources import readers
from headcount.sources.helper import Helper, HelperLostError
from headcount.sources.layout import NotListedError
from headcount.sources.readers import Chunk, Names, Reader, reading
from headcount.user_keys import Keys
from support import prosody_writes

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


def paths_of(store: Path, records: Path | None = None, *beside: Path) -> StorePaths:
    return StorePaths(os.fsencode(store), records and os.fsencode(records), [os.fsencode(path) for path in beside])


def everything(
    reader: Reader, files: list[bytes], since: int = 0
) -> tuple[dict[bytes, tuple[object, ...]], set[bytes], set[bytes]]:
    """By file its row and change times; the others; all that were spoken of, those included that were read later."""
    found: dict[bytes, tuple[object, ...]] = {}
    others: set[bytes] = set()
    spoken: list[bytes] = []
    later: list[Chunk] = []

    def take(chunk: list[bytes], said: Rows) -> None:
        left = {*said.others, *said.later}
        spoken.extend(file for file in chunk if file not in said.later)
        others.update(said.others)
        read = [file for file in chunk if file not in left]
        for file, row, *when in zip(read, said.rows, said.changed, said.recorded, strict=True):
            found[file] = row, *when
        if said.later:
            later.append((said.later, said.later_changed))

    for chunk, said in reader.rows(Names([files]), since=since, are_all=False):
        take(chunk, said)
    if since:
        assert {file for names, _ in later for file in names} == {
            file for file in files if file.startswith(b"user") and int(file[7:-4]) % 3 == 0
        }
        assert len(spoken) < len(files)
    for chunk, said in reader.later_rows([*later]):
        take(chunk, said)
    assert len(spoken) == len(set(spoken))
    return found, others, set(spoken)


def looked(reader: Reader, files: list[bytes], known: CompactMap) -> tuple[set[int], int, dict[bytes, tuple[int, int]]]:
    """All keys, how many of them are known, and the changed files with key and change time."""
    keys: list[int] = []
    number, changed = 0, {}
    for looks in reader.looks(Names([files]), known):
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
        found, others, spoken = everything(reader, files, since)
    assert spoken == set(files)
    assert len(found) == USERS - USERS // 100
    key_of = KEYS.of_host("example.com")
    for file, (row, when, recorded) in found.items():
        number = int(file[7:-4])
        assert row == (key_of(f"user.{number}"), f"user.{number}", 1000 + number, 0, f"8.8.8.{number % 250}", None, ())
        assert when == os.stat(os.path.join(path, file)).st_ctime_ns
        assert recorded == 0
    assert {b"bad name.dat", b"folder.dat", b"missing.dat"} < others


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
        rows = [row for _, said in reader.rows(Names([files]), since=0, are_all=True) for row in said.rows]
    assert len(rows) == len(set(rows)) == USERS - USERS // 100


def test_login_records_are_read_with_it(store: Path, way: str) -> None:
    written = [
        prosody_writes(store.parents[1], "example.com", "login_records", f"user.{number}", text)
        for number, text in ((7, RECORDS), (8, "x"), (9, RECORDS))
    ]
    with reading(paths_of(store, written[0].parent), KEYS, "example.com", USERS) as reader:
        found, others, _ = everything(reader, os.listdir(os.fsencode(store)), SINCE * 10**9)
    for number, path in ((7, written[0]), (9, written[2])):
        row, _, recorded = found[b"user%%2e%d.dat" % number]
        assert row[6] == ((1795000000, None, "phone"),)  # type: ignore[index]
        assert recorded == path.stat().st_ctime_ns
    assert b"user%2e8.dat" in others
    assert found[b"user%2e10.dat"][0][6] == ()  # type: ignore[index]


def test_who_is_in_another_store_too_wants_a_closer_look(store: Path, way: str) -> None:
    beside = prosody_writes(store.parents[1], "example.com", "lastlog", "user.7", "x").parent
    with reading(paths_of(store, None, beside), KEYS, "example.com", USERS) as reader:
        found, others, _ = everything(reader, os.listdir(os.fsencode(store)))
    assert b"user%2e7.dat" in others
    assert b"user%2e8.dat" in found


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
        assert everything(reader, files)[2] == set(files)


def test_a_helper_ends_with_whoever_began_it(store: Path) -> None:
    helper = Helper(paths_of(store), KEYS.secret, "example.com")
    helper.ask_to_read([b"user%2e1.dat"], 0, array("Q"))
    assert helper.answer()[0][0][1] == "user.1"
    helper._asked.close()
    assert helper._process.wait(120) == 0
    with pytest.raises(HelperLostError):
        helper.ask_to_read([b"user%2e1.dat"], 0, array("Q"))
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
