"""Headcount beside a real server: its figures are those of the real module, and of what was done."""

import time
from collections import Counter
from functools import partial

from real_server.beside import FRANKFURT, NOWHERE, PARIS, SOMEWHERE_IN_US, TOKYO, Cell, Headcount
from real_server.clients import Clients
from real_server.records import month
from real_server.server import HOST, OTHER_HOST, Prosody, wait_until

DAY = 86_400

# Who logs in, from where, with what; and how that is to be counted.
PEOPLE: list[tuple[str, str, str | None, Cell]] = [
    ("zoë", "203.0.113.5", "phone.1", (FRANKFURT, "PHONE")),
    ("日本", "2001:db8:1::77", "phone.2", (TOKYO, "PHONE")),
    ("o.hara", "198.51.100.1", "laptop", (PARIS, "LAPTOP")),
    ("dash-user", "2001:db8:2:9::1", "laptop.x", (FRANKFURT, "LAPTOP")),
    ("under_score", "192.0.2.200", "unheard of", (SOMEWHERE_IN_US, "?")),
    ("mapped", "::ffff:198.51.100.77", "phone", (PARIS, "PHONE")),
    ("private", "192.168.0.7", "phone", (NOWHERE, "PHONE")),
    ("nowhere", "garbage", "laptop", (NOWHERE, "LAPTOP")),
    ("silent", "203.0.113.250", None, (FRANKFURT, "?")),
]


async def test_active_users_are_those_of_the_real_module(
    prosody: Prosody, clients: Clients, headcount: Headcount
) -> None:
    now = time.time()
    for number, days in enumerate([0.5, 0.9, 1.5, 3, 6.5, 8, 20, 29, 31, 300, -1]):
        prosody.writes("lastlog2", f"earlier{number}", {"login": {"timestamp": int(now - days * DAY)}})
        prosody.writes("lastlog2", f"left{number}", {"logout": {"timestamp": int(now - 2 * days * DAY)}}, OTHER_HOST)
    prosody.writes("lastlog2", "invited", {"registered": {"timestamp": int(now)}})
    prosody.start()
    headcount.start()
    for host in (HOST, OTHER_HOST):
        prosody.register("stays", "leaves", "dies", "earlier9", "left9", host=host)
        await clients.login("stays", "phone", host)
        await clients.login("earlier9", "phone", host)
        await (await clients.login("leaves", "phone", host)).logout()
        await (await clients.login("dies", "phone", host)).kill()
    for host in (HOST, OTHER_HOST):
        real, report = prosody.active_users(host), headcount.report(host)
        assert report.active_users == real
        assert report.problems == ["timestamp in the future"]  # of both hosts
        assert 3 < real["1d"] < real["7d"] < real["30d"]


async def test_an_old_session_counts_where_that_is_asked_for(
    prosody: Prosody, clients: Clients, headcount: Headcount
) -> None:
    headcount.set("count_open_sessions = true")
    prosody.start()
    prosody.register("stays", "crashed")
    await clients.login("stays", "phone")
    for user in ("stays", "crashed"):
        prosody.writes("lastlog2", user, {"login": {"timestamp": int(time.time() - 3 * DAY)}})
    assert prosody.active_users() == {"1d": 1, "7d": 2, "30d": 2}
    # what the server does not know of itself either: whose session was open when it died
    assert headcount.report(HOST).active_users == {"1d": 2, "7d": 2, "30d": 2}


async def test_month_users_are_those_who_logged_in(prosody: Prosody, clients: Clients, headcount: Headcount) -> None:
    prosody.start()
    headcount.start()
    for number, (user, address, resource, _) in enumerate(PEOPLE, 1):
        prosody.register(user)
        prosody.address(user, address)
        await clients.login(user, resource)
        wait_until(lambda number=number: sum(headcount.kept(HOST, month()).values()) == number)
        prosody.address(user, "192.0.2.1")  # what comes later in the month changes nothing
        await (await clients.login(user, "laptop.later")).logout()
    done = Counter(cell for *_, cell in PEOPLE)
    wait_until(lambda: headcount.kept(HOST, month()) == done)
    assert headcount.report(HOST).cells(month()) == done


async def test_what_was_followed_is_what_the_server_wrote(
    prosody: Prosody, clients: Clients, headcount: Headcount
) -> None:
    """Server and engine are stopped and killed while people come and go; the state then tells what the files tell."""
    prosody.start()
    headcount.start()
    ends = [prosody.stop, prosody.kill]
    for host in (HOST, OTHER_HOST):
        prosody.register(*(user for user, *_ in PEOPLE), host=host)
    for number, (user, address, resource, _) in enumerate(PEOPLE):
        prosody.address(user, address)
        await clients.login(user, resource, OTHER_HOST)
        if number % 2:
            await (await clients.login(user, resource)).kill()
        else:
            await (await clients.login(user, resource)).logout()
        if number % 4 == 1:
            ends[number % 8 // 4]()
            prosody.start()
        if number % 4 == 3:
            headcount.kill()
            headcount.start()
    done = Counter(cell for *_, cell in PEOPLE)

    def is_kept(host: str) -> bool:
        return headcount.kept(host, month()) == done

    for host in (HOST, OTHER_HOST):
        wait_until(partial(is_kept, host))
        followed = headcount.report(host)
        written = headcount.report_of_source(host)
        assert followed.active_users == written.active_users == prosody.active_users(host)
        assert followed.users_known == written.users_known == len(PEOPLE)
        assert {*followed.problems, *written.problems} <= {
            "leftover file"
        }  # of a server that was killed while it wrote
        assert followed.cells(month()) == written.cells(month()) == done


async def test_an_account_that_is_deleted_while_online_leaves_the_users_but_not_the_month(
    prosody: Prosody, clients: Clients, headcount: Headcount
) -> None:
    prosody.start()
    headcount.start()
    prosody.register("alice", "bob")
    prosody.address("bob", "203.0.113.5")
    await clients.login("alice", "phone")
    bob = await clients.login("bob", "laptop")
    both = Counter({(NOWHERE, "PHONE"): 1, (FRANKFURT, "LAPTOP"): 1})
    wait_until(lambda: headcount.kept(HOST, month()) == both)
    await bob.delete_account()
    wait_until(lambda: headcount.report(HOST).users_known == 1)
    report = headcount.report(HOST)
    assert report.active_users == prosody.active_users() == {"1d": 1, "7d": 1, "30d": 1}
    assert report.cells(month()) == both


async def test_a_user_who_comes_back_under_the_same_name_is_counted_once(
    prosody: Prosody, clients: Clients, headcount: Headcount
) -> None:
    prosody.start()
    headcount.start()
    prosody.register("alice")
    alice = await clients.login("alice", "phone")
    once = Counter({(NOWHERE, "PHONE"): 1})
    wait_until(lambda: headcount.kept(HOST, month()) == once)
    await alice.delete_account()
    prosody.register("alice")
    await clients.login("alice", "laptop")
    prosody.register("bob")
    await clients.login("bob", "laptop")
    wait_until(lambda: headcount.kept(HOST, month()) == once + Counter({(NOWHERE, "LAPTOP"): 1}))


async def test_without_an_address_in_lastlog2_the_module_alone_gives_places(
    prosody: Prosody, clients: Clients, headcount: Headcount
) -> None:
    prosody.start(lastlog_ip_address="false")
    prosody.register("alice")
    prosody.address("alice", "198.51.100.9")
    await clients.login("alice", "phone")
    assert headcount.report(HOST).cells(month()) == {(PARIS, "PHONE"): 1}
