"""Documents are read as Prosody reads them, or refused; and nothing else happens, whatever they hold."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lua_judge import LuaJudge, spelling

from headcount.prosody.lua_table import (
    MAX_DEPTH,
    NOT_A_TABLE_DOCUMENT,
    TOO_BIG,
    TOO_DEEP,
    BooleanKey,
    LuaKey,
    LuaValue,
    TableKey,
    as_lua,
    parse,
)
from headcount.prosody.lua_tokens import NUL_BYTES, WOULD_RUN, UnreadableError

SAMPLES = Path(__file__).parents[2] / "data" / "prosody-samples"
MANIFEST: dict[str, dict[str, Any]] = json.loads((SAMPLES / "manifest.json").read_text())["files"]
DOCUMENTS = {name: told for name, told in MANIFEST.items() if name.endswith(".dat")}

# Prosody loads these by running them; no Prosody writes such a file.
PROGRAMS = {
    f"odd/{name}.dat"
    for name in (
        "and_or",
        "compare",
        "for_loop",
        "global_nil_value",
        "goto_label",
        "if_else",
        "int_div_mod",
        "lua54_attrib",
        "lua_bytecode",
        "str_method_rep",
        "ts_expr_mul_float",
        "ts_shift",
    )
}


def read(name: str) -> LuaValue:
    return parse((SAMPLES / name).read_bytes())


def told_value(told: Any) -> LuaValue:
    """A value of the manifest, whose `_format` says how it writes what JSON has not."""
    if isinstance(told, dict):
        if "__lua_pairs__" in told:
            return {told_key(key): told_value(value) for key, value in told["__lua_pairs__"]}
        if "__bytes_hex__" in told:
            return bytes.fromhex(told["__bytes_hex__"])
        if "__float__" in told:
            return float(told["__float__"])
        return {key.encode(): told_value(value) for key, value in told.items()}
    if isinstance(told, list):
        return {index: told_value(item) for index, item in enumerate(told, 1)}
    return as_lua(told)


def told_key(told: Any) -> LuaKey:
    if isinstance(told, dict | list):
        table = told_value(told)
        assert isinstance(table, dict)
        return TableKey(table)
    if isinstance(told, bool):
        return BooleanKey(told)
    return told.encode() if isinstance(told, str) else told


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_captured_document_is_read_as_prosody_reads_it(name: str) -> None:
    told = DOCUMENTS[name]
    if name in PROGRAMS:
        assert "value" in told, "this is for what Prosody can load"
        with pytest.raises(UnreadableError, match=WOULD_RUN):
            read(name)
    elif "error" in told:
        with pytest.raises(UnreadableError):
            read(name)
    else:
        assert spelling(read(name)) == spelling(told_value(told["value"]))


def test_the_manifest_is_not_empty() -> None:
    assert len(DOCUMENTS) >= 200


REFUSED = object()
LITERALS: dict[bytes, Any] = {
    b"0x7fffffffffffffff": 2**63 - 1,
    b"0xffffffffffffffff": -1,
    b"0x1ffffffffffffffff": -1,
    b"9223372036854775807": 2**63 - 1,
    b"9223372036854775808": 2.0**63,
    b"-9223372036854775808": -(2.0**63),
    b"-0x8000000000000000": -(2**63),
    b"007": 7,
    b"0" * 5000 + b"7": 7,
    b"5.": 5.0,
    b".5e1": 5.0,
    b"0x.8p1": 1.0,
    b"0xA.8": 10.5,
    b"0x1.8p+30": 1610612736.0,
    b"0x1p99999": math.inf,
    b"1e400": math.inf,
    b"(1/0)": math.inf,
    b"(-1/0)": -math.inf,
    b"-(1/0)": -math.inf,
    b"- - 5": 5,
    b"-(-(5))": 5,
    b"1--[[x]]": 1,
    b"[==[\r\na]]\n\rb]==]": b"a]]\nb",
    b"'it\\'s \"'": b"it's \"",
    rb'"\65\066\x43\u{44}\z   ' + b'\n E\\\r\nF"': b"ABCDE\nF",
    rb'"\u{7FFFFFFF}"': b"\xfd\xbf\xbf\xbf\xbf\xbf",
    rb'"\u{d800}\u{20ac}"': b"\xed\xa0\x80\xe2\x82\xac",
    b'"\\a\\b\\f\\n\\r\\t\\v\\\\\\"\\\'"': b"\a\b\f\n\r\t\v\\\"'",
    b"{1, nil, 3, nil}": {1: 1, 3: 3},
    b"{a = 1, a = nil}": {},
    b"{'x', [1] = 'y'}": {1: b"x"},
    b"{" + b"'x'," * 50 + b"[1] = 'y'}": {1: b"y", **dict.fromkeys(range(2, 51), b"x")},
    b"{[1.0] = 1, [2^53] = 2}": REFUSED,
    b"{[-0.0] = 1, [0x10p0] = 2, [1e300] = 3}": {0: 1, 16: 2, 1e300: 3},
    b"{[true] = 1, [1] = 2, [1.5] = 3, ['1'] = 4}": {BooleanKey.TRUE: 1, 1: 2, 1.5: 3, b"1": 4},
    b"{[{}] = 1, [ [[k]] --[=[ c ]=] ] = 2}": {TableKey({}): 1, b"k": 2},
    b"{['a' --c\n] = 1; [\"b\"\n]\t=2, c --\r= 3}": {b"a": 1, b"b": 2, b"c": 3},
    b"{a == 1}": REFUSED,
    b"{end_ = 1, _x9 = 2}": {b"end_": 1, b"_x9": 2},
    b"1e": REFUSED,
    b"0x": REFUSED,
    b"3..2": REFUSED,
    b"1_000": REFUSED,
    b"1LL": REFUSED,
    b"-{}": REFUSED,
    b"-'5'": REFUSED,
    b"{[nil] = 1}": REFUSED,
    b"{[(0/0)] = 1}": REFUSED,
    b"{[1] 1}": REFUSED,
    b"{,}": REFUSED,
    b"{1 2}": REFUSED,
    b'"a\nb"': REFUSED,
    b'"\\300"': REFUSED,
    b'"\\u{80000000}"': REFUSED,
    b"[==[ ]=]": REFUSED,
    b"\xa0{}": REFUSED,
    b"';', nil": b";",
}


def attempt(read: Callable[[bytes], object], document: bytes) -> tuple[str | None, str]:
    """The spelling of what a document holds, or None and why it was refused."""
    try:
        return spelling(as_lua(read(document))), ""
    except UnreadableError as error:
        return None, error.reason


@pytest.mark.parametrize("literal", LITERALS)
def test_a_literal_is_what_lua_makes_of_it(literal: bytes, lua: LuaJudge) -> None:
    value, reason = attempt(parse, b"return " + literal)
    if LITERALS[literal] is REFUSED:
        assert value is None
        assert reason == WOULD_RUN or lua.load(b"return " + literal) == "error"
    else:
        assert value == lua.load(b"return " + literal)
        assert value == spelling(LITERALS[literal])


@pytest.mark.parametrize("document", [b"", b"\n\t", b"-- c", b"return", b"return;", b"return nil", b";;return"])
def test_a_document_without_a_value_is_none(document: bytes) -> None:
    assert parse(document) is None


def test_true_and_one_are_two_keys() -> None:
    value = parse(b"return {[true] = 'b', [1] = 'i', [{}] = 't'}")
    assert isinstance(value, dict)
    assert value[1] == b"i"
    assert value[BooleanKey.TRUE] == b"b"
    assert len(value) == 3


@pytest.mark.parametrize(("opening", "closing"), [(b"{", b"}"), (b"(", b")"), (b"- ", b""), (b"{[", b"]=1}")])
def test_nesting_has_an_end(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return b"return " + opening * depth + b"1" + closing * depth

    parse(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(UnreadableError, match=TOO_DEEP):
            parse(nested(depth))


def test_size_has_an_end() -> None:
    assert parse(b"return 1", max_size=8) == 1
    with pytest.raises(UnreadableError, match=TOO_BIG):
        parse(b"return 1;", max_size=8)


def test_the_reason_tells_the_place_and_not_the_data() -> None:
    with pytest.raises(UnreadableError) as error:
        parse(b'return { ["ip"] = secret }')
    assert error.value.offset == 18
    assert "secret" not in str(error.value)
    with pytest.raises(UnreadableError, match=NUL_BYTES):
        parse(b"\0" * 64)


HOSTILE = {
    "digits": b"return 0" + b"9" * 1_000_000,
    "digits and a letter": b"return " + b"9" * 1_000_000 + b"q",
    "digits of a float": b"return ." + b"9" * 1_000_000,
    "hexadecimal digits": b"return 0x" + b"f" * 1_000_000,
    "open key": b"return {" + b'["' * 500_000,
    "long open key": b'return {["' + b"a" * 1_000_000,
    "blanks in a key": b'return {["a"' + b" " * 1_000_000 + b"x",
    "equals signs": b"return [" + b"=" * 1_000_000,
    "brackets that are none": b"return " + b"[=" * 500_000,
    "comments": b"--[[]]" * 200_000,
    "minus signs": b"return {" + b"-1," * 300_000,
    "backslashes": b'return "' + b"\\" * 1_000_000,
    "escapes": b'return "' + b"\\z " * 300_000 + b'"',
    "a long code": b'return "\\u{' + b"0" * 1_000_000 + b'}"',
    "nothing": b"\n" * 1_000_000,
    "semicolons": b";" * 1_000_000,
    "keys that are the same": b"return {" + b"[1]=1;" * 150_000 + b"}",
    "parentheses": b"return " + b"(" * 1_000_000,
}


@pytest.fixture(scope="module")
def usual() -> float:
    """What a table of a million bytes costs that is as it should be."""
    return cost_of(b"return {" + b'["a"]=1;' * 125_000 + b"}")


def cost_of(document: bytes) -> float:
    """Seconds of this process's own: whatever else the machine does."""
    started = time.process_time()
    attempt(parse, document)
    return time.process_time() - started


@pytest.mark.parametrize("name", HOSTILE)
def test_no_document_takes_long(name: str, usual: float) -> None:
    """Not much longer than one of that size that is well-formed; what is read twice for each byte would take days."""
    assert cost_of(HOSTILE[name]) < 30 * usual


NORMAL = (SAMPLES / "odd/normal.dat").read_bytes()
WORDS = rb"""["a"]= { } ; , 1 'x' [ ] = nil - ( ) a= [[x]] return -- " ' \ 0x1p4 1e5 (1/0) true [=[ ]=] --[[ ]]
    \z \065 \x . 1. 99999999999999999999 end= item .. ( item( ); item{ item'x' { { } } } ; ;"""
FRAGMENTS = st.sampled_from([*WORDS.split(), b" ", b"\t", b"\n", b"\r", b"\0", b"\xc3"])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A normal document with pieces lost, doubled or replaced."""
    data = NORMAL
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        data = data[:start] + draw(st.one_of(FRAGMENTS, st.binary(max_size=4), st.just(data[start:end]))) + data[end:]
    return data


DOCUMENT = st.one_of(
    st.binary(),
    st.binary().map(lambda rest: b"return {" + rest),
    st.lists(FRAGMENTS).map(lambda words: b"return {" + b"".join(words) + b"}"),
    st.lists(FRAGMENTS).map(b"".join),
    mutated(),
)


# A refused document may yet load as a program, and only then.
PROGRAM = (WOULD_RUN, NOT_A_TABLE_DOCUMENT)


@settings(max_examples=600, deadline=None)
@given(DOCUMENT)
@example(b"return {[{}]=1,[{}]=1}")
def test_any_document_is_read_as_lua_reads_it_or_refused(lua: LuaJudge, document: bytes) -> None:
    value, reason = attempt(parse, document)
    told = lua.load(document)
    assert value == told or (value is None and (reason in PROGRAM or told == "error"))


def test_python_values_become_lua_values() -> None:
    assert as_lua({"ips": ["a", None, 2.5], "on": True, "no": None}) == {b"ips": {1: b"a", 3: 2.5}, b"on": True}
    assert as_lua([2**63, 10**400, -(10**400)]) == {1: 2.0**63, 2: math.inf, 3: -math.inf}
    with pytest.raises(TypeError):
        as_lua(object())
