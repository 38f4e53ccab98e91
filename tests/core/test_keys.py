"""Keys of users: the same for the same secret, host and name, and for no others."""

from headcount.user_keys import Keys

SECRET = b"k" * 32


def test_many_keys_are_what_each_is_alone() -> None:
    key_of = Keys(SECRET).of_host("example.com")
    users = ["alice", "zoë", "", "alice", "\udc80"]
    assert [*key_of.many(users)] == [key_of(user) for user in users]
    assert key_of("alice") == key_of.many([None, "alice"])[1]
    assert len({key_of(user) for user in users}) == 4


def test_nobody_has_the_key_zero() -> None:
    assert [*Keys(SECRET).of_host("example.com").many([None, None])] == [0, 0]


def test_another_host_or_secret_gives_another_key() -> None:
    keys = {
        Keys(secret).of_host(host)("alice") for secret in (SECRET, b"x" * 32) for host in ("a.example", "b.example")
    }
    assert len(keys) == 4


def test_a_key_is_the_same_in_another_process() -> None:
    assert Keys(SECRET).of_host("example.com")("alice") == 0x7CF975542279E2E4
