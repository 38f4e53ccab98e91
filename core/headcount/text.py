"""The one gate for text from outside: what passes here can be shown in a terminal without harm."""

import re

# C0 and DEL, C1, the line separators, bidirectional controls, zero-width marks that reorder or hide
# (Unicode 15, UAX #9), lone surrogates, non-characters that terminals treat as they like, tags that nobody sees.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)
REPLACEMENT = "\ufffd"
SENTENCES = 2_000
"""Characters at the most of what is said in sentences: their last one says what to do, and must not be cut away."""


def clean(text: str | bytes, limit: int = 200) -> str:
    """`text` on one line, at most `limit` characters, each harmful character replaced by U+FFFD.

    Bytes are read as UTF-8; what is not becomes U+FFFD too. The result never holds an escape, a newline
    or a bidirectional control, so it can stand in a terminal, a log line or a CSV cell. It may still hold
    markup: a screen must treat it as text.
    """
    if isinstance(text, bytes):
        text = text[: 4 * limit + 1].decode("utf-8", "replace")  # four bytes a character, and one that tells of more
    text = _HARMFUL.sub(REPLACEMENT, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_lines(text: str) -> str:
    """`text` of any length, each harmful character but line ends and tabs replaced: for a file as a whole."""
    return _HARMFUL.sub(lambda found: found[0] if found[0] in "\n\r\t" else REPLACEMENT, text)
