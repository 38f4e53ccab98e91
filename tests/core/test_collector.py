"""Python's collector is left as it was found, whatever happened meanwhile."""

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from headcount.engine import garbage


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    was_on, threshold = gc.isenabled(), gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("is_on", [True, False])
def test_it_pauses(is_on: bool) -> None:
    (gc.enable if is_on else gc.disable)()
    with suppress(KeyError), garbage.paused():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled() is is_on
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize("usual", [700, 50_000])
def test_it_looks_rarely_and_never_more_often_than_before(usual: int) -> None:
    gc.set_threshold(usual, 10, 10)
    with suppress(KeyError), garbage.rare():
        assert gc.get_threshold() == (max(usual, garbage.EVERY), 10, 10)
        raise KeyError
    assert gc.get_threshold() == (usual, 10, 10)
