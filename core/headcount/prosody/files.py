"""Where Prosody's internal storage keeps what Headcount reads: which file of a host means which store.

`<data directory>/<host>/<store>/<user>.dat` holds a store of one user, `<host>/<store>.dat` one of the
host itself. Source: `getpath` in Prosody's util/datamanager.lua.
"""

from typing import Final

from headcount.prosody.names import decode, encode, encode_store

LASTLOG2: Final = "lastlog2"
LASTLOG: Final = "lastlog"
ACCOUNT_ACTIVITY: Final = "account_activity"
LOGIN_STORE: Final = "login_records"
VISITORS: Final = "monthly-visitors"

ACTIVITY_STORES: Final = (LASTLOG2, LASTLOG, ACCOUNT_ACTIVITY)
USER_STORES: Final = (*ACTIVITY_STORES, LOGIN_STORE)

SUFFIX: Final = b".dat"
# The spelling of today, and that of Prosody before 0.11: where both are there, only the first is alive.
VISITORS_NAMES: Final = (encode_store(VISITORS), VISITORS.encode())
VISITORS_FILES: Final = tuple(name + SUFFIX for name in VISITORS_NAMES)


def user_file(user: str) -> bytes:
    """The name of a user's file in the directory of any store."""
    return encode(user) + SUFFIX


def user_of(filename: bytes) -> str | None:
    """The user whose file this is; None where it is nobody's (`names.why_not_decoded` tells why).

    A file that is being written (`alice.dat~`), a list (`alice.list`) and their like are nobody's too.
    """
    return decode(filename[: -len(SUFFIX)]) if filename.endswith(SUFFIX) else None
