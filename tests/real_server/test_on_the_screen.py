"""What the operator sees: a client logs in, and the screen shows a visitor with place and client."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Iterator

import pytest

from real_server.beside import Headcount
from real_server.clients import Clients
from real_server.server import Prosody, wait_until

SIZE = (45, 140)


class Screen:
    """The real command in a terminal of its own."""

    def __init__(self, headcount: Headcount) -> None:
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        environment = {**headcount.environment, "TERM": "xterm-256color"}
        self._process = subprocess.Popen(
            headcount.command("screen"), stdin=inside, stdout=inside, stderr=inside, env=environment
        )
        os.close(inside)
        self._drawn = b""

    def shows(self, text: str) -> bool:
        """Whether the text was drawn since the last key."""
        while select.select([self._terminal], [], [], 0)[0]:
            self._drawn += os.read(self._terminal, 65536)
        return text in self._drawn.decode(errors="replace")

    def press(self, key: str) -> None:
        self._drawn = b""
        os.write(self._terminal, key.encode())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@pytest.fixture
def screen(prosody: Prosody, headcount: Headcount) -> Iterator[Screen]:
    prosody.start()
    opened = Screen(headcount)
    yield opened
    opened.close()


async def test_a_new_visitor_appears(prosody: Prosody, clients: Clients, screen: Screen) -> None:
    wait_until(lambda: screen.shows("live"))
    prosody.register("alice")
    prosody.address("alice", "2001:db8:1::7")
    await clients.login("alice", "phone.1")
    wait_until(lambda: screen.shows("Japan"))
    screen.press("3")
    wait_until(lambda: screen.shows("PHONE"))
