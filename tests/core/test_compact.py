"""A compact mapping does what a dictionary does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.compact_map import CompactMap, places_of, without

numbers = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 5), st.integers(2**64 - 5, 2**64 - 1))
operations = st.lists(st.tuples(st.sampled_from(["put", "put", "add", "pop", "get"]), numbers, numbers), max_size=200)


@pytest.mark.parametrize("full", [1, 3, 256])
@given(operations)
def test_it_agrees_with_a_dictionary(full: int, done: list[tuple[str, int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headcount.compact_map._FULL", full)
        compact, plain = CompactMap(), dict[int, int]()
        for what, key, value in done:
            if what == "put":
                assert compact.put(key, value) == plain.get(key)
                plain[key] = value
            elif what == "add":
                assert compact.add(key, value) == plain.get(key)
                plain.setdefault(key, value)
            elif what == "pop":
                assert compact.pop(key) == plain.pop(key, None)
            else:
                assert compact.get(key) == plain.get(key)
                assert (key in compact) == (key in plain)
            assert len(compact) == len(plain)
        assert list(compact) == sorted(plain)
        assert dict(compact.items()) == plain
        assert dict(compact.between(3, 2**63)) == {key: value for key, value in plain.items() if 3 <= value < 2**63}
        again = CompactMap.of_sorted(*compact.columns())
        assert dict(again.items()) == plain
        keys, values = compact.columns()
        places = places_of([key for key in plain if key % 3] + [7, 7], keys)
        again = CompactMap.of_sorted(without(keys, places), without(values, places))
        assert dict(again.items()) == {key: value for key, value in plain.items() if not key % 3 and key != 7}
        for value in {3, *plain.values()}:
            assert compact.keys_of(value) == sorted(key for key, its_value in plain.items() if its_value == value)
        assert dict(compact.part(3, 2**63)) == {key: value for key, value in plain.items() if 3 <= key < 2**63}
