"""What the system says of its clocks, and what is made of it where it says nothing."""

import ctypes
import sys
from types import SimpleNamespace

import pytest

from headcount.engine.machine_clock import is_synchronised, steady_seconds


def test_seconds_only_go_forward() -> None:
    first = steady_seconds()
    assert steady_seconds() >= first


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex is a call of Linux")
@pytest.mark.parametrize(("state", "expected"), [(0, True), (1, True), (4, True), (5, False), (-1, False)])
def test_the_system_calls_its_clock_synchronised_unless_it_says_error(
    monkeypatch: pytest.MonkeyPatch, state: int, *, expected: bool
) -> None:
    """adjtimex(2): TIME_OK is 0, TIME_ERROR 5; -1 is a failure of the call, as where a container forbids it."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(adjtimex=lambda _: state))
    assert is_synchronised() is expected


def test_where_there_is_no_such_call_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert not is_synchronised()


def test_the_call_of_this_system_says_yes_or_no() -> None:
    assert is_synchronised() in (True, False)
