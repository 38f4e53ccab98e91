"""Whether the machine's clock can be believed: since when it is in doubt, why, and what ends that.

What is deleted because time has passed can't be had back, so a clock has to prove itself before anything is. One that
leaps while an engine looks is doubted, and so is one that at a start is more than a week away from the last moment at
which an engine ran. The doubt ends where the clock turns out to go on from that moment after all; where the server's
users were there on most of the days between, since a clock that is merely wrong leaves these empty; when it has gone
steadily for an hour and the system says that it is synchronised, or for seven days; and by the operator's word.

Nothing here asks for the time.
"""

import json
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Final

HOUR: Final = 3600.0
DAY: Final = 86_400.0
JUMP: Final = HOUR
"""Seconds that the time of day may run ahead of, or behind, seconds that only go forward, before it is doubted."""
AHEAD: Final = HOUR
"""Seconds that something may be ahead of a clock before it is taken for the work of another one, which was wrong."""
LONGEST_PAUSE: Final = 7 * DAY
"""Seconds after the last sign of life for which a clock is believed at a start without a proof."""
STEADY: Final = HOUR
"""Seconds of steady going after which a clock is believed that is synchronised."""
STEADY_ALONE: Final = 7 * DAY
"""Seconds of steady going after which any clock is believed."""


class Turn(Enum):
    """What a look at the clock changed: it is `DOUBTED` from now on; it is `ACCEPTED`, as it went in doubt; or it is
    `RIGHT`, as it went before the doubt."""

    DOUBTED = "doubted"
    ACCEPTED = "accepted"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class LastSign:
    """What the state keeps of the clock (Unix seconds): the last moment, `alive`, at which an engine ran by a clock
    that was believed, and the `latest` moment of such a clock; where one is in doubt, the last moment that it was
    `seen` at, and for how many seconds it has gone `steady`."""

    alive: float
    latest: float
    seen: float | None = None
    steady: float = 0.0

    def packed(self) -> str:
        """It as text."""
        return json.dumps(astuple(self))

    @classmethod
    def unpacked(cls, text: str | None, alive: Iterable[float]) -> "LastSign | None":
        """The sign of that text, with all other moments at which the state knows that an engine was `alive`; None where
        there is none at all. An older state has no text, and one that can't be read is as good as none."""
        known = [moment for moment in alive if math.isfinite(moment)]
        kept: LastSign | None = None
        try:
            sign, latest, seen, steady = json.loads(text or "")
            kept = cls(float(sign), float(latest), None if seen is None else float(seen), float(steady))
        except (ValueError, TypeError):
            pass
        if kept is None or not all(math.isfinite(value) for value in astuple(kept) if value is not None):
            return cls(max(known), max(known)) if known else None
        known.append(kept.alive)
        return replace(kept, alive=max(known), latest=max(kept.latest, *known))

    def steady_until(self, now: float) -> float:
        """For how long a clock in doubt has gone steadily that says `now` at another start. It goes on where it was
        seen last; a pause counts that is no longer than a week and a day."""
        if self.seen is None or now < self.seen:
            return 0.0
        pause = now - self.seen
        return self.steady + (pause if pause <= LONGEST_PAUSE + DAY else 0.0)


class TrustedClock:
    """Looks at the time of day (`now`, Unix seconds) beside `ticks`, seconds that only go forward.

    `now` is what it said last, `alive` the last moment that was believed, `latest` the latest one of all;
    `doubted_since` is the first one of the doubt, as the doubted clock has it, None where it is not doubted. `last` is
    what the state knows, None where it knows nothing, and then there is nothing to lose. `is_vouched_for` is the
    operator's word for the clock as it is at the start.
    """

    def __init__(
        self,
        last: LastSign | None,
        now: float,
        ticks: float,
        *,
        is_synchronised: Callable[[], bool],
        is_vouched_for: bool = False,
    ) -> None:
        self._is_synchronised = is_synchronised
        self.now, self._ticks = now, ticks
        self._alive_ticks: float | None = None
        self._steady = 0.0
        self.alive = now if last is None else last.alive
        self.latest = now if last is None else last.latest
        self._is_vouched_for = is_vouched_for
        self.doubted_since: float | None = None
        if last is None or is_vouched_for or self._goes_on():
            self._believe()
        else:
            self.doubted_since = now
            self._steady = last.steady_until(now)

    def look(self, now: float, ticks: float) -> Turn | None:
        """Takes note of what the clock says; what that changes, if anything."""
        passed = ticks - self._ticks
        jumped = abs(now - self.now - passed) > JUMP
        self.now, self._ticks = now, ticks
        if jumped:
            return self._jump()
        if self.doubted_since is None:
            self._believe()
            return None
        self._steady += passed
        if self._steady >= STEADY_ALONE or (self._steady >= STEADY and self._is_synchronised()):
            return self._accept()
        return None

    def prove(self, days: Collection[int]) -> Turn | None:
        """Takes the days (since 1970) on which users were there as a proof, where they are most of those from the last
        sign of life, which another process gave, to this clock's beginning."""
        if self.doubted_since is None or self._alive_ticks is not None:
            return None
        first, last = int(self.alive // DAY) + 1, int(self.doubted_since // DAY)
        there = sum(first <= day <= last for day in set(days))
        return self._accept() if last - first >= 1 and 2 * there > last - first + 1 else None

    def sign(self) -> LastSign:
        """What the state is to keep."""
        if self.doubted_since is None:
            return LastSign(self.alive, self.latest)
        return LastSign(self.alive, self.latest, self.now, self._steady)

    @property
    def is_behind(self) -> bool:
        """Whether one that was believed was ahead of this one, so that either of them was wrong."""
        return self.now + AHEAD < self.latest

    def is_sure(self) -> bool:
        """Whether what is later than now was written by a clock that was wrong. Where one that was believed was ahead
        of this one, it needs the system's word, or the operator's."""
        if self.doubted_since is not None:
            return False
        return not self.is_behind or self._is_vouched_for or self._is_synchronised()

    def put_right(self) -> None:
        """What was later than now is gone: no clock that is believed was ahead of this one."""
        self.latest = self.now

    def why(self) -> str:
        """Why it is doubted, what that means, and what ends it."""
        if self.doubted_since is None:
            return ""
        off = self.doubted_since - self.alive
        where = "after" if off > 0 else "before"
        return (
            f"it says {_said(self.doubted_since)}, {_length(abs(off))} {where} the last moment that Headcount knows of "
            f"({_said(self.alive)}). If it is wrong, set it right. If it is right, it is believed after an hour of "
            "steady going, once the system calls it synchronised (NTP), or after 7 days; or at once, when Headcount is "
            "started again with --trust-clock. Until then no month is closed, and nothing is pruned or forgotten."
        )

    def _jump(self) -> Turn | None:
        was_doubted = self.doubted_since is not None
        if self._goes_on():
            self._believe()
            return Turn.RIGHT if was_doubted else None
        self.doubted_since, self._steady = self.now, 0.0
        return Turn.DOUBTED

    def _goes_on(self) -> bool:
        """Whether it goes on from the last moment that was believed: to the hour where the time since then is known."""
        if self._alive_ticks is None:
            return -JUMP <= self.now - self.alive <= LONGEST_PAUSE
        return abs(self.now - self.alive - (self._ticks - self._alive_ticks)) <= JUMP

    def _believe(self) -> None:
        self.alive, self._alive_ticks = self.now, self._ticks
        self.latest = max(self.latest, self.now)
        self.doubted_since, self._steady = None, 0.0

    def _accept(self) -> Turn:
        self._believe()
        return Turn.ACCEPTED


def _said(when: float) -> str:
    try:
        return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return "a day that no calendar has"


def _length(seconds: float) -> str:
    return f"{seconds / DAY:,.0f} days" if seconds >= 2 * DAY else f"{seconds / HOUR:,.0f} hours"
