"""What a user's files tell, and what is said of those that are wrong."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.activities import flat
from headcount.prosody import file_problems, files
from headcount.prosody.file_problems import FileProblem, merged
from headcount.prosody.lua_table import LuaValue, as_lua, parse
from headcount.prosody.lua_write import serialise
from headcount.prosody.plain import plain_reader
from headcount.prosody.stores import (
    NOTHING,
    StoreReading,
    account_activity,
    lastlog,
    lastlog2,
    login_records,
    read_store,
)
from telling import Activity, Login

SAMPLES = Path(__file__).parents[2] / "data" / "prosody-samples"
NOON = 1795320350  # 2026-11-22


def read(store: str, document: str) -> StoreReading:
    return read_store(store, document.encode())


def kinds(reading: StoreReading) -> list[str]:
    return [problem.what for problem in reading.problems]


# What the captured servers wrote.


def test_a_login_and_a_logout() -> None:
    reading = read_store("lastlog2", (SAMPLES / "odd/normal.dat").read_bytes())
    assert reading == StoreReading(
        known=True,
        activities=(Activity(1795320350, "login", "192.0.2.7"), Activity(1795320410, "logout", "192.0.2.7")),
    )


@pytest.mark.parametrize("store", files.ACTIVITY_STORES)
def test_every_captured_user_is_known_and_active(store: str) -> None:
    paths = [path for path in SAMPLES.glob(f"internal*/*/{store}/*.dat") if "conference" not in str(path)]
    assert paths
    for path in paths:
        reading = read_store(store, path.read_bytes())
        assert reading.known
        assert reading.activities
        assert not reading.problems
        assert not reading.component
        assert files.user_of(path.name.encode())


@pytest.mark.parametrize(
    "path", SAMPLES.glob("internal*/conference*/lastlog*/*.dat"), ids=lambda path: path.parent.name
)
def test_a_room_of_a_component_is_no_user(path: Path) -> None:
    assert read_store(path.parent.name, path.read_bytes()) == StoreReading(component=True)


def test_the_last_event_of_any_kind() -> None:
    reading = read("lastlog", f'return {{ event = "logout"; timestamp = {NOON}; ip = "2001:db8::1" }}')
    assert reading == StoreReading(known=True, activities=(Activity(NOON, "logout", "2001:db8::1"),))


def test_when_a_user_was_last_seen() -> None:
    reading = read("account_activity", f"return {{ timestamp = {NOON}.5 }}")
    assert reading == StoreReading(known=True, activities=(Activity(NOON + 0.5, "seen"),))


def test_the_first_logins_of_months_stand_in_the_order_of_time() -> None:
    reading = read(
        "login_records",
        f"""return {{
            ["2026-11"] = {{ timestamp = {NOON}; ip = "203.0.113.0/24"; resource = "Conversations.x\\255" }};
            ["2026-10"] = {{ timestamp = {NOON - 30 * 86400} }};
        }}""",
    )
    assert reading == StoreReading(
        known=True,
        logins=(Login(NOON - 30 * 86400), Login(NOON, "203.0.113.0/24", "Conversations.x\ufffd")),
    )


# What is no activity, and nothing wrong.


@pytest.mark.parametrize("document", ["return {};", "return nil", "return;", "-- nothing here", ";return"])
@pytest.mark.parametrize("store", files.USER_STORES)
def test_no_data_is_as_an_absent_store(store: str, document: str) -> None:
    assert read(store, document) == NOTHING


@pytest.mark.parametrize(
    ("store", "document"),
    [
        ("lastlog2", f"return {{ registered = {{ timestamp = {NOON} }} }}"),
        ("lastlog", f'return {{ event = "registered"; timestamp = {NOON} }}'),
    ],
)
def test_a_registration_is_known_but_no_activity(store: str, document: str) -> None:
    assert read(store, document) == StoreReading(known=True)


def test_extra_fields_are_nobodys_business() -> None:
    document = f'return {{ login = {{ timestamp = {NOON}; x = 1 }}; note = "message"; 1, 2 }}'
    assert read("lastlog2", document) == StoreReading(known=True, activities=(Activity(NOON, "login"),))


# What is wrong.


@pytest.mark.parametrize("data", [b"", b"\n", b" \t\r\n", b"return", b"return\n"])
@pytest.mark.parametrize("store", files.USER_STORES)
def test_an_empty_file_is_lost_data(store: str, data: bytes) -> None:
    reading = read_store(store, data)
    assert kinds(reading) == [file_problems.EMPTY]
    assert not reading.known


@pytest.mark.parametrize("data", [b"\0" * 64, b"return {", b"local t = {} return t", b"return {" * 999, b"\xff", b"{}"])
@pytest.mark.parametrize("store", files.USER_STORES)
def test_a_file_that_cannot_be_read_is_one_problem_of_a_known_user(store: str, data: bytes) -> None:
    reading = read_store(store, data)
    assert reading == StoreReading(known=True, problems=reading.problems)
    assert kinds(reading) == [file_problems.UNREADABLE]
    assert "at byte" in reading.problems[0].why


TIMES = {
    f"{NOON}": NOON,
    f"{NOON}.25": NOON + 0.25,
    "(1/0)": math.inf,
    "1e400": math.inf,
    "0x6B02B05E": 0x6B02B05E,
    "0": None,
    "-0.0": None,
    "-1": None,
    "(-1/0)": None,
    "(0/0)": None,
    f'"{NOON}"': None,
    "true": None,
    "{ 1 }": None,
    "nil": None,
}


@pytest.mark.parametrize("literal", TIMES)
def test_a_timestamp_is_a_number_above_zero(literal: str) -> None:
    when = TIMES[literal]
    expected = () if when is None else (when,)
    for store, document in (
        ("lastlog2", f"return {{ login = {{ timestamp = {literal}; x = 0 }} }}"),
        ("lastlog", f'return {{ event = "login"; timestamp = {literal} }}'),
        ("account_activity", f"return {{ timestamp = {literal}; x = 0 }}"),
    ):
        reading = read(store, document)
        assert tuple(when for when, *_ in reading.activities) == expected
        assert kinds(reading) == ([] if expected else [file_problems.NO_TIME])
        assert reading.known


@pytest.mark.parametrize("bad", ["5", '"x"', "false", "{}", "{ timestamp = 'x' }", "{ timestamp = 0 }"])
def test_a_bad_event_leaves_the_good_one(bad: str) -> None:
    reading = read("lastlog2", f"return {{ login = {bad}; logout = {{ timestamp = {NOON} }} }}")
    assert reading.activities == (Activity(NOON, "logout"),)
    assert len(reading.problems) == 1


def test_two_bad_events_are_one_problem_of_the_file() -> None:
    reading = read("lastlog2", "return { login = 5; logout = 'x' }")
    assert reading.problems == (
        FileProblem(file_problems.UNEXPECTED, "the login is a number, not a table; the logout is text, not a table"),
    )


@pytest.mark.parametrize("document", ["return 5", 'return "x"', "return true", "return false"])
@pytest.mark.parametrize("store", files.USER_STORES)
def test_a_store_is_a_table(store: str, document: str) -> None:
    reading = read(store, document)
    assert kinds(reading) == [file_problems.UNEXPECTED]
    assert not reading.activities


@pytest.mark.parametrize("event", ["nil", "5", '"seen"', "{}"])
def test_an_event_is_one_that_prosody_writes(event: str) -> None:
    reading = read("lastlog", f"return {{ event = {event}; timestamp = {NOON} }}")
    assert reading == StoreReading(known=True, problems=reading.problems)
    assert kinds(reading) == [file_problems.UNEXPECTED]


def test_an_address_that_is_no_text_does_not_lose_the_activity() -> None:
    reading = read("lastlog2", f"return {{ login = {{ timestamp = {NOON}; ip = {{ 10, 0, 0, 1 }} }} }}")
    assert reading.activities == (Activity(NOON, "login", None),)
    assert reading.problems == (FileProblem(file_problems.UNEXPECTED, "the ip of the login is a table, not text"),)


@pytest.mark.parametrize("key", ["[1]", '["2026-13"]', '["2026-1"]', '["9999-12"]', "[true]", '["２０２６-11"]'])
def test_a_login_record_stands_under_a_month(key: str) -> None:
    reading = read("login_records", f"return {{ {key} = {{ timestamp = {NOON} }} }}")
    assert reading.logins == ()
    assert kinds(reading) == [file_problems.NO_MONTH]


NOVEMBER = 1793491200, 1796083200  # 2026-11 in UTC


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (NOVEMBER[0] - 14 * 3600, []),
        (NOVEMBER[0] - 14 * 3600 - 1, [file_problems.OUTSIDE_MONTH]),
        (NOVEMBER[1] + 14 * 3600, []),
        (NOVEMBER[1] + 14 * 3600 + 1, [file_problems.OUTSIDE_MONTH]),
    ],
)
def test_a_login_record_lies_in_its_month_in_some_time_zone(when: int, expected: list[str]) -> None:
    reading = read("login_records", f'return {{ ["2026-11"] = {{ timestamp = {when} }} }}')
    assert reading.logins == (Login(when),)
    assert kinds(reading) == expected


@pytest.mark.parametrize("record", ["5", "{}", "{ timestamp = 'x' }", "{ timestamp = -1 }"])
def test_a_bad_login_record_leaves_the_good_one(record: str) -> None:
    reading = read("login_records", f'return {{ ["2026-10"] = {record}; ["2026-11"] = {{ timestamp = {NOON} }} }}')
    assert reading.logins == (Login(NOON),)
    assert len(reading.problems) == 1


def test_a_problem_never_quotes_the_data() -> None:
    documents = ['{ login = "secret" }', '{ login = { timestamp = "secret"; ip = 5 } }', '{ ["secret"] = secret }']
    for document in documents:
        assert "secret" not in str(read("lastlog2", f"return {document}").problems)


def test_many_problems_of_a_kind_are_told_shortly() -> None:
    assert merged([FileProblem("a", "1"), FileProblem("b", "2"), FileProblem("a", "1"), FileProblem("a", "3")]) == (
        FileProblem("a", "1; 3"),
        FileProblem("b", "2"),
    )
    assert merged(FileProblem("a", str(n)) for n in range(9)) == (FileProblem("a", "0; 1; 2; and 6 more"),)


# Whatever a file holds.

EVENT = st.fixed_dictionaries(
    {}, optional={"timestamp": st.one_of(st.integers(-1, 2**40), st.floats()), "ip": st.text()}
)
TABLE: st.SearchStrategy[LuaValue] = st.dictionaries(
    st.sampled_from(["login", "logout", "registered", "x"]), st.one_of(EVENT, st.text(), st.integers(-5, 5))
).map(as_lua)


def tables(indent: str, names: Sequence[str], text: str) -> st.SearchStrategy[str]:
    """The fields of a record as Prosody writes them, in any order, now and then not quite."""
    time_of = st.sampled_from([f"{NOON}", "1790805000", "0", "07", "9" * 18, "9" * 19, "-1", "1e9", "true"])
    texts = st.sampled_from(
        [*names, "192.0.2.7", "2001:db8::1", "", "Dino.1234", "Ünïcode", "\\049", "\r", "\\\n", "\0"]
    )
    fields = [
        time_of.map(lambda when: f'{indent}["timestamp"] = {when};\n'),
        texts.map(lambda ip: f'{indent}["ip"] = "{ip}";\n'),
        texts.map(lambda it: f'{indent}["{text}"] = "{it}";\n'),
    ]
    return st.lists(st.one_of(fields), max_size=4).map("".join)


KINDS, MONTHS = ["login", "logout", "registered"], ["2026-11", "2026-10", "2026-13", "1970-01"]
DOCUMENTS = {
    files.LASTLOG2: (KINDS, tables("\t\t", KINDS, "resource")),
    files.LOGIN_STORE: (MONTHS, tables("\t\t", MONTHS, "resource")),
    files.LASTLOG: ([], tables("\t", KINDS, "event")),
    files.ACCOUNT_ACTIVITY: ([], tables("\t", KINDS, "event")),
}


@st.composite
def nearly_common(draw: st.DrawFn, store: str) -> bytes:
    """A file as Prosody writes it, with its keys in any order, now and then not quite."""
    names, fields = DOCUMENTS[store]
    if names:
        some = draw(st.lists(st.sampled_from([*names, "message"]), max_size=3))
        body = "".join(f'\t["{name}"] = {{\n{draw(fields)}\t}};\n' for name in some)
    else:
        body = draw(fields)
    whole = f"return {{\n{body}" + draw(st.sampled_from(["};\n"] * 6 + ["};", "};\n\n", "}", "};\n;"]))
    at, spoiled = (
        draw(st.integers(0, 200)),
        draw(st.sampled_from([b""] * 6 + [b"x", b"\n", b"\0", b"\xff", b'"', b"};\n"])),
    )
    document = whole.encode()
    return document[:at] + spoiled + document[at:]


LONG_WAY = {
    files.LASTLOG2: lastlog2,
    files.LASTLOG: lastlog,
    files.ACCOUNT_ACTIVITY: account_activity,
    files.LOGIN_STORE: login_records,
}


@pytest.mark.parametrize("store", files.USER_STORES)
@settings(max_examples=400)
@given(st.data())
def test_the_short_way_says_what_the_long_way_does(store: str, data: st.DataObject) -> None:
    document = data.draw(st.one_of(nearly_common(store), TABLE.map(serialise)))
    said = plain_reader(store)(document)
    if said is not None:
        long = LONG_WAY[store](parse(document))
        assert (long.known, long.problems, long.component) == (True, (), False)
        assert said == flat(long.activities, long.logins)


@pytest.mark.parametrize(
    "path", sorted(SAMPLES.glob("internal-*/*/*/*.dat")), ids=lambda path: "/".join(path.parts[-3:])
)
def test_what_a_server_writes_is_read_the_short_way(path: Path) -> None:
    """But for what a component writes, which is nobody's."""
    store = path.parent.name
    if store in files.USER_STORES and not read_store(store, path.read_bytes()).component:
        assert plain_reader(store)(path.read_bytes()) is not None


def test_login_records_of_several_months_come_in_their_order() -> None:
    october, november = 1791374400, 1795320000
    records = {
        "2026-11": {"timestamp": november, "ip": "2001:db8::1", "resource": "Dino.1234"},
        "2026-10": {"timestamp": october},
    }
    expected = ((october, None, None), (november, "2001:db8::1", "Dino.1234"))
    assert plain_reader(files.LOGIN_STORE)(serialise(as_lua(records))) == flat((), expected)


@given(st.sampled_from(files.USER_STORES), st.one_of(st.binary(), st.binary().map(lambda data: b"return {" + data)))
def test_nothing_is_raised_whatever_a_file_holds(store: str, data: bytes) -> None:
    read_store(store, data)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary()),
    lambda inner: st.dictionaries(
        st.sampled_from([b"login", b"logout", b"timestamp", b"ip", b"event", b"2026-11", b"resource", 1]), inner
    ),
)


@given(st.sampled_from(files.USER_STORES), VALUES)
def test_a_reading_holds_only_times(store: str, value: LuaValue) -> None:
    reading = read_store(store, serialise(value))
    assert all(event[0] > 0 for event in (*reading.activities, *reading.logins))
    assert len(set(kinds(reading))) == len(reading.problems)


def test_file_names_of_users() -> None:
    assert files.user_file("o.hara") == b"o%2ehara.dat"
    assert files.user_of(b"o%2ehara.dat") == "o.hara"
    for name in (b"alice.dat~", b"alice.list", b"raw.name.dat", b"Upper%2E.dat", b"bad%zz.dat", b"alice"):
        assert files.user_of(name) is None
    assert files.VISITORS_FILES == (b"monthly%2dvisitors.dat", b"monthly-visitors.dat")
