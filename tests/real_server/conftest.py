"""A real server for each test here, and real clients; without a server the tests say what to install."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from real_server import server
from real_server.beside import Headcount
from real_server.clients import Clients
from real_server.logins import LOGINS


@pytest.fixture
def prosody(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[server.Prosody]:
    """A Prosody that is installed but not yet started."""
    lacking = server.missing()
    if lacking is not None and os.environ.get("CI"):
        pytest.fail(f"CI must judge by a real server: {lacking}")
    if lacking is not None:
        pytest.skip(lacking)
    opened = server.Prosody(tmp_path)
    yield opened
    opened.close()
    request.node.user_properties.append((LOGINS, (opened.version(), opened.logins)))


@pytest.fixture
async def clients(prosody: server.Prosody) -> AsyncIterator[Clients]:
    """Clients of that server."""
    opened = Clients(prosody)
    yield opened
    await opened.close()


@pytest.fixture
def headcount(tmp_path: Path, prosody: server.Prosody) -> Iterator[Headcount]:
    """Headcount on that server's data directory, with clients of the tests' own; its engine is not yet started."""
    opened = Headcount(tmp_path, prosody.data, ("^phone", "PHONE"), ("^laptop", "LAPTOP"))
    yield opened
    opened.close()
