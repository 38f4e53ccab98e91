"""What a helper process does: it reads and looks at the files that it is asked for, until nobody asks any more.

`sources/helper.py` is the other end. This imports next to nothing, so that the helper begins at once.
"""

import gc
import marshal
import os
import struct
import sys
from array import array
from typing import IO, Any, Final

from headcount.compact_map import CompactMap
from headcount.prosody.many_files import UserStores, look_at, read_users
from headcount.user_keys import Keys

_LENGTH: Final = struct.Struct("<Q")


def serve() -> None:
    """Answers what comes on standard input, in its order: first which stores it is about, and the secret of the keys
    and the host's name; then, again and again, a number and names of files: of a store whose files are to be looked at
    as `look_at` does, or -1 where they are to be read as `read_users` does, since a moment or with their change times.
    Without names it gets what is known of a store's files, keys and change times."""
    gc.disable()  # it makes many objects, none of which hold one another
    os.nice(10)  # whoever waits for a key's answer, and the server, go first where cores are few
    asked, said = sys.stdin.buffer, sys.stdout.buffer
    try:
        paths, secret, host = marshal.loads(received(asked))  # noqa: S302 - from who began this
        stores = UserStores(paths, Keys(secret).of_host(host))
        known = CompactMap()
        while True:
            number, names, *more = marshal.loads(received(asked))  # noqa: S302
            if not names:
                known = CompactMap.of_sorted(*(array("Q", column) for column in more))
            elif number >= 0:
                send(said, tuple(look_at(stores, number, known, names.split(b"/"))))
            else:
                since, stamps = more
                columns = [array("Q", column) for column in stamps]
                send(said, tuple(read_users(stores, names.split(b"/"), since, columns)))
    except (EOFError, OSError):
        return


def send(pipe: IO[bytes], message: Any) -> None:
    """Sends one message. Raises OSError where nobody listens any more."""
    data = marshal.dumps(message)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def received(pipe: IO[bytes]) -> bytes:
    """The next message, as `marshal` has it. Raises EOFError where none comes any more."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data
