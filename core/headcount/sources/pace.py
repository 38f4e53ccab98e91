"""When a source sweeps, that is looks through everything: soon after a doubt, and now and then without one, so rarely
that it costs less than a hundredth of a core. All moments are seconds of one monotonic clock."""

AT_LEAST = 30.0
COST_FACTOR = 200
"""Seconds between two sweeps without a doubt, or so many times as long as the last one took: two processes share it."""
WHOLE_COST_FACTOR = 500
"""The same of sweeps that look also where nothing seems to have moved, which is all that an idle server costs."""
SOON = 1.0
"""Seconds after which a doubt is settled by a sweep."""
READING_FACTOR = 5
"""How many times as long as a sweep the reading of everything takes, about."""
LONGEST_DOUBT = 10.0
DOUBT_COST_FACTOR = 20
"""While new doubts arise a sweep is put off for so many seconds, or so many times as long as the last one took."""


class Pace:
    """When the next sweep is due, and whether it looks also where nothing seems to have moved."""

    def __init__(self, now: float) -> None:
        self._due_at = self._whole_at = now
        self._doubted_since = float("inf")
        self._took = self._taking = 0.0
        self._is_whole = False

    def read(self, now: float, took: float) -> None:
        """Everything has just been read, which took so many seconds."""
        self._took = took / READING_FACTOR
        self._due_at, self._whole_at = now + SOON, now + max(AT_LEAST, COST_FACTOR * took)

    def doubt(self, now: float) -> None:
        """Something may have been missed. While doubts go on the sweep waits for their end, though not for long, since
        sweeps cost the more the more users there are."""
        self._doubted_since = min(self._doubted_since, now)
        latest = self._doubted_since + max(LONGEST_DOUBT, DOUBT_COST_FACTOR * self._took)
        self._due_at = min(now + SOON, max(latest, now))

    def is_due(self, now: float) -> bool:
        """Whether a sweep is to begin."""
        return now >= min(self._due_at, self._whole_at)

    def begin(self, now: float) -> bool:
        """A sweep begins, and settles all doubts until now; whether it is to look at everything."""
        self._is_whole = now >= self._whole_at
        self._due_at = self._doubted_since = float("inf")
        self._taking = 0.0
        return self._is_whole

    def take(self, seconds: float) -> None:
        """The sweep went on for a while."""
        self._taking += seconds

    def end(self, now: float, *, was_in_vain: bool) -> None:
        """The sweep is done; `was_in_vain` where there was nothing to look at, though there should be."""
        self._took = max(self._taking, self._took / 2)  # one that found nothing moved tells little of the next one
        least = SOON if was_in_vain else AT_LEAST
        if self._is_whole:
            self._whole_at = now + max(least, WHOLE_COST_FACTOR * self._took)
        self._due_at = min(self._due_at, now + max(least, COST_FACTOR * self._took))
