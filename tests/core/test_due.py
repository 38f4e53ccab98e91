"""Which hosts are stepped: those alone of which time changes anything."""

import math
from datetime import UTC

from headcount.engine.changes import Changes
from headcount.engine.due import Due

NOW = 1_795_323_600.0  # 2026-11-22


def test_a_host_is_due_once_its_moment_has_come_and_no_longer() -> None:
    due = Due()
    due.put("a", 10.0)
    due.put("b", 20.0)
    assert due.pop(9.9) == []
    assert due.pop(10.0) == ["a"]
    assert due.pop(15.0) == []
    assert due.pop(20.0) == ["b"]


def test_another_moment_comes_in_place_of_the_one_before() -> None:
    due = Due()
    due.put("a", 10.0)
    due.put("a", 30.0)
    assert due.pop(20.0) == []
    due.put("a", 25.0)
    assert due.pop(25.0) == ["a"]
    assert due.pop(99.0) == []


def test_one_that_is_put_again_is_awaited_once() -> None:
    due = Due()
    due.put("a", 10.0)
    due.put("a", 30.0)
    due.put("a", 10.0)
    assert due.pop(40.0) == ["a"]


def test_never_does_not_come() -> None:
    due = Due()
    due.put("a", 10.0)
    due.put("a", math.inf)
    assert due.pop(1e300) == []


class Host:
    """A host of which nothing changes by itself for an hour."""

    def due(self) -> float:
        return NOW + 3600


def test_what_comes_of_a_host_does_not_put_off_the_step_that_all_are_to_make() -> None:
    hosts = {"a": Host(), "b": Host()}
    changes = Changes(hosts)  # type: ignore[arg-type]  # as much of a host as is asked for
    assert changes.due(NOW, UTC) == ["a", "b"]
    for name in hosts:
        changes.touch(name)
    assert changes.due(NOW + 1, UTC) == []
    changes.touch_all()
    changes.touch("a")
    assert changes.due(NOW + 2, UTC) == ["a", "b"]
