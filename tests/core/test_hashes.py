"""Who was counted is known by HMAC-SHA256, as Python's own has it."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from headcount.hashes import HASH_SIZE, UserHashes


@given(st.binary(max_size=200), st.text(max_size=80), st.text(max_size=80))
def test_it_is_hmac_sha256_cut(key: bytes, host: str, user: str) -> None:
    expected = hmac.digest(key, f"{host}\0{user}".encode(), "sha256")[:HASH_SIZE]
    assert UserHashes(key).of(host, user) == expected
