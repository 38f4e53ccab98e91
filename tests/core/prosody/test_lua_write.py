"""What is written is Prosody's own format: Prosody, Lua and our reader give the same value back."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lua_judge import LuaJudge, spelling

from headcount.prosody.lua_table import BooleanKey, LuaKey, LuaTable, LuaValue, TableKey, as_lua, parse
from headcount.prosody.lua_write import MAX_DEPTH, serialise

SAMPLES = Path(__file__).parents[2] / "data" / "prosody-samples"
LIVE = sorted(path for path in SAMPLES.glob("internal*/**/*.dat"))

WRITTEN: list[tuple[LuaValue, bytes]] = [
    ({}, b"return {};\n"),
    ({b"last-recorded": b"2026-11"}, b'return {\n\t["last-recorded"] = "2026-11";\n};\n'),
    ({b"a": {b"b": {}}}, b'return {\n\t["a"] = {\n\t\t["b"] = {};\n\t};\n};\n'),
    ({1: b"x", 2: b"y", 4: b"z"}, b'return {\n\t"x";\n\t"y";\n\t[4] = "z";\n};\n'),
    ({b"b": 1, b"a": 2, 0: 3, 1: 4}, b'return {\n\t[0] = 3;\n\t4;\n\t["a"] = 2;\n\t["b"] = 1;\n};\n'),
    ({BooleanKey.TRUE: True, BooleanKey.FALSE: False}, b"return {\n\t[false] = false;\n\t[true] = true;\n};\n"),
    ({2.5: 1, -math.inf: 2}, b"return {\n\t[(-1/0)] = 2;\n\t[2.5] = 1;\n};\n"),
    ({b"gone": None}, b"return {};\n"),
    ("zoë".encode(), b'return "zo\\195\\171";\n'),
    (b"\0\a\b\t\n\v\f\r\"'\\\x1f\x7f 1", b'return "\\000\\a\\b\\t\\n\\v\\f\\r\\"\\\'\\\\\\031\\127 1";\n'),
    (1795320350.0, b"return 1795320350;\n"),
    (0.1, b"return 0.100000000000000006;\n"),
    (1e18, b"return 1e+18;\n"),
    (-0.0, b"return -0;\n"),
    (math.inf, b"return (1/0);\n"),
    (-math.inf, b"return (-1/0);\n"),
    (math.nan, b"return (0/0);\n"),
    (None, b"return nil;\n"),
]


@pytest.mark.parametrize(("value", "document"), WRITTEN)
def test_the_format_is_prosodys(value: LuaValue, document: bytes, lua: LuaJudge) -> None:
    assert serialise(value) == document
    told = lua.prosody_serialise(document)
    if told and document != b"return -0;\n":  # Lua reads 0
        assert sorted(told.splitlines()) == sorted(document.splitlines())  # Prosody's order is by chance


@pytest.mark.parametrize("path", LIVE, ids=lambda path: str(path.relative_to(SAMPLES)))
def test_a_file_of_prosody_is_written_again_but_for_its_order(path: Path) -> None:
    data = path.read_bytes()
    assert sorted(serialise(parse(data)).splitlines()) == sorted(data.splitlines())


def test_what_prosody_refuses_is_refused() -> None:
    deep: LuaTable = {}
    for _ in range(MAX_DEPTH - 1):
        deep = {1: deep}
    assert parse(serialise(deep)) == deep
    circle: LuaTable = {}
    circle[1] = circle
    for value, why in (({1: deep}, "deep"), (circle, "deep"), (2**63, "64 bits"), ({math.nan: 1}, "NaN")):
        with pytest.raises(ValueError, match=why):
            serialise(value)
    with pytest.raises(TypeError, match="BooleanKey"):
        serialise({True: 1})


INTEGERS = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.one_of(st.binary(), st.booleans(), INTEGERS, st.floats())
SIMPLE_KEYS = st.one_of(
    st.binary(), INTEGERS, st.integers(-1, 9), st.sampled_from(BooleanKey), st.floats(allow_nan=False)
)
KEYS = st.one_of(SIMPLE_KEYS, st.dictionaries(SIMPLE_KEYS, SCALARS, max_size=2).map(TableKey))
VALUES: st.SearchStrategy[LuaValue] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.dictionaries(KEYS, inner, max_size=6), st.lists(inner, max_size=60).map(as_lua)),
    max_leaves=30,
)


def as_read_back(value: LuaValue) -> LuaValue:
    """A value as any reader gives it: whole floats are written without a point, the lowest integer overflows."""
    if isinstance(value, float) and abs(value) < 1e18 and value.is_integer():
        return int(value)
    if value == -(2**63):
        return -(2.0**63)
    if isinstance(value, dict):
        return {key_as_read_back(key): as_read_back(entry) for key, entry in value.items()}
    return value


def key_as_read_back(key: LuaKey) -> LuaKey:
    if isinstance(key, TableKey):
        table = as_read_back(key.table)
        assert isinstance(table, dict)
        return TableKey(table)
    return int(key) if isinstance(key, float) and key.is_integer() and abs(key) < 2.0**63 else key


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_reading_undoes_writing(lua: LuaJudge, value: LuaValue) -> None:
    document = serialise(value)
    assert spelling(parse(document)) == spelling(as_read_back(value))
    assert lua.load(document) == spelling(as_read_back(value))


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_prosody_writes_the_same_lines(lua: LuaJudge, value: LuaValue) -> None:
    document = serialise(parse(serialise(value)))
    told = lua.prosody_serialise(document)
    assert told is None or sorted(told.splitlines()) == sorted(document.splitlines())


@given(VALUES)
def test_the_order_of_keys_is_always_the_same(value: LuaValue) -> None:
    def turned(value: LuaValue) -> LuaValue:
        if not isinstance(value, dict):
            return value
        return {key: turned(entry) for key, entry in reversed(value.items()) if not isinstance(key, TableKey)} | {
            key: turned(entry) for key, entry in value.items() if isinstance(key, TableKey)
        }

    assert serialise(turned(value)) == serialise(value)
