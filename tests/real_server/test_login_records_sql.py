"""mod_login_records on Prosody's SQL storage: the same record, in a row."""

import json
import sqlite3

import pytest

from real_server.clients import Clients
from real_server.records import month
from real_server.server import HOST, Prosody


async def test_it_writes_the_same_record(prosody: Prosody, clients: Clients) -> None:
    prosody.register("alice")
    prosody.start(storage='{ login_records = "sql" }', sql='{ driver = "SQLite3", database = "prosody.sqlite" }')
    if prosody.log_has("Falling back to null driver") or prosody.log_has("Error loading storage_sql"):
        pytest.skip("this Prosody can't use SQLite: apt-get install lua-dbi-sqlite3")
    prosody.address("alice", "203.0.113.77")
    await (await clients.login("alice", "phone")).logout()
    await clients.login("alice", "laptop")
    prosody.stop()
    database = sqlite3.connect(prosody.data / "prosody.sqlite")
    rows = database.execute('SELECT "host", "user", "key", "value" FROM "prosody" WHERE "store" = \'login_records\'')
    ((host, user, key, value),) = rows.fetchall()
    database.close()
    record = json.loads(value)
    assert (host, user, key) == (HOST, "alice", month())
    assert isinstance(record.pop("timestamp"), int)
    assert record == {"ip": "203.0.113.0/24", "resource": "phone"}
