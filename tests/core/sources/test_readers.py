"""Many files at once: by one process, by two, by threads, and with a helper that dies: always the same."""

import os
from pathlib import Path

import pytest

from headcount.keys import Keys
from headcount.sources import readers
from headcount.sources.helper import Helper, HelperLostError
from headcount.sources.readers import Names, Reader, reading
from support import prosody_writes

LOGIN = 'return {\n\t["login"] = {\n\t\t["timestamp"] = %d;\n\t\t["ip"] = "8.8.8.%d";\n\t};\n};\n'
ODD = "return { login = { timestamp = 5 } };\n"
USERS = 3000
KEYS = Keys(b"k" * 32)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for number in range(USERS):
        text = ODD if number % 100 == 0 else LOGIN % (1000 + number, number % 250)
        path = prosody_writes(tmp_path, "example.com", "lastlog2", f"user.{number}", text)
    (path.parent / "bad name.dat").write_text("x")
    (path.parent / "folder.dat").mkdir()
    return path.parent


def everything(reader: Reader, files: list[bytes]) -> tuple[dict[bytes, tuple[object, ...]], set[bytes], set[bytes]]:
    """By file its row and change time; the others; all that were spoken of."""
    found: dict[bytes, tuple[object, ...]] = {}
    others: set[bytes] = set()
    spoken: list[bytes] = []
    for chunk, (rows, changed, rest) in reader.rows(Names(files), are_all=False):
        spoken += chunk
        others |= set(rest)
        read = [file for file in chunk if file not in set(rest)]
        found |= {file: (row, when) for file, row, when in zip(read, rows, changed, strict=True)}
    assert len(spoken) == len(set(spoken))
    return found, others, set(spoken)


def looked(reader: Reader, files: list[bytes]) -> dict[bytes, tuple[int, int]]:
    return {
        file: (key, when)
        for chunk, keys, stamps in reader.looks(Names(files))
        for file, key, when in zip(chunk, keys, stamps, strict=True)
    }


@pytest.fixture(params=["alone", "helped", "cold"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(readers, "HELP_FROM", 0 if request.param == "helped" else 1 << 30)
    monkeypatch.setattr(readers, "_is_waiting", lambda *_: request.param == "cold")
    monkeypatch.setattr(readers, "_cores", lambda: 2)
    way: str = request.param
    return way


def test_all_files_are_read_once_whatever_the_way(store: Path, way: str) -> None:
    path = os.fsencode(store)
    files = [*os.listdir(path), b"missing.dat", b"looong" * 60 + b".dat"]
    with reading(path, [], KEYS, "example.com", len(files)) as reader:
        found, others, spoken = everything(reader, files)
        seen = looked(reader, files)
    assert spoken == set(files) == set(seen)
    assert len(found) == USERS - USERS // 100
    key_of = KEYS.of_host("example.com")
    for file, (row, when) in found.items():
        number = int(file[7:-4])
        assert row == (key_of(f"user.{number}"), f"user.{number}", 1000 + number, 0, f"8.8.8.{number % 250}", None)
        assert when == os.stat(os.path.join(path, file)).st_ctime_ns
        assert seen[file] == (key_of(f"user.{number}"), when)
    assert {b"bad name.dat", b"folder.dat", b"missing.dat"} < others
    assert seen[b"bad name.dat"] == (0, 0)
    assert seen[b"missing.dat"][1] == 0


def test_all_that_are_there_are_read(store: Path, way: str) -> None:
    path = os.fsencode(store)
    files = os.listdir(path)
    with reading(path, [], KEYS, "example.com", len(files)) as reader:
        rows = {row for _, (found, _, _) in reader.rows(Names(files), are_all=True) for row in found}
    assert len(rows) == USERS - USERS // 100


def test_who_is_in_another_store_too_wants_a_closer_look(store: Path, way: str) -> None:
    beside = os.fsencode(prosody_writes(store.parents[1], "example.com", "login_records", "user.7", "x").parent)
    path = os.fsencode(store)
    with reading(path, [beside], KEYS, "example.com", USERS) as reader:
        found, others, _ = everything(reader, os.listdir(path))
    assert b"user%2e7.dat" in others
    assert b"user%2e8.dat" in found


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("is_to_read", [True, False])
def test_a_helper_that_is_killed_costs_time_and_nothing_else(
    store: Path, monkeypatch: pytest.MonkeyPatch, after: int, is_to_read: bool
) -> None:
    path = os.fsencode(store)
    files = os.listdir(path)
    with reading(path, [], KEYS, "example.com", 0) as alone:
        expected = everything(alone, files), looked(alone, files)
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
    with reading(path, [], KEYS, "example.com", len(files)) as reader:
        if is_to_read:
            assert everything(reader, files) == expected[0]
        else:
            assert looked(reader, files) == expected[1]
    assert answers > after


def test_a_helper_that_never_comes_is_not_missed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "HELP_FROM", 0)
    monkeypatch.setattr(readers, "_cores", lambda: 2)
    monkeypatch.setattr("headcount.sources.helper.sys.executable", "/nowhere/python")
    path = os.fsencode(store)
    files = os.listdir(path)
    with reading(path, [], KEYS, "example.com", len(files)) as reader:
        assert everything(reader, files)[2] == set(files)


def test_a_helper_ends_with_whoever_began_it(store: Path) -> None:
    helper = Helper(os.fsencode(store), [], KEYS.secret, "example.com")
    helper.ask([b"user%2e1.dat"], is_to_read=True)
    assert helper.answer()[0][0][1] == "user.1"
    helper._asked.close()
    assert helper._process.wait(10) == 0
    with pytest.raises(HelperLostError):
        helper.ask([b"user%2e1.dat"], is_to_read=True)
    helper.close()
