"""What a user's files tell, and what is said of those that are wrong."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.prosody import faults, files
from headcount.prosody.faults import Fault, merged
from headcount.prosody.lua_table import LuaValue, as_lua, parse
from headcount.prosody.lua_write import serialise
from headcount.prosody.plain import plain_lastlog2, plain_logins, plain_table
from headcount.prosody.stores import NOTHING, StoreReading, lastlog2, read_store
from headcount.records import Activity, Login

SAMPLES = Path(__file__).parents[2] / "data" / "prosody-samples"
NOON = 1795320350  # 2026-11-22


def read(store: str, document: str) -> StoreReading:
    return read_store(store, document.encode())


def kinds(reading: StoreReading) -> list[str]:
    return [fault.what for fault in reading.faults]


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
        assert not reading.faults
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
    assert kinds(reading) == [faults.EMPTY]
    assert not reading.known


@pytest.mark.parametrize("data", [b"\0" * 64, b"return {", b"local t = {} return t", b"return {" * 999, b"\xff", b"{}"])
@pytest.mark.parametrize("store", files.USER_STORES)
def test_a_file_that_cannot_be_read_is_one_fault_of_a_known_user(store: str, data: bytes) -> None:
    reading = read_store(store, data)
    assert reading == StoreReading(known=True, faults=reading.faults)
    assert kinds(reading) == [faults.UNREADABLE]
    assert "at byte" in reading.faults[0].why


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
        assert tuple(activity.when for activity in reading.activities) == expected
        assert kinds(reading) == ([] if expected else [faults.NO_TIME])
        assert reading.known


@pytest.mark.parametrize("bad", ["5", '"x"', "false", "{}", "{ timestamp = 'x' }", "{ timestamp = 0 }"])
def test_a_bad_event_leaves_the_good_one(bad: str) -> None:
    reading = read("lastlog2", f"return {{ login = {bad}; logout = {{ timestamp = {NOON} }} }}")
    assert reading.activities == (Activity(NOON, "logout"),)
    assert len(reading.faults) == 1


def test_two_bad_events_are_one_fault_of_the_file() -> None:
    reading = read("lastlog2", "return { login = 5; logout = 'x' }")
    assert reading.faults == (
        Fault(faults.UNEXPECTED, "the login is a number, not a table; the logout is text, not a table"),
    )


@pytest.mark.parametrize("document", ["return 5", 'return "x"', "return true", "return false"])
@pytest.mark.parametrize("store", files.USER_STORES)
def test_a_store_is_a_table(store: str, document: str) -> None:
    reading = read(store, document)
    assert kinds(reading) == [faults.UNEXPECTED]
    assert not reading.activities


@pytest.mark.parametrize("event", ["nil", "5", '"seen"', "{}"])
def test_an_event_is_one_that_prosody_writes(event: str) -> None:
    reading = read("lastlog", f"return {{ event = {event}; timestamp = {NOON} }}")
    assert reading == StoreReading(known=True, faults=reading.faults)
    assert kinds(reading) == [faults.UNEXPECTED]


def test_an_address_that_is_no_text_does_not_lose_the_activity() -> None:
    reading = read("lastlog2", f"return {{ login = {{ timestamp = {NOON}; ip = {{ 10, 0, 0, 1 }} }} }}")
    assert reading.activities == (Activity(NOON, "login", None),)
    assert reading.faults == (Fault(faults.UNEXPECTED, "the ip of the login is a table, not text"),)


@pytest.mark.parametrize("key", ["[1]", '["2026-13"]', '["2026-1"]', '["9999-12"]', "[true]", '["２０２６-11"]'])
def test_a_login_record_stands_under_a_month(key: str) -> None:
    reading = read("login_records", f"return {{ {key} = {{ timestamp = {NOON} }} }}")
    assert reading.logins == ()
    assert kinds(reading) == [faults.NO_MONTH]


NOVEMBER = 1793491200, 1796083200  # 2026-11 in UTC


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (NOVEMBER[0] - 14 * 3600, []),
        (NOVEMBER[0] - 14 * 3600 - 1, [faults.OUTSIDE_MONTH]),
        (NOVEMBER[1] + 14 * 3600, []),
        (NOVEMBER[1] + 14 * 3600 + 1, [faults.OUTSIDE_MONTH]),
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
    assert len(reading.faults) == 1


def test_a_fault_never_quotes_the_data() -> None:
    documents = ['{ login = "secret" }', '{ login = { timestamp = "secret"; ip = 5 } }', '{ ["secret"] = secret }']
    for document in documents:
        assert "secret" not in str(read("lastlog2", f"return {document}").faults)


def test_many_faults_of_a_kind_are_told_shortly() -> None:
    assert merged([Fault("a", "1"), Fault("b", "2"), Fault("a", "1"), Fault("a", "3")]) == (
        Fault("a", "1; 3"),
        Fault("b", "2"),
    )
    assert merged(Fault("a", str(n)) for n in range(9)) == (Fault("a", "0; 1; 2; and 6 more"),)


# Whatever a file holds.

EVENT = st.fixed_dictionaries(
    {}, optional={"timestamp": st.one_of(st.integers(-1, 2**40), st.floats()), "ip": st.text()}
)
TABLE: st.SearchStrategy[LuaValue] = st.dictionaries(
    st.sampled_from(["login", "logout", "registered", "x"]), st.one_of(EVENT, st.text(), st.integers(-5, 5))
).map(as_lua)


@st.composite
def nearly_common(draw: st.DrawFn) -> bytes:
    """A file of lastlog2 as Prosody writes it, in any order of keys, now and then not quite."""
    event = (
        st.permutations(
            [
                b'\t\t["ip"] = "%b";\n' % draw(st.sampled_from([b"192.0.2.7", b"", b"\xff", b"\\049", b"\r"])),
                b'\t\t["timestamp"] = %b;\n'
                % draw(st.sampled_from([b"1795320350", b"0", b"07", b"9" * 18, b"9" * 19, b"-1"])),
            ]
        )
        .flatmap(lambda lines: st.sampled_from([lines, lines[:1], lines * 2]))
        .map(b"".join)
    )
    names = draw(st.lists(st.sampled_from([b"login", b"logout", b"registered"]), max_size=3))
    body = b"".join(b'\t["%b"] = {\n%b\t};\n' % (name, draw(event)) for name in names)
    return b"return {\n" + body + draw(st.sampled_from([b"};\n", b"};", b"};\n\n", b"}", b"};\n;"]))


@settings(max_examples=400)
@given(st.one_of(nearly_common(), TABLE.map(serialise)))
@example((SAMPLES / "odd/normal.dat").read_bytes())
def test_the_short_way_and_the_long_way_agree(document: bytes) -> None:
    try:
        value = parse(document)
    except ValueError:
        assert kinds(read_store("lastlog2", document)) == [faults.UNREADABLE]
    else:
        assert read_store("lastlog2", document) == lastlog2(value)


COMMON = (SAMPLES / "odd/normal.dat").read_bytes()


@settings(max_examples=200)
@given(st.lists(st.one_of(nearly_common(), st.sampled_from([b"", b"\0", COMMON, COMMON + b"\0" + COMMON])), max_size=9))
@example([COMMON, b"\0" + COMMON, b"x"])
@example([COMMON, COMMON + b"\0" + COMMON, b"", COMMON])
def test_many_files_say_what_each_says_alone(documents: list[bytes]) -> None:
    said = plain_lastlog2(documents)
    assert said == [alone for document in documents for alone in plain_lastlog2([document])]
    assert all(b"\0" not in document for document, events in zip(documents, said, strict=True) if events)


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
    assert all(event.when > 0 for event in (*reading.activities, *reading.logins))
    assert len(set(kinds(reading))) == len(reading.faults)


def test_file_names_of_users() -> None:
    assert files.user_file("o.hara") == b"o%2ehara.dat"
    assert files.user_of(b"o%2ehara.dat") == "o.hara"
    for name in (b"alice.dat~", b"alice.list", b"raw.name.dat", b"Upper%2E.dat", b"bad%zz.dat", b"alice"):
        assert files.user_of(name) is None
    assert files.VISITORS_FILES == (b"monthly%2dvisitors.dat", b"monthly-visitors.dat")


texts = st.text(st.sampled_from('abc1"\\\n]=é{}; \t'), max_size=6)
plain_values = st.one_of(texts, st.integers(0, 10**19), st.just(True), st.floats(0, 1e6))


@given(
    st.dictionaries(texts, st.dictionaries(texts, plain_values, max_size=4), max_size=3),
    st.integers(0, 60),
    st.sampled_from([b"", b"x", b"\n", b"\t", b'"', b"};\n"]),
)
def test_a_plain_table_is_what_the_parser_makes_of_it(table: dict[str, Any], at: int, spoiled: bytes) -> None:
    data = serialise(as_lua(table))
    for document in (data, data[:at] + spoiled + data[at:]):
        quick = plain_table(document)
        if quick is not None:
            assert quick == parse(document)


record_fields = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": st.one_of(st.integers(1790805000, 1793487600), st.integers(0, 10**11), texts),
        "ip": st.one_of(texts, st.sampled_from(["203.0.113.0/24", "2001:db8::1"]), st.integers(0, 9)),
        "resource": st.one_of(texts, st.sampled_from(["Dino.1234", "Ünïcode"])),
        "more": st.just("x"),
    },
)


@given(
    st.dictionaries(st.sampled_from(["2026-09", "2026-10", "2026-11", "2026-13", "x"]), record_fields, max_size=3),
    st.integers(0, 200),
    st.sampled_from([b"", b"x", b"\n", b"\t", b'"', b"};\n", b"\xff"]),
)
@example({"1970-01": {"ip": "203.0.113.0/24"}}, 0, b"")
@example({"2026-11": {"timestamp": NOON, "ip": "203.0.113.0/24", "resource": "Dino.1234"}}, 0, b"")
def test_plain_logins_are_what_the_parser_makes_of_them(table: dict[str, Any], at: int, spoiled: bytes) -> None:
    data = serialise(as_lua(table))
    for document in (data, data[:at] + spoiled + data[at:]):
        (quick,) = plain_logins([document])
        if quick is not None:
            reading = read_store("login_records", document)
            assert reading == StoreReading(known=True, logins=tuple(Login(*login) for login in quick))


def test_usual_login_records_are_plain_logins() -> None:
    october, november = 1791374400, 1795320000
    records = {
        "2026-11": {"timestamp": november, "ip": "2001:db8::1", "resource": "Dino.1234"},
        "2026-10": {"timestamp": october},
    }
    expected = ((october, None, None), (november, "2001:db8::1", "Dino.1234"))
    assert plain_logins([serialise(as_lua(records))]) == [expected]


RECORDS = serialise(as_lua({"2026-11": {"timestamp": NOON, "resource": "Dino.1234"}}))
OLDER_RECORDS = serialise(as_lua({"2026-11": {"timestamp": NOON}, "2026-10": {"timestamp": NOON - 30 * 86_400}}))


@given(
    st.lists(
        st.builds(
            lambda document, at, spoiled: document[:at] + spoiled + document[at:],
            st.sampled_from([b"", b"x", RECORDS, OLDER_RECORDS, RECORDS + b"\0" + RECORDS]),
            st.integers(0, 200),
            st.sampled_from([b"", b"", b"", b"x", b"\0", b"\xff", b"\n"]),
        ),
        max_size=9,
    )
)
@example([RECORDS, b"\0" + RECORDS, b"x", OLDER_RECORDS])
@example([RECORDS, RECORDS + b"\0" + RECORDS, b"", OLDER_RECORDS])
def test_many_login_records_say_what_each_says_alone(documents: list[bytes]) -> None:
    said = plain_logins(documents)
    assert said == [alone for document in documents for alone in plain_logins([document])]
    assert all(b"\0" not in document for document, logins in zip(documents, said, strict=True) if logins is not None)


def test_a_login_record_is_a_plain_table() -> None:
    record = {
        "2026-11": {"timestamp": 1795320000, "ip": "2001:db8::1", "resource": "Dino.1234"},
        "2026-10": {"timestamp": 5},
    }
    assert plain_table(serialise(as_lua(record))) == as_lua(record)
