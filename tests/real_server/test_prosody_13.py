"""What Prosody 13 has of its own: mod_account_activity, and what it keeps beside the users' files."""

import pytest

from real_server.beside import NOWHERE, PARIS, Headcount
from real_server.clients import Clients
from real_server.records import month
from real_server.server import HOST, Prosody


async def test_account_activity_alone_tells_who_is_active(
    prosody: Prosody, clients: Clients, headcount: Headcount
) -> None:
    prosody.modules = ["account_activity", "login_records", "chosen_address", "cron"]
    prosody.start()
    if prosody.log_has("Unable to load module 'account_activity'"):
        pytest.skip("this Prosody is older than 13, which brings mod_account_activity")
    prosody.register("alice", "bob")
    prosody.address("alice", "198.51.100.7")
    await clients.login("alice", "phone")
    await (await clients.login("bob", "laptop")).logout()
    prosody.file("login_records", "bob").unlink()
    assert prosody.stored("account_activity", "bob") is not None
    report = headcount.report(HOST)
    assert report.problems == []
    assert report.active_users == {"1d": 2, "7d": 2, "30d": 2}
    assert report.cells(month()) == {(PARIS, "PHONE"): 1, (NOWHERE, "?"): 1}
