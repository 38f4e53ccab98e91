"""Names on disk are Prosody's own spelling, and only that spelling is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.prosody.files import user_file, user_of, users_of
from headcount.prosody.names import (
    NOT_CANONICAL,
    NOT_UTF8,
    decode,
    encode,
    encode_store,
    why_not_decoded,
)

# As a real Prosody spelt them.
SPELT = {
    "alice": b"alice",
    "example.com": b"example%2ecom",
    "o.hara": b"o%2ehara",
    "dash-user": b"dash%2duser",
    "under_score": b"under%5fscore",
    "plus+tag": b"plus%2btag",
    "per%cent": b"per%25cent",
    "zoë": b"zo%c3%ab",
    "日本": b"%e6%97%a5%e6%9c%ac",
    "u" * 60: b"u" * 60,
}


@pytest.mark.parametrize(("name", "filename"), SPELT.items())
def test_a_name_is_spelt_as_prosody_spells_it(name: str, filename: bytes) -> None:
    assert encode(name) == filename
    assert encode(name.encode()) == filename
    assert decode(filename) == name


def test_a_store_keeps_its_underscore() -> None:
    assert encode_store("account_activity") == b"account_activity"
    assert encode_store("monthly-visitors") == b"monthly%2dvisitors"
    assert encode_store("lastlog2") == b"lastlog2"


@pytest.mark.parametrize(
    "filename",
    [b"raw.name", b"Upper%2E", b"bad%zz", b"tail%", b"%61lice", b"under_score", b"zo\xc3\xab", b"a%2"],
)
def test_another_spelling_is_no_name(filename: bytes) -> None:
    assert decode(filename) is None
    assert why_not_decoded(filename) == NOT_CANONICAL


@pytest.mark.parametrize("filename", [b"%ff", b"%c3", b"a%ed%a0%80"])
def test_bytes_that_are_no_text_are_no_name(filename: bytes) -> None:
    assert decode(filename) is None
    assert why_not_decoded(filename) == NOT_UTF8


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_decode_undoes_encode(name: str) -> None:
    assert decode(encode(name)) == name


@given(st.binary())
def test_decode_accepts_only_what_encode_gives(filename: bytes) -> None:
    name = decode(filename)
    assert name is None or encode(name) == filename


NAMES = st.one_of(
    st.text("ab9.-_%é/", max_size=5).map(user_file),
    st.sampled_from(
        [b".dat", b"a.dat~", b"a.list", b"A%2E.dat", b"a%2edat.dat", b"a%252e.dat", b"a.dat.dat", b"\xff.dat"]
    ),
)


@given(st.lists(NAMES, max_size=6))
def test_many_files_are_whose_each_is(filenames: list[bytes]) -> None:
    assert users_of(filenames) == [user_of(filename) for filename in filenames]
