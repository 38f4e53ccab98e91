"""mod_login_records keeps one record a month, of so many months as it is told to keep."""

import pytest

from real_server.clients import Clients
from real_server.records import STORE, moment, months
from real_server.server import Prosody

RECORD = {"timestamp": 1_700_000_000, "resource": "phone"}


async def recorded_months(prosody: Prosody, clients: Clients, now: str, *stored: str) -> set[str]:
    """The months on record after a login at that time, where some were on record before."""
    prosody.modules.append("chosen_time")
    prosody.clock(moment(now))
    prosody.register("alice")
    prosody.writes(STORE, "alice", dict.fromkeys(stored, RECORD))
    prosody.start()
    await clients.login("alice", "phone")
    return months(prosody, "alice")


async def test_a_new_month_has_a_record_of_its_own(prosody: Prosody, clients: Clients) -> None:
    last_second = "2026-10-31 23:59:59"
    assert await recorded_months(prosody, clients, last_second) == {"2026-10"}
    prosody.clock(moment(last_second) + 1)
    await clients.login("alice", "phone")
    assert months(prosody, "alice") == {"2026-10", "2026-11"}


async def test_months_older_than_the_last_are_forgotten(prosody: Prosody, clients: Clients) -> None:
    kept = await recorded_months(prosody, clients, "2026-11-05 12:00:00", "2025-11", "2026-09", "2026-10")
    assert kept == {"2026-10", "2026-11"}


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        ("1", {"2027-01"}),
        ("3", {"2026-11", "2026-12", "2027-01"}),
        ("13", {"2026-01", "2026-02", "2026-11", "2026-12", "2027-01"}),
        ("1e6", {"2025-12", "2026-01", "2026-02", "2026-11", "2026-12", "2027-01"}),
        ("0", {"2027-01"}),
        ('"many"', {"2026-12", "2027-01"}),
    ],
)
async def test_as_many_months_are_kept_as_is_set(
    prosody: Prosody, clients: Clients, setting: str, kept: set[str]
) -> None:
    prosody.options["login_records_months"] = setting
    stored = ("2025-12", "2026-01", "2026-02", "2026-11", "2026-12")
    assert await recorded_months(prosody, clients, "2027-01-31 12:00:00", *stored) == kept
