"""What a helper process does: it reads and looks at the files that it is asked for, until nobody asks any more.

`sources/helper.py` is the other end. This imports next to nothing, so that the helper begins at once.
"""

import marshal
import os
import struct
import sys
from typing import IO, Any, Final

from headcount.keys import Keys
from headcount.prosody.plain import look_at, read_plain

DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LENGTH: Final = struct.Struct("<Q")


def serve() -> None:
    """Answers what comes on standard input, in its order: first the store's directory and those of the others, the
    secret of the keys and the host's name; then, again and again, whether files are to be read, and which."""
    asked, said = sys.stdin.buffer, sys.stdout.buffer
    try:
        directory, beside, secret, host = marshal.loads(received(asked))  # noqa: S302 - from who began this process
        key_of = Keys(secret).of_host(host)
        descriptor, *others = [os.open(path, DIRECTORY) for path in (directory, *beside)]
        while True:
            is_to_read, names = marshal.loads(received(asked))  # noqa: S302
            files = names.split(b"/")
            if is_to_read:
                send(said, read_plain(descriptor, key_of, files, others))
            else:
                keys, stamps = look_at(descriptor, key_of, files)
                send(said, (keys.tobytes(), stamps.tobytes()))
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
