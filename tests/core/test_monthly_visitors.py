"""Month users: once a month, by the first login, forgotten when the month closes."""

from zoneinfo import ZoneInfo

from headcount.counting.meaning import Visit
from headcount.counting.month_users import SETTLING, MonthlyVisitors
from headcount.months import end_of, start_of
from headcount.snapshot import Cell, Place, Quality

UTC = ZoneInfo("UTC")
NOW = 1_795_320_000.0
BARE, DINO, GAJIM = Cell(Place("DE"), "?"), Cell(Place("DE"), "Dino"), Cell(Place("FR"), "Gajim")


def visitors(followed_since: float | None = None) -> MonthlyVisitors:
    keys = (bytes([number]) * 32 for number in range(256))
    return MonthlyVisitors("example.com", UTC, lambda: next(keys), followed_since=followed_since)


def visit(cell: Cell, *, recorded: bool = True, month: str = "2026-11") -> Visit:
    return Visit(month, NOW, cell, recorded)


def count(months: MonthlyVisitors, user: str, *visits: Visit, now: float = NOW, first_seen: bool = False) -> None:
    months.count(user, visits, now, first_seen=first_seen)


def cells(months: MonthlyVisitors, month: str = "2026-11") -> dict[Cell, int]:
    return months.months[month].cells


def test_a_user_is_counted_once_a_month_and_nothing_later_changes_it() -> None:
    months = visitors()
    count(months, "alice", visit(DINO))
    count(months, "alice", visit(GAJIM))
    count(months, "alice", visit(BARE, recorded=False))
    assert cells(months) == {DINO: 1}


def test_a_login_record_wins_over_a_bare_activity_that_was_counted_before() -> None:
    months = visitors()
    count(months, "alice", visit(BARE, recorded=False))
    assert cells(months) == {BARE: 1}
    count(months, "alice", visit(GAJIM))
    assert cells(months) == {GAJIM: 1}
    count(months, "alice", visit(DINO))
    assert cells(months) == {GAJIM: 1}


def test_a_month_that_is_over_is_counted_once_a_user_while_the_host_is_read() -> None:
    months = visitors()
    old = visit(DINO, month="2025-03")
    count(months, "alice", old, first_seen=True)
    count(months, "alice", old)
    count(months, "bob", old, first_seen=True)
    assert months.keepable() == {}
    months.note_read(NOW)
    assert cells(months, "2025-03") == {DINO: 2}
    assert months.months["2025-03"].closed
    count(months, "carol", old, first_seen=True)
    assert cells(months, "2025-03") == {DINO: 2}
    count(months, "carol", visit(DINO, month="2024-01"), first_seen=True)
    assert "2024-01" not in months.months


def test_a_month_closes_a_week_after_its_end_and_forgets_who_was_counted() -> None:
    months = visitors()
    count(months, "alice", visit(DINO))
    months.note_read(NOW)
    end = end_of("2026-11", UTC)
    assert months.close(end + SETTLING - 1) == []
    count(months, "late", visit(DINO), now=end + 60)
    assert cells(months) == {DINO: 2}
    assert months.close(end + SETTLING) == ["2026-11"]
    month = months.months["2026-11"]
    assert month.closed
    assert month.key is None
    assert len(month.counted) == 0
    count(months, "later", visit(DINO), now=end + SETTLING)
    assert cells(months) == {DINO: 2}


def test_who_was_counted_is_a_keyed_hash_that_differs_by_month_host_and_user() -> None:
    months = visitors()
    count(months, "alice", visit(DINO))
    count(months, "bob", visit(DINO))
    other = MonthlyVisitors("example.org", UTC, lambda: bytes(32))
    count(other, "alice", visit(DINO))
    count(months, "alice", visit(DINO, month="2026-12"))
    hashes = [digest for host in (months, other) for change in host.changes.values() for digest in change.hashes()]
    assert len(set(hashes)) == 4
    assert all(len(digest) == 16 for digest in hashes)


def test_a_month_is_exact_only_where_it_was_followed_from_its_start() -> None:
    fresh = visitors()
    count(fresh, "alice", visit(DINO))
    assert fresh.months["2026-11"].quality is Quality.LOWER_BOUND
    fresh.note_read(NOW)
    december = start_of("2026-12", UTC)
    count(fresh, "alice", visit(DINO, month="2026-12"), now=december + 5)
    assert fresh.months["2026-12"].quality is Quality.EXACT


def test_a_gap_over_a_months_end_makes_it_a_lower_bound_and_one_within_does_not() -> None:
    months = visitors(followed_since=start_of("2026-11", UTC))
    count(months, "alice", visit(DINO))
    months.note_read(NOW)
    assert months.months["2026-11"].quality is Quality.EXACT
    months.resume(NOW, NOW + 86_400)
    assert months.months["2026-11"].quality is Quality.EXACT
    december = start_of("2026-12", UTC)
    months.resume(december - 60, december + 600)
    assert months.months["2026-11"].quality is Quality.LOWER_BOUND
    count(months, "alice", visit(DINO, month="2026-12"), now=december + 700)
    assert months.months["2026-12"].quality is Quality.LOWER_BOUND


def test_what_was_kept_is_not_kept_again() -> None:
    months = visitors()
    count(months, "alice", visit(DINO))
    month, change = months.keepable()["2026-11"]
    assert (change.cells, change.hashes()) == ({DINO}, [month.hash_of("example.com", "alice")])
    months.note_kept(["2026-11"])
    assert months.keepable() == {}
    count(months, "alice", visit(DINO))
    assert months.keepable() == {}
