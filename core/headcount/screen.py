"""What the command asks of a screen: how it shall look, and what it shall remember."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from headcount.feed import Feed
from headcount.figures.filters import Filter


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """How a screen opens. `ascii` and `theme` are None where the terminal, or the screen, decides.

    `keys` maps the name of an action to the keys that it shall have (`filter` → `f`). `memory` is the file that the
    screen may keep its look in (None: it may not), and `remember` asks it to keep filters there too. `min_count` is
    the smallest group of users that an export tells of.
    """

    initial_filter: Filter = field(default_factory=Filter)
    color: bool = True
    ascii: bool | None = None
    mouse: bool = True
    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    memory: Path | None = None
    remember: bool = False
    min_count: int = 5


class Show(Protocol):
    """What a screen's package offers under the entry point `headcount.screen`."""

    def __call__(self, feed: Feed, options: ScreenOptions) -> int:
        """Shows the feed until the user quits; gives the process's exit code. Raises UsageError for a theme, or keys,
        that there are not."""
