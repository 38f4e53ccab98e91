"""What a record means: the place and client of now, and one visit a month."""

import math
from zoneinfo import ZoneInfo

from headcount.counting.activity_rule import NEVER, Presence
from headcount.counting.meaning import Meaning, Visit, visits_of
from headcount.records import UserRecord
from headcount.snapshot import Cell, Place
from telling import Activity, Login
from telling import record as record_of

UTC = ZoneInfo("UTC")
NOVEMBER, OCTOBER = 1_795_320_000, 1_793_000_000
PLACES = {"1.1.1.1": Place("AU"), "2.2.2.2": Place("FR"), "3.3.3.3": Place("DE")}


class Reading(Meaning):
    """What it says of now, and of months."""

    def presence(self, user: UserRecord) -> Presence:
        return self.read(user)[0]

    def visits(self, user: UserRecord, before: float | None = None) -> list[Visit]:
        return visits_of(self.read(user)[1], before)


def meaning(**options: object) -> Reading:
    return Reading(
        UTC,
        lambda address: PLACES.get(address or "", Place()),
        lambda resource: resource.split(".")[0] if resource else "?",
        **options,  # type: ignore[arg-type]
    )


def record(*activities: Activity, logins: tuple[Login, ...] = ()) -> UserRecord:
    return record_of(1, "alice", activities, logins)


def test_the_last_activity_is_the_newest_from_anywhere() -> None:
    said = record(Activity(10, "login"), Activity(30, "seen"), logins=(Login(20),))
    assert meaning().presence(said).last == 30
    assert meaning().presence(record()).last == NEVER


def test_a_session_is_open_where_the_newest_login_is_later_than_the_newest_logout() -> None:
    def is_open(*activities: Activity) -> bool:
        return meaning().presence(record(*activities)).is_open

    assert is_open(Activity(10, "login"))
    assert is_open(Activity(10, "login"), Activity(5, "logout"))
    assert not is_open(Activity(10, "login"), Activity(10, "logout"))
    assert not is_open(Activity(10, "logout"))
    assert not is_open(Activity(10, "seen"))


def test_a_session_was_opened_at_the_newest_login() -> None:
    def opened(*activities: Activity, logins: tuple[Login, ...] = ()) -> float | None:
        return meaning().presence(record(*activities, logins=logins)).opened

    assert opened(Activity(10, "login"), Activity(5, "logout"), Activity(7, "login")) == 10
    assert opened(Activity(10, "login"), Activity(90, "seen")) == 10
    assert opened(Activity(10, "login"), logins=(Login(11),)) == 11  # its record, written a little later
    assert opened(Activity(10, "login"), Activity(10, "logout")) is None


def test_the_place_of_now_is_that_of_the_newest_address_and_the_client_that_of_the_newest_resource() -> None:
    said = record(
        Activity(10, "login", "1.1.1.1"),
        Activity(30, "seen"),
        Activity(20, "logout", "2.2.2.2"),
        logins=(Login(5, "3.3.3.3", "Dino.1"), Login(6, None, "Gajim.2"), Login(7)),
    )
    assert meaning().presence(said).cell == Cell(Place("FR"), "Gajim")


def test_a_login_record_decides_its_month() -> None:
    said = record(Activity(NOVEMBER + 9, "login", "1.1.1.1"), logins=(Login(NOVEMBER, "2.2.2.2", "Dino.1"),))
    assert meaning().visits(said) == [Visit("2026-11", NOVEMBER, Cell(Place("FR"), "Dino"), recorded=True)]


def test_a_login_record_without_an_address_takes_that_of_the_same_login_alone() -> None:
    same = record(Activity(NOVEMBER, "login", "1.1.1.1"), logins=(Login(NOVEMBER + 1, None, "Dino.1"),))
    assert meaning().visits(same)[0].cell == Cell(Place("AU"), "Dino")
    for other in (
        Activity(NOVEMBER + 1, "login", "1.1.1.1"),
        Activity(NOVEMBER - 6, "login", "1.1.1.1"),
        Activity(NOVEMBER, "logout", "1.1.1.1"),
    ):
        said = record(other, logins=(Login(NOVEMBER, None, "Dino.1"),))
        assert meaning().visits(said)[0].cell == Cell(Place(), "Dino")


def test_without_a_login_record_the_first_login_of_the_month_decides_the_place() -> None:
    said = record(
        Activity(NOVEMBER, "logout", "1.1.1.1"),
        Activity(NOVEMBER + 20, "login", "3.3.3.3"),
        Activity(NOVEMBER + 10, "login", "2.2.2.2"),
    )
    assert meaning().visits(said) == [Visit("2026-11", NOVEMBER + 20, Cell(Place("FR"), "?"), recorded=False)]
    assert meaning().visits(record(Activity(NOVEMBER, "logout", "1.1.1.1")))[0].cell.place == Place("AU")
    assert meaning().visits(record(Activity(NOVEMBER, "seen")))[0].cell == Cell(Place(), "?")


def test_each_month_with_any_activity_or_record_is_visited_once() -> None:
    said = record(
        Activity(NOVEMBER, "login", "1.1.1.1"),
        Activity(OCTOBER, "logout", "2.2.2.2"),
        logins=(Login(NOVEMBER - 90, "3.3.3.3"), Login(1_700_000_000, None, "Dino.1")),
    )
    assert [(visit.month, visit.recorded) for visit in meaning().visits(said)] == [
        ("2023-11", True),
        ("2026-10", False),
        ("2026-11", True),
    ]


def test_a_moment_without_a_date_is_in_no_month() -> None:
    assert meaning().visits(record(Activity(math.inf, "login"), Activity(1_795_320_350_123, "login"))) == []


def test_users_elsewhere_are_left_out_where_countries_are_named() -> None:
    only = meaning(countries=frozenset({"DE"}))
    assert only.visits(record(Activity(NOVEMBER, "login", "1.1.1.1"))) == []
    assert only.presence(record(Activity(NOVEMBER, "login", "1.1.1.1"))).last == NEVER
    assert len(only.visits(record(Activity(NOVEMBER, "login", "3.3.3.3")))) == 1
    assert only.presence(record(Activity(NOVEMBER, "login", "3.3.3.3"))).last == NOVEMBER
