"""Sessions that a real server's death leaves open in its files are over once it is started again."""

import time

import pytest

from real_server.beside import Headcount
from real_server.clients import Clients
from real_server.server import HOST, Prosody, wait_until


@pytest.mark.parametrize("module", ["admin_socket", "admin_shell"])
async def test_what_was_open_at_its_death_is_over_at_its_next_start(
    prosody: Prosody, clients: Clients, headcount: Headcount, module: str
) -> None:
    headcount.set("count_open_sessions = true")
    prosody.modules.append(module)
    began = time.time()
    prosody.start()
    prosody.register("killed", "stays")
    await clients.login("killed", "phone")
    assert (prosody.data / "prosody.sock").stat().st_mtime >= began - 1
    prosody.kill()
    assert (prosody.data / "prosody.sock").is_socket()  # nothing tells yet that it is not there any more
    assert headcount.report(HOST).told["open_sessions"] == 1
    died = time.time()
    wait_until(lambda: time.time() > died + 2)  # logins are written in whole seconds
    prosody.start()
    await clients.login("stays", "phone")
    assert headcount.report(HOST).told["open_sessions"] == 1
    assert headcount.report(HOST).active_users == {"1d": 2, "7d": 2, "30d": 2}
