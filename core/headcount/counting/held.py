"""Fresh logins are held back for a few seconds: what happened is written at once, the login record a moment later, and
both are one login."""

from collections.abc import Collection, Sequence

from headcount.counting.meaning import Visit


class Held:
    """The users of one host whose visits are held back, by their keys, for `settle` seconds each."""

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._users: dict[int, tuple[float, str, list[Visit]]] = {}

    @property
    def keys(self) -> Collection[int]:
        """The keys of those users."""
        return self._users.keys()

    def hold(self, key: int, user: str, visits: Sequence[Visit], now: float) -> list[Visit]:
        """Holds back fresh visits that no login record tells of; returns the others, in the order of their months.

        The first one held stands, and tells what was before it. Where a later month is counted, an earlier one is held
        back no longer.
        """
        due, _, before = self._users.get(key, (now + self._settle, user, []))
        held, others = self._parted(_as_seen_first(visits, before), before, now)
        newest = max((visit.month for visit in others), default="")
        others += [visit for visit in held if visit.month < newest]
        held = [visit for visit in held if visit.month >= newest]
        if held:
            self._users[key] = due, user, held
        else:
            self._users.pop(key, None)
        return sorted(others, key=lambda visit: visit.month)

    def settled(self, now: float) -> list[tuple[str, list[Visit]]]:
        """The users whose visits are held back no longer, with these."""
        due: list[int] = []
        for key, (until, _, _) in self._users.items():
            if now < until <= now + self._settle:  # so are all after it; one that is further ahead is of another clock
                break
            due.append(key)
        return [self._users.pop(key)[1:] for key in due]

    def due(self) -> float:
        """When the first of them settles; never where nobody is held back."""
        return next((until for until, _, _ in self._users.values()), float("inf"))

    def _parted(self, visits: Sequence[Visit], before: Sequence[Visit], now: float) -> tuple[list[Visit], list[Visit]]:
        """The visits to be held back, with those that were `before` and of which no record tells now; and the others"""
        recorded = {visit.month for visit in visits if visit.recorded}
        held = [visit for visit in before if visit.month not in recorded]
        others: list[Visit] = []
        for visit in visits:
            is_fresh = not visit.recorded and abs(now - visit.when) < self._settle
            if all(visit.month != other.month for other in held):
                (held if is_fresh else others).append(visit)
        return held, others


def _as_seen_first(visits: Sequence[Visit], held: Sequence[Visit]) -> Sequence[Visit]:
    """The visits with what was before them when those that are held were."""
    if not held:
        return visits
    before = {visit.month: visit.before for visit in held}
    return [visit._replace(before=before.get(visit.month, visit.before)) for visit in visits]
