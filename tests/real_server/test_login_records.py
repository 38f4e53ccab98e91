"""mod_login_records notes a user's first login of a month: when, from which network, with which client."""

import time

import pytest

from real_server.clients import Clients
from real_server.records import STORE, logins, month, months, only_record
from real_server.server import OTHER_HOST, Prosody

IPV4, IPV6, MAPPED, ZONED = "203.0.113.77", "2001:db8:1:2::3", "::ffff:198.51.100.9", "fe80::1%eth0"


async def test_it_holds_the_time_the_network_and_the_client(prosody: Prosody, clients: Clients) -> None:
    prosody.start()
    prosody.register("alice")
    prosody.address("alice", IPV4)
    before = int(time.time())
    await clients.login("alice", "Conversations.a1b2")
    record = only_record(prosody, "alice")
    assert before <= record.when <= time.time()
    assert (record.address, record.resource) == ("203.0.113.0/24", "Conversations.a1b2")
    assert months(prosody, "alice") == {month(record.when)}


@pytest.mark.parametrize(
    ("setting", "stored"),
    [
        ("nil", ["203.0.113.0/24", "2001:db8:1::/48", "198.51.100.0/24", "fe80::/48"]),
        ('"prefix"', ["203.0.113.0/24", "2001:db8:1::/48", "198.51.100.0/24", "fe80::/48"]),
        ('"full"', ["203.0.113.77", "2001:db8:1:2::3", "198.51.100.9", "fe80::1"]),
        ('"none"', [None, None, None, None]),
        ('"ful"', [None, None, None, None]),
        ("false", [None, None, None, None]),
    ],
)
async def test_the_address_is_cut_as_is_set(
    prosody: Prosody, clients: Clients, setting: str, stored: list[str | None]
) -> None:
    prosody.start(login_records_ip=setting)
    for number, address in enumerate([IPV4, IPV6, MAPPED, ZONED]):
        user = f"user{number}"
        prosody.register(user)
        prosody.address(user, address)
        await clients.login(user, "phone")
        assert only_record(prosody, user).address == stored[number]


@pytest.mark.parametrize("user", ["zoë", "日本", "o.hara", "dash-user", "under_score", "per%cent", "u" * 60])
async def test_users_of_any_name_have_their_record(prosody: Prosody, clients: Clients, user: str) -> None:
    prosody.start()
    prosody.register(user)
    await clients.login(user, "Дом/“1”\u00a0日本")
    assert only_record(prosody, user).resource == "Дом/“1” 日本"


async def test_a_second_login_in_the_month_writes_nothing(prosody: Prosody, clients: Clients) -> None:
    prosody.start()
    prosody.register("alice")
    prosody.address("alice", IPV4)
    await (await clients.login("alice", "phone")).logout()
    written = prosody.file(STORE, "alice").stat()
    prosody.address("alice", IPV6)
    await clients.login("alice", "laptop")
    await clients.login("alice", "phone")
    now = prosody.file(STORE, "alice").stat()
    assert (now.st_ino, now.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


async def test_hosts_keep_their_own_records(prosody: Prosody, clients: Clients) -> None:
    prosody.start()
    prosody.register("alice")
    prosody.register("alice", host=OTHER_HOST)
    await clients.login("alice", "phone")
    await clients.login("alice", "laptop", OTHER_HOST)
    assert only_record(prosody, "alice").resource == "phone"
    assert [record.resource for record in logins(prosody, "alice", OTHER_HOST)] == ["laptop"]


async def test_a_deleted_account_takes_its_record_along(prosody: Prosody, clients: Clients) -> None:
    prosody.start()
    prosody.register("alice")
    client = await clients.login("alice", "phone")
    await client.delete_account()
    assert not prosody.file(STORE, "alice").exists()
