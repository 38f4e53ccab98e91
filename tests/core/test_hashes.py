"""Who was counted is known by HMAC-SHA256, as Python's own has it."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from headcount.counting.month_hashes import HASH_SIZE, UserHashes


@given(st.binary(max_size=200), st.text(max_size=80), st.text(max_size=80))
def test_it_is_hmac_sha256_cut(key: bytes, host: str, user: str) -> None:
    expected = hmac.digest(key, f"{host}\0{user}".encode(), "sha256")[:HASH_SIZE]
    assert UserHashes(key, host).of(user) == expected


def test_whoever_is_asked_for_again_has_the_same_hash_and_nobody_has_another_s() -> None:
    hashes = UserHashes(b"k" * 32, "example.com")
    asked = ["", "alice", "alice", "bob", "alice", "", ""]
    assert [hashes.of(user) for user in asked] == [UserHashes(b"k" * 32, "example.com").of(user) for user in asked]
