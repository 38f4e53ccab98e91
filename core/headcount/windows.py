"""The three windows of active users: 24 hours, 7 days and 30 days. In this order they stand in all figures."""

from typing import NamedTuple


class Window(NamedTuple):
    """A window of active users: its name, its length in days, in words and in short, and what it is compared with."""

    name: str
    days: int
    length: str
    short: str
    before: str

    @property
    def key(self) -> str:
        """What reports call it, and a snapshot where it is hidden: 1d, 7d, 30d."""
        return f"{self.days}d"

    @property
    def seconds(self) -> int:
        """Its length."""
        return self.days * 86_400


DAU, WAU, MAU = WINDOWS = (
    Window("DAU", 1, "last 24 h", "24 h", "yesterday"),
    Window("WAU", 7, "last 7 days", "7 d", "last week"),
    Window("MAU", 30, "last 30 days", "30 d", "last month"),
)
KEYS = tuple(window.key for window in WINDOWS)
