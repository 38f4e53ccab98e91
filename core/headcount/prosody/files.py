"""Where Prosody's internal storage keeps what Headcount reads: which file of a host means which store.

`<data directory>/<host>/<store>/<user>.dat` holds a store of one user, `<host>/<store>.dat` one of the
host itself. Source: `getpath` in Prosody's util/datamanager.lua.
"""

import re
from collections.abc import Sequence
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

# Bound again at each start of the server, in the data directory unless its configuration names another place; so the
# time of its last change is that of the start. It is there while mod_admin_socket is, on which mod_admin_shell depends.
ADMIN_SOCKET: Final = b"prosody.sock"


def user_file(user: str) -> bytes:
    """The name of a user's file in the directory of any store."""
    return encode(user) + SUFFIX


def user_of(filename: bytes) -> str | None:
    """The user whose file this is; None where it is nobody's (`names.why_not_decoded` tells why).

    A file that is being written (`alice.dat~`), a list (`alice.list`) and their like are nobody's too.
    """
    return decode(filename[: -len(SUFFIX)]) if filename.endswith(SUFFIX) else None


_SIMPLE: Final = re.compile(rb"(?:[A-Za-z0-9%]+\.dat/)+")


def users_of(filenames: Sequence[bytes]) -> list[str | None]:
    """As `user_of`, of many files, in a fraction of the time where their names are simple ones."""
    names = b"/".join(filenames) + b"/"
    escapes = names.count(b"%")
    if _SIMPLE.fullmatch(names) is None or escapes != sum(map(names.count, (b"%2e", b"%2d", b"%5f"))):
        return [user_of(file) for file in filenames]
    text = names[: -len(SUFFIX) - 1].decode("ascii").replace(".dat/", "/")
    if escapes:
        text = text.replace("%2e", ".").replace("%2d", "-").replace("%5f", "_")
    return [*text.split("/")]
