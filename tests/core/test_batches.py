"""Users who are taken many at once are counted as they are one by one."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_engine import HOST, NOW, ScriptedSource, World

from headcount.months import start_of
from headcount.records import HostRead, Problem, Record, UserRecord, Users, UsersGone
from headcount.user_keys import Keys
from telling import record, tells

DAY = 86_400
BERLIN = ZoneInfo("Europe/Berlin")
KEYS = Keys(b"k" * 32)
key_of = KEYS.of_host(HOST)

whens = st.one_of(
    st.integers(-70, 1).map(lambda days: int(NOW) + days * DAY // 2),
    st.integers(-9, 3).map(lambda off: int(NOW) + off),
    st.integers(-2, 2).map(lambda off: int(start_of("2026-11", BERLIN)) + off),
    st.sampled_from([1, 10**12, 10**17]),
)
addresses = st.sampled_from([None, "8.8.8.8", "203.0.113.7", "10.0.0.1", "2001:4860:4860::8888", "nonsense"])
resources = st.sampled_from([None, "phone", "Conversations.x"])


@st.composite
def user_records(draw: st.DrawFn) -> UserRecord:
    user = draw(st.sampled_from("abcdef"))
    kinds = st.sampled_from(["login", "logout", "seen"])
    activities = draw(st.lists(st.tuples(whens, kinds, addresses), max_size=4))
    logins = draw(st.lists(st.tuples(whens, addresses, resources), max_size=3, unique_by=lambda it: it[0]))
    problems = draw(st.sampled_from([(), (), (), (Problem("unreadable record", "x", "y", "z"),)]))
    is_known, is_unread = draw(st.booleans()) or bool(activities or logins), bool(problems) and draw(st.booleans())
    in_order = sorted(logins, key=lambda login: login[0])
    return record(key_of(user), user, activities, in_order, problems, is_known, is_unread)


steps = st.lists(
    st.one_of(
        st.lists(user_records(), min_size=1, max_size=6, unique_by=lambda user: user.key),
        st.sampled_from("abcdef").map(lambda user: ("gone", user)),
        st.sampled_from([1.0, 6.0, 3600.0, 40.0 * DAY]),
    ),
    max_size=12,
)


def play(happened: list[object], *, at_once: bool, **options: object) -> object:
    world = World()
    world.zone = BERLIN  # type: ignore[assignment]

    def said(step: object) -> list[Record]:
        if isinstance(step, list):
            return [Users(HOST, step)] if at_once else [Users(HOST, [user]) for user in step]
        _, user = step  # type: ignore[misc]
        return [UsersGone(HOST, [key_of(user)])] if at_once else [tells(HOST, user)]

    batches = [world.pass_time(step) if isinstance(step, float) else said(step) for step in happened]
    first = [batch for batch in batches[:4] if isinstance(batch, list)]
    source = ScriptedSource([*first, [HostRead(HOST)]], [*batches[4:]])
    engine = world.engine(source, keys=KEYS, zone=BERLIN, **options)
    engine.run(world.shown.append, source.stop)
    last = engine.snapshot()
    seen = engine._counting.hosts[HOST]._seen._apart if HOST in engine._counting.hosts else {}
    return last.hosts, last.problems, seen


@pytest.mark.parametrize(
    "options", [{}, {"count_open_sessions": True}, {"countries": frozenset({"US"})}, {"settle": 0}]
)
@given(steps)
def test_it_makes_no_difference(options: dict[str, object], happened: list[object]) -> None:
    assert play(happened, at_once=True, **options) == play(happened, at_once=False, **options)
