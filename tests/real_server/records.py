"""Login records as a test reads and writes them."""

import time

from headcount.prosody.lua_table import LuaTable, LuaValue
from headcount.prosody.stores import read_store
from real_server.server import HOST, Prosody
from telling import Login

STORE = "login_records"


def month(when: float | None = None) -> str:
    """The server's month, which is that of its own time zone."""
    return time.strftime("%Y-%m", time.localtime(when))


def moment(text: str) -> float:
    """Unix seconds of a time in the server's own time zone, `2026-12-31 23:59:58`."""
    return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


def months(server: Prosody, user: str) -> set[str]:
    """The months that the user has a record of."""
    return {str(key, "ascii") for key in table(server.stored(STORE, user)) if isinstance(key, bytes)}


def only_record(server: Prosody, user: str) -> Login:
    """The user's one record, as Headcount reads it: without a problem."""
    (login,) = logins(server, user)
    return login


def logins(server: Prosody, user: str, host: str = HOST) -> tuple[Login, ...]:
    """The user's records, as Headcount reads them: without a problem."""
    reading = read_store(STORE, server.file(STORE, user, host).read_bytes())
    assert reading.problems == ()
    return tuple(Login(*login) for login in reading.logins)


def table(value: LuaValue) -> LuaTable:
    assert isinstance(value, dict)
    return value
