"""Who was there the month before: never told unless it is so, whatever happens between."""

import itertools
import random
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from made_up import FRANKFURT, NOW, snapshot
from no_state import NoState
from test_engine import HOST, ScriptedSource, places

from headcount.clients.patterns import ClientPatterns
from headcount.counting.active_users import ActiveUsers
from headcount.counting.activity_rule import NEVER, Presence
from headcount.counting.arrivals import LastSeen, was_there_before
from headcount.engine.engine import Engine
from headcount.engine.options import Options
from headcount.figures.anonymity import anonymous
from headcount.figures.filters import Filter, only_month
from headcount.figures.totals import Turnover, turnover
from headcount.months import end_of, month_of, shift, start_of
from headcount.records import HostGone, HostRead, Problem, Record, Users
from headcount.snapshot import Arrivals, Cell, HostCounts, MonthCounts, Place, Progress, Quality, Snapshot
from headcount.state import State, Update
from headcount.state.sqlite import SqliteState
from telling import KEYS, Activity, Login, tells

UTC = ZoneInfo("UTC")
DAY = 86_400
OCTOBER, NOVEMBER, DECEMBER = (start_of(month, UTC) for month in ("2026-10", "2026-11", "2026-12"))
ZONES = (UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland"))
NOBODY = Cell(Place(), "?")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


class Following:
    """An engine that has followed a host of one user, `old`, since September, and is told what happens."""

    def __init__(self, state: State | None = None, since: float = OCTOBER - 10 * DAY, **options: object) -> None:
        self.now, self.ticks, self._options = since, 0.0, options
        self._state = state or NoState()
        self.shown: list[Snapshot] = []
        self._source = ScriptedSource([])
        self._records: dict[str, Users] = {}
        self._engine = self._new_engine()
        self.seen("old", since - 100)
        self.say(HostRead(HOST))

    def _new_engine(self) -> Engine:
        usual = {"zone": UTC, "zone_name": "UTC", "clock": lambda: self.now, "ticks": lambda: self.ticks}
        described = Options(**{**usual, **self._options})  # type: ignore[arg-type]  # mixed by name
        return Engine(self._source, places(), ClientPatterns([]), self._state, described)

    def say(self, *records: Record) -> None:
        """What the source says, in a batch."""
        self._engine._take([*records])
        self._engine._tick()

    def seen(self, user: str, when: float, *logins: Login, problems: tuple[Problem, ...] = ()) -> None:
        """A login, at that moment or as late as it is now."""
        self.wait_until(when)
        self.say(tells(HOST, user, True, (Activity(when, "login"),), logins, problems))

    def deleted(self, user: str) -> None:
        self.say(tells(HOST, user))

    def wait_until(self, moment: float) -> None:
        """Lets time go by steadily."""
        while self.now < moment:
            step = min(250.0, moment - self.now) if self._near_a_bound(moment) else min(DAY, moment - self.now)
            self.now, self.ticks = self.now + step, self.ticks + step
            self._engine._tick()

    def _near_a_bound(self, moment: float) -> bool:
        return any(self.now - 300 < bound <= self.now + DAY + 300 for bound in (OCTOBER, NOVEMBER, DECEMBER))

    def restart(self, *records: Record) -> None:
        """Ends the engine; another one reads what is there then."""
        self._engine._counting.release()
        self._engine._keeping.keep(self._engine.snapshot)
        self._engine = self._new_engine()
        self.say(*records, HostRead(HOST))

    def arrivals(self, month: str = "2026-11") -> Arrivals | None:
        self.wait_until(self.now + 10)
        return self._engine.snapshot().hosts[HOST].arrivals.get(month)

    @property
    def snapshot(self) -> Snapshot:
        return self._engine.snapshot()


def login(when: float) -> Login:
    return Login(when, None, "Dino")


NEW, RETURNING, UNTOLD = Arrivals(0, 0), Arrivals(1, 0), Arrivals(0, 1)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (OCTOBER - 1, False),
        (NEVER, False),
        (OCTOBER, True),
        (NOVEMBER - 1, True),
        (NOVEMBER, None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_the_last_activity_before_tells_who_was_there_the_month_before(
    before: float | None, expected: bool | None
) -> None:
    assert was_there_before("2026-11", before, UTC) is expected


@pytest.mark.parametrize("after", [5, 8.5 * DAY])
def test_who_is_counted_is_known_by_who_was_there_the_month_before(after: float) -> None:
    """Be that month still open, or closed."""
    server = Following()
    server.seen("back", OCTOBER + DAY)
    server.seen("back", NOVEMBER + after)
    assert server.arrivals() == RETURNING
    server.seen("old", NOVEMBER + after + 60)
    server.seen("fresh", NOVEMBER + after + 120)
    server.seen("back", NOVEMBER + after + 180)
    assert server.arrivals() == RETURNING
    assert turnover(server.snapshot, "2026-11") == Turnover(2, 1, None)
    server.wait_until(DECEMBER + 60)
    assert turnover(server.snapshot, "2026-11") == Turnover(2, 1, 0)


def test_one_who_is_lost_is_known_when_the_month_is_over() -> None:
    server = Following()
    server.seen("lost", OCTOBER + DAY)
    server.seen("fresh", NOVEMBER + DAY)
    assert server.arrivals() == NEW
    assert turnover(server.snapshot, "2026-11") == Turnover(1, 0, None)
    server.wait_until(DECEMBER + 60)
    assert turnover(server.snapshot, "2026-11") == Turnover(1, 0, 1)


@pytest.mark.parametrize("after", [2, 8.5 * DAY])
def test_the_login_record_that_follows_in_a_moment_hides_nothing(after: float) -> None:
    """It takes the held login's place, and what was before that login stands."""
    server = Following()
    when = NOVEMBER + after
    server.seen("fresh", when)
    server.seen("fresh", when, login(when))
    server.seen("old", when)
    server.seen("old", when + 1)
    server.seen("old", when + 1, login(when))
    assert server.arrivals() == NEW


def test_one_who_comes_at_both_sides_of_midnight_was_there_before() -> None:
    for logins in ((), (login(NOVEMBER + 1),)):
        server = Following()
        server.seen("late", NOVEMBER - 1)
        server.seen("late", NOVEMBER + 1, *logins)
        assert server.arrivals() == RETURNING
        assert server.snapshot.hosts[HOST].months["2026-10"].users == 1


def test_a_record_that_comes_late_makes_one_who_seemed_new_return() -> None:
    server = Following()
    server.seen("old", NOVEMBER + DAY)
    assert server.arrivals() == NEW
    server.seen("old", NOVEMBER + DAY, login(NOVEMBER - DAY))
    assert server.arrivals() == RETURNING


def test_a_login_record_that_corrects_a_place_is_no_arrival(path: Path) -> None:
    with SqliteState(path) as state:
        server = Following(state)
        server.seen("old", NOVEMBER + DAY)
        server.wait_until(NOVEMBER + DAY + 60)
        server.seen("old", NOVEMBER + DAY + 100, login(NOVEMBER + DAY))
        assert server.arrivals() == NEW


@pytest.mark.parametrize(
    ("after", "expected"), [(2 * DAY, Arrivals(1, 0)), (9 * DAY, Arrivals(0, 2))], ids=["open", "closed"]
)
def test_who_came_while_no_engine_looked_is_known_only_by_who_was_counted_before(
    path: Path, after: float, expected: Arrivals
) -> None:
    with SqliteState(path) as state:
        server = Following(state)
        server.seen("back", OCTOBER + DAY)
        server.wait_until(NOVEMBER + after)
        came = [tells(HOST, user, True, (Activity(server.now - 60, "login"),)) for user in ("back", "fresh")]
        server.restart(*came)
        assert server.arrivals() == expected
        assert (turnover(server.snapshot, "2026-11") is None) == bool(expected.unknown)


def test_who_comes_after_a_restart_is_known_by_what_was_read(path: Path) -> None:
    with SqliteState(path) as state:
        server = Following(state)
        server.wait_until(NOVEMBER + 9 * DAY)
        read = {"back": OCTOBER + DAY, "old": OCTOBER - DAY}
        server.restart(*(tells(HOST, user, True, (Activity(when, "login"),)) for user, when in read.items()))
        for user in ("back", "old", "fresh"):
            server.seen(user, NOVEMBER + 10 * DAY)
        assert server.arrivals() == RETURNING
        server.restart()
        assert server.arrivals() == RETURNING


def test_a_login_record_of_the_month_before_tells_of_it_after_a_restart(path: Path) -> None:
    with SqliteState(path) as state:
        server = Following(state)
        server.wait_until(NOVEMBER + 9 * DAY)
        for logins, expected in (((login(OCTOBER + DAY),), RETURNING), ((login(OCTOBER - DAY),), Arrivals(1, 1))):
            user = f"user{len(logins)}{expected.unknown}"
            server.restart(tells(HOST, user, True, (Activity(NOVEMBER + 8.9 * DAY, "login"),), logins))
            assert server.arrivals() == expected


def test_an_account_made_again_is_the_same_user() -> None:
    server = Following()
    server.seen("back", OCTOBER + DAY)
    server.wait_until(NOVEMBER + 9 * DAY)
    server.deleted("back")
    server.seen("back", NOVEMBER + 10 * DAY)
    assert server.arrivals() == RETURNING


def test_a_registration_is_no_activity_and_what_could_not_be_read_may_hide_one() -> None:
    server = Following()
    server.wait_until(NOVEMBER + 9 * DAY)
    server.say(tells(HOST, "fresh", known=True))
    server.seen("fresh", NOVEMBER + 9 * DAY + 1)
    assert server.arrivals() == NEW
    problem = Problem("unreadable record", "", "", "permission denied")
    server.say(tells(HOST, "broken", known=True, problems=(problem,)))
    server.seen("broken", NOVEMBER + 9 * DAY + 2)
    assert server.arrivals() == UNTOLD


def test_a_host_that_comes_back_is_read_before_anybody_is_taken_for_new() -> None:
    server = Following()
    server.seen("back", OCTOBER + DAY)
    server.wait_until(NOVEMBER + 9 * DAY)
    server.say(HostGone(HOST))
    server.seen("back", NOVEMBER + 9 * DAY + 60)
    assert server.arrivals() == RETURNING
    server.seen("other", NOVEMBER + 9 * DAY + 70)
    assert server.arrivals() == Arrivals(1, 1)
    server.say(HostRead(HOST))
    server.seen("fresh", NOVEMBER + 9 * DAY + 80)
    assert server.arrivals() == Arrivals(1, 1)


def test_open_sessions_that_count_as_active_do_not_hide_when_they_began() -> None:
    server = Following(count_open_sessions=True)
    server.seen("back", OCTOBER + DAY)
    server.seen("back", NOVEMBER + 9 * DAY)
    server.seen("old", NOVEMBER + 9 * DAY)
    assert server.arrivals() == RETURNING


def test_where_countries_are_left_out_only_who_was_counted_tells() -> None:
    server = Following(countries=frozenset({None}))
    server.seen("back", OCTOBER + DAY)
    server.seen("back", NOVEMBER + DAY)
    server.seen("fresh", NOVEMBER + DAY)
    assert server.arrivals() == RETURNING
    server.seen("old", NOVEMBER + 9 * DAY)
    assert server.arrivals() == Arrivals(1, 1)


def test_a_month_that_is_no_exact_one_tells_of_no_arrivals(path: Path) -> None:
    with SqliteState(path) as state:
        server = Following(state, since=NOVEMBER + DAY)
        server.seen("fresh", NOVEMBER + 2 * DAY)
        assert server.arrivals() is None
        server.seen("fresh", DECEMBER + DAY)
        server.seen("old", DECEMBER + DAY)
        assert server.arrivals("2026-12") == Arrivals(2, 0)
        assert turnover(server.snapshot, "2026-12") == Turnover(0, 2, None)
        server.wait_until(end_of("2026-12", UTC) + 60)
        assert turnover(server.snapshot, "2026-12") == Turnover(0, 2, None)  # nobody knows all of November


def test_users_who_are_gone_are_forgotten_when_they_can_tell_no_more() -> None:
    seen, active = LastSeen(is_known=True), ActiveUsers(NOW)
    seen.note_read()
    september, october = 1, 2
    for key, when in {september: OCTOBER - 1, october: OCTOBER}.items():
        active.put(key, Presence(when, NOBODY, is_open=False))
    seen.lose_all(active)
    seen.note_read()
    active = ActiveUsers(NOW)
    assert seen.before(september, None) == OCTOBER - 1
    seen.forget_before(OCTOBER, active)
    assert seen.before(september, None) == NEVER
    assert seen.before(october, None) == OCTOBER


def shown_with(arrivals: Arrivals, quality: Quality = Quality.EXACT, before: Quality = Quality.EXACT) -> Snapshot:
    months = {
        "2026-11": MonthCounts.of(quality, {Cell(FRANKFURT, "?"): 5}),
        "2026-10": MonthCounts.of(before, {Cell(FRANKFURT, "?"): 4}),
    }
    return snapshot({"a": HostCounts(months=months, arrivals={"2026-11": arrivals})}, month="2026-12")


def test_a_turnover_is_known_of_exact_months_alone() -> None:
    assert turnover(shown_with(Arrivals(3, 0)), "2026-11") == Turnover(2, 3, 1)
    assert turnover(shown_with(Arrivals(3, 0), before=Quality.LOWER_BOUND), "2026-11") == Turnover(2, 3, None)
    assert turnover(shown_with(Arrivals(3, 1)), "2026-11") is None
    assert turnover(shown_with(Arrivals(3, 0), Quality.LOWER_BOUND), "2026-11") is None
    assert turnover(shown_with(Arrivals(3, 0)), "2026-10") is None
    assert turnover(replace(shown_with(Arrivals(3, 0)), month="2026-11"), "2026-11") == Turnover(2, 3, None)


def test_a_turnover_is_of_all_hosts_or_none() -> None:
    one = shown_with(Arrivals(3, 0))
    counts = one.hosts["a"]
    both = replace(one, hosts={"a": counts, "b": counts})
    assert turnover(both, "2026-11") == Turnover(4, 6, 2)
    assert turnover(replace(both, hosts={"a": counts, "b": replace(counts, arrivals={})}), "2026-11") is None
    november = {"2026-11": counts.months["2026-11"]}
    assert turnover(replace(both, hosts={"a": counts, "b": replace(counts, months=november)}), "2026-11") == Turnover(
        4, 6, None
    )
    october = HostCounts(months={"2026-10": counts.months["2026-10"]})  # nobody of it came again
    assert turnover(replace(both, hosts={"a": counts, "b": october}), "2026-11") == Turnover(2, 3, 5)
    assert turnover(replace(both, hosts={"a": counts, "b": HostCounts()}), "2026-11") == Turnover(2, 3, 1)


@pytest.mark.parametrize("field", ["country", "subdivision", "city", "client", "text"])
def test_arrivals_are_of_whole_hosts_and_leave_with_a_filter(field: str) -> None:
    shown = shown_with(Arrivals(3, 0))
    asked = Filter().having(field, "DE")  # type: ignore[arg-type]  # one of its names
    assert asked.apply(shown).hosts["a"].arrivals == {}
    assert Filter().having("host", "a").having("month", "2026-11").apply(shown).hosts["a"].arrivals != {}
    assert only_month(shown, "2026-11").hosts["a"].arrivals == {"2026-11": Arrivals(3, 0)}
    assert only_month(shown, "2026-10").hosts["a"].arrivals == {}


def test_arrivals_never_leave_the_machine() -> None:
    assert anonymous(shown_with(Arrivals(3, 0)), 1).hosts["a"].arrivals == {}


def test_nothing_but_two_numbers_is_kept_of_who_came_again(path: Path) -> None:
    """A deleted user's name is in memory alone, until it can tell nothing more."""
    with SqliteState(path) as state:
        server = Following(state)
        server.seen("marked-user", OCTOBER + DAY)
        server.seen("marked-user", NOVEMBER + 9 * DAY)
        server.seen("marked-gone", NOVEMBER + 9 * DAY)
        server.deleted("marked-gone")
        assert server.arrivals() == RETURNING
        months = state.load().hosts[HOST].months
        assert {name: month.arrivals for name, month in months.items() if name > "2026-10"} == {"2026-11": RETURNING}
        assert not any(b"marked" in file.read_bytes() for file in path.parent.iterdir())
        seen = server._engine._counting.hosts[HOST]._seen
        assert KEYS.of_host(HOST)("marked-gone") in seen._apart
        server.wait_until(DECEMBER + 8 * DAY)
        assert KEYS.of_host(HOST)("marked-gone") in seen._apart  # it was there in November
        server.wait_until(end_of("2026-12", UTC) + 8 * DAY)
        assert seen._apart == {}


class Killed(BaseException):
    """The process ends here and now."""


class KilledState(SqliteState):
    """A state whose process was killed: it keeps nothing on the way out."""

    is_dead = False

    def save(self, update: Update) -> None:
        if not self.is_dead:
            super().save(update)


class Server:
    """A server and its plain reckoning: who was there in which month. Some of its hours nobody looks at."""

    label = "/server"
    progress: Progress | None = None

    def __init__(self, dice: random.Random, zone: ZoneInfo) -> None:
        self.dice, self.zone = dice, zone
        self.now = start_of("2026-08", zone) + 10 * DAY
        self.ticks = 0.0
        self.stop = threading.Event()
        self.zone_since = 0.0
        self.happened: list[tuple[float, str]] = []
        self.records: dict[str, Users] = {}
        self.deleted: set[str] = set()
        self.buried: set[str] = set()
        self.end = self.now
        self.is_killed = False
        self.may_delete = False
        self._number = itertools.count()
        for _ in range(25):
            self.log_in(f"user{next(self._number)}")

    def expect(self, hosts: Collection[str]) -> None:
        pass

    def lost(self) -> Problem | None:
        return None

    def missing(self) -> str | None:
        return None

    def close(self) -> None:
        pass

    def read(self) -> Iterator[list[Record]]:
        self.buried |= self.deleted  # nobody knows of them any more, and so their names are not used again
        yield [*self.records.values(), HostRead(HOST)]

    def stores(self) -> Collection[str]:
        return {"lastlog2"}

    def follow(self, timeout: float) -> Iterator[list[Record]]:
        for user in self.pass_time():
            yield [self.records.get(user, tells(HOST, user))]
        if self.now >= self.end:
            if self.is_killed:
                raise Killed
            self.stop.set()

    def pass_time(self) -> Iterator[str]:
        """Some hours, or near a month's end some minutes; who does something in them, one after the other."""
        month = month_of(self.now, self.zone)
        assert month is not None
        bounds = start_of(month, self.zone), end_of(month, self.zone)
        is_near = self.now < bounds[0] + 900 or self.now > bounds[1] - 900
        step = 120.0 if is_near else min(bounds[1] - 600 - self.now, self.dice.choice([60, 3600, 30_000]))
        step = max(step, 1.0)
        back = self.dice.choice([5, 300, 4000]) if self.dice.random() < 0.01 else 0  # the clock is set
        self.now, self.ticks = self.now + step - back, self.ticks + step
        for _ in range(self.dice.choice([0, 1, 1, 2] if step > 60 or is_near else [0, 0, 1])):
            yield self.act()

    def act(self) -> str:
        dice = self.dice.random()
        if dice < 0.12:
            user = f"user{next(self._number)}"
        else:
            user = f"user{self.dice.randrange(next(self._number))}" if dice < 0.2 else self.dice.choice([*self.records])
        if user in self.buried:
            return user
        if dice > 0.95 and self.may_delete and user in self.records:
            del self.records[user]
            self.deleted.add(user)
            return user
        if dice > 0.8 and user in self.records:
            (before,) = self.records[user].users
            login, logout = before.activities[0], Activity(int(self.now), "logout")
            self.records[user] = tells(HOST, user, True, (login, logout), before.logins)
            self.happened.append((int(self.now), user))
        else:
            self.log_in(user)
        return user

    def log_in(self, user: str) -> None:
        when = int(self.now - self.dice.choice([0, 0, 1, 3]))
        (before,) = self.records.get(user, tells(HOST, user, True)).users
        if before.newest > when:
            when = int(before.newest)
        month = month_of(when, self.zone)
        is_recorded = hash_of(user) % 3 == 0
        logins = tuple(before.logins[-2:])
        if is_recorded and not any(month_of(when, self.zone) == month for when, *_ in logins):
            logins = (*logins, Login(when, None, "Dino"))
        logouts = tuple(a for a in before.activities if a[1] == "logout")
        self.records[user] = tells(HOST, user, True, (Activity(when, "login"), *logouts), logins)
        self.happened.append((when, user))

    def visited(self) -> dict[str | None, set[str]]:
        """The users of each month, by plain sets."""
        found: dict[str | None, set[str]] = defaultdict(set)
        for when, user in self.happened:
            found[month_of(when, self.zone)].add(user)
        return found


def hash_of(user: str) -> int:
    return int(user.removeprefix("user"))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_known_is_what_plain_sets_tell(seed: int, path: Path) -> None:
    """An engine that is stopped, killed and begun again at any time; between, the server goes on without it, and now
    and then the clock is set back or the time zone is another one."""
    dice = random.Random(seed)
    server = Server(dice, dice.choice(ZONES))
    rarely = dice.choice([2, 8, 40]) * DAY
    end, compared = start_of("2027-02", server.zone), 0
    while server.now < end:
        server.stop.clear()
        if dice.random() < 0.03:
            server.zone, server.zone_since = dice.choice(ZONES), server.now
        server.end = server.now + dice.uniform(0.1, 2) * rarely
        server.is_killed = dice.random() < 0.5
        server.may_delete = rarely > 30 * DAY
        compared += live(server, path)
        if dice.random() < 0.7 and not server.may_delete:
            until = server.now + dice.choice([10, 600, DAY, 3 * DAY])
            while server.now < until:
                list(server.pass_time())
    assert compared > 0 or rarely < 5 * DAY


def live(server: Server, path: Path) -> int:
    """An engine's life; how many turnovers were told, each of which was right."""
    shown: list[Snapshot] = []
    compared = 0
    state = KilledState(path)
    options = Options(
        server.zone,
        server.zone.key,
        settle=server.dice.choice([0.0, 5.0]),
        clock=lambda: server.now,
        ticks=lambda: server.ticks,
    )
    engine = Engine(server, places(), ClientPatterns([]), state, options)
    try:
        engine.run(shown.append, server.stop)
    except Killed:
        state.is_dead = True
    else:
        shown.append(engine.snapshot())
        visited = server.visited()
        for month in shown[-1].hosts[HOST].months:
            told = turnover(shown[-1], month)
            if told is not None and start_of(month, server.zone) > server.zone_since:
                now, before = visited[month], visited[shift(month, -1)]
                assert told[:2] == (len(now - before), len(now & before)), month
                assert told.lost in (None, len(before - now)), month
                compared += 1
    finally:
        state.close()
    return compared
