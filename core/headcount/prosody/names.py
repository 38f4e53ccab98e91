"""Names on disk: how Prosody spells hosts, stores and users as file names, and back.

Source: `encode`, `decode` and `store_encode` in Prosody's util/datamanager.lua (unchanged since 0.11).
"""

import re

_UNSAFE = re.compile(rb"[^A-Za-z0-9]")
_UNSAFE_IN_STORE = re.compile(rb"[^A-Za-z0-9_]")
_ENCODED = re.compile(rb"%([0-9a-fA-F]{2})")

NOT_CANONICAL = "Prosody would spell this name otherwise, so it never reads this file"
NOT_UTF8 = "the name is not UTF-8"


def encode(name: str | bytes) -> bytes:
    """A host's or user's name as a file name: each byte but ASCII letters and digits as %xx."""
    return _UNSAFE.sub(_escape, _as_bytes(name))


def encode_store(name: str | bytes) -> bytes:
    """A store's name as a file name: as `encode`, but `_` stays."""
    return _UNSAFE_IN_STORE.sub(_escape, _as_bytes(name))


def decode(filename: bytes) -> str | None:
    """The name that `encode` spells as `filename` (without its suffix); None where there is none.

    Prosody finds a file by encoding a name, so a file under any other spelling (`Upper%2E`, `a.b`) is
    dead, and to count it might count its user twice. `why_not_decoded` tells the reason for a None.
    """
    if filename.isalnum():  # bytes: ASCII alone, so it stands for itself
        return filename.decode("ascii")
    name = _ENCODED.sub(_unescape, filename)
    if encode(name) != filename:
        return None
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return None


def why_not_decoded(filename: bytes) -> str:
    """Why `decode` gives None: NOT_CANONICAL or NOT_UTF8."""
    return NOT_CANONICAL if encode(_ENCODED.sub(_unescape, filename)) != filename else NOT_UTF8


def _as_bytes(name: str | bytes) -> bytes:
    return name.encode("utf-8") if isinstance(name, str) else name


def _escape(byte: re.Match[bytes]) -> bytes:
    return b"%%%02x" % ord(byte[0])


def _unescape(code: re.Match[bytes]) -> bytes:
    return bytes.fromhex(code[1].decode("ascii"))
