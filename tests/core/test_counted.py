"""Who was counted: known by 64 bits, with how, in little memory."""

import random

from hypothesis import given
from hypothesis import strategies as st

from headcount.counting.counted import Counted, How
from headcount.snapshot import Cell, Place

CELLS = [Cell(Place("DE"), "?"), Cell(Place("FR"), "?")]
HOWS = st.sampled_from([*CELLS, *How])
FEW = st.sampled_from([bytes([first]) * 16 for first in (0, 1, 127, 128, 255)])


@given(st.lists(st.tuples(st.booleans(), FEW, HOWS)))
def test_it_is_as_a_dictionary(changes: list[tuple[bool, bytes, Cell | How]]) -> None:
    counted, expected = Counted(), dict[bytes, Cell | How]()
    for adds, digest, how in changes:
        if adds:
            assert counted.add(digest, how) == expected.get(digest)
            expected.setdefault(digest, how)
        else:
            counted.put(digest, how)
            expected[digest] = how
        assert (counted.get(digest), digest in counted, len(counted)) == (expected[digest], True, len(expected))
    assert {digest: counted.get(digest) for digest in expected} == expected


def test_two_who_share_the_first_64_bits_are_one() -> None:
    counted = Counted()
    assert counted.add(b"sameinit" + b"one user", How.FINAL) is None
    assert counted.add(b"sameinit" + b"another!", CELLS[0]) is How.FINAL
    assert b"sameother" not in counted
    assert len(counted) == 1


def test_many_are_loaded_as_they_were_put() -> None:
    chance = random.Random(1)
    hows: dict[bytes, Cell | How] = {chance.randbytes(16): chance.choice([*CELLS, *How]) for _ in range(5000)}
    counted = Counted()
    counted.put(b"x" * 16, How.FINAL)
    names = {str(how): how for how in hows.values()}
    digests = [*list(hows)[:9], *hows]
    told = [str(How.MARKED)] * 9 + [str(how) for how in hows.values()]
    counted.load(b"".join(digests), told, (names | {str(How.MARKED): How.MARKED}).__getitem__)
    assert {digest: counted.get(digest) for digest in hows} == hows
    assert (len(counted), b"x" * 16 in counted) == (5000, False)
    newcomer = chance.randbytes(16)
    assert (counted.add(newcomer, CELLS[1]), counted.get(newcomer)) == (None, CELLS[1])
