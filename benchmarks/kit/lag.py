"""How far counts are behind the logins that they count."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from a login's rename to the first count that holds as many logins: median, 99th of a hundred; `lost` is
    how many never were counted, `after` the seconds from the last rename until all were (None where some never)."""

    p50: float
    p99: float
    lost: int
    after: float | None

    def told(self) -> str:
        return f"{self.p50 * 1000:.0f} / {self.p99 * 1000:.0f}"


def lag_of(done: Sequence[float], counted: Iterable[tuple[float, int]]) -> Lag:
    """`done`: when each login's rename was done, in order; `counted`: moments, and the logins counted at each."""
    behind: list[float] = []
    at = 0.0
    for moment, logins in counted:
        if logins > len(behind):
            at = moment
            behind += [max(0.0, moment - one) for one in done[len(behind) : logins]]
    lost = len(done) - len(behind)
    if len(behind) < 2:
        return Lag(float("inf"), float("inf"), lost, None)
    return Lag(
        statistics.median(behind),
        statistics.quantiles(behind, n=100)[98],
        lost,
        None if lost else max(0.0, at - done[-1]),
    )
