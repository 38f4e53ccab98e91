"""The log says when everything was read, how long that took, and of what."""

import logging
import re
from pathlib import Path

import pytest
from test_engine import HOST, NOW, ScriptedSource, World, user, world

from headcount.records import HostRead
from headcount.sources.directory import DirectorySource
from support import prosody_writes

__all__ = ["world"]  # a fixture


def live_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith("live after")]


def test_the_log_says_once_when_everything_was_read(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "headcount")
    world.run([[user("alice", NOW), user("bob", NOW)], [HostRead(HOST)]], [[user("carol", NOW)], world.pass_time(7200)])
    (line,) = live_lines(caplog)
    assert re.fullmatch(r"live after \d+\.\d s: 2 users, 2 stores", line)


def test_the_time_that_reading_took_is_in_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "headcount")
    world.run([[user("alice", NOW)], [HostRead(HOST)]])
    short = float(live_lines(caplog)[0].split()[2])
    caplog.clear()
    world.run([[user("alice", NOW)]] * 100 + [[HostRead(HOST)]])
    assert float(live_lines(caplog)[0].split()[2]) >= short + 100
    assert ": 1 user, 2 stores" in live_lines(caplog)[0]


def test_an_engine_that_is_stopped_while_it_reads_does_not_say_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "headcount")
    source = ScriptedSource([[user("alice", NOW)], [HostRead(HOST)]])
    source.stop.set()
    world.engine(source).run(world.shown.append, source.stop)
    assert not live_lines(caplog)


def test_stores_of_one_kind_count_once_however_many_hosts_have_them(tmp_path: Path) -> None:
    text = 'return {\n\t["login"] = {\n\t\t["timestamp"] = 1764547200;\n\t};\n};\n'
    for host in ("a.example", "b.example"):
        prosody_writes(tmp_path, host, "lastlog2", "alice", text)
    prosody_writes(tmp_path, "b.example", "account_activity", "alice", text)
    source = DirectorySource(str(tmp_path), watching=False)
    list(source.read())
    assert source.stores() == {"lastlog2", "account_activity"}
