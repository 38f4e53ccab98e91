"""Whether the source can be looked at: while it can't, the figures stay as they were. That is a gap like that of an
engine which did not run."""

from collections.abc import Sequence

from headcount.records import Problem


class Sight:
    """Since when nobody could look at the source, if so."""

    def __init__(self) -> None:
        self._blind_since: float | None = None

    @property
    def is_blind(self) -> bool:
        """Whether the source can't be looked at now."""
        return self._blind_since is not None

    def seen_until(self, now: float) -> float:
        """The last moment (Unix seconds) at which the source could be looked at."""
        return now if self._blind_since is None else self._blind_since

    def take(self, problems: Sequence[Problem], sure_until: float) -> float | None:
        """Takes what is wrong with the source now; returns since when it could not be looked at, where it can be again.
        `sure_until` is the last moment at which it could, where that ends now."""
        since = self._blind_since
        if any(problem.is_urgent for problem in problems):
            self._blind_since = sure_until
            return None
        self._blind_since = None
        return since
