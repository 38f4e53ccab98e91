"""The same logins through mod_monthly_visitors and through Headcount: the same users in the same cells.

The module is in no package. Where its folder is at hand, the variable TEST_MONTHLY_VISITORS names it; the Lua
module `mmdb`, which it needs, has to be on Lua's path (LUA_PATH). Elsewhere what it counted once stands for it, in
the captured files that the tests of the core read.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

from headcount.prosody.visitors import read_visitors
from real_server.beside import Headcount, write_places
from real_server.clients import Clients
from real_server.records import month
from real_server.server import HOST, Prosody, quoted

FOLDER = os.environ.get("TEST_MONTHLY_VISITORS")

# It lets nobody in whose address is IPv6 or in no network of its database: they can't be compared.
ADDRESSES = ["203.0.113.5", "198.51.100.1", "192.0.2.200", "203.0.113.250"]
RESOURCES = ["phone.1", "laptop", "unheard of", "laptop.2", "phone.22"]


@pytest.mark.skipif(FOLDER is None, reason="no mod_monthly_visitors: name its folder in TEST_MONTHLY_VISITORS")
async def test_both_count_the_same(prosody: Prosody, clients: Clients, headcount: Headcount) -> None:
    assert FOLDER is not None
    database = prosody.directory / "ipv4.mmdb"
    write_places(database, only_ipv4=True)
    prosody.plugins.append(Path(FOLDER).parent)
    prosody.modules.append("monthly_visitors")
    prosody.start(
        mod_monthly_visitors_mmdb_path=quoted(database),
        mod_monthly_visitors_client_patterns='{ ["^phone"] = "PHONE", ["^laptop"] = "LAPTOP" }',
    )
    for number in range(40):
        user = f"user{number}"
        prosody.register(user)
        prosody.address(user, ADDRESSES[number % len(ADDRESSES)])
        await (await clients.login(user, RESOURCES[number % len(RESOURCES)])).logout()
    for number in range(0, 40, 3):
        prosody.address(f"user{number}", ADDRESSES[0])
        await clients.login(f"user{number}", "laptop.later")

    (theirs,) = read_visitors(prosody.aggregate(HOST).read_bytes()).months
    prosody.aggregate(HOST).unlink()  # or Headcount would show what the module counted
    places: Counter[object] = Counter()
    client_types: Counter[str] = Counter()
    for (place, client), users in headcount.report(HOST).cells(month()).items():
        places[place] += users
        client_types[client] += users
    assert (places, client_types) == (theirs.places, theirs.clients)
    assert places.total() == 40
