"""What changed since the state knew it last, on its way there: in one transaction, and again where that fails."""

from collections.abc import Callable

from headcount.engine.all_hosts import Counting
from headcount.engine.broadcast import Broadcast
from headcount.engine.history import HistoryKeeper
from headcount.engine.marks import MarkKeeper
from headcount.engine.problems import STATE
from headcount.engine.retention import Retention
from headcount.errors import StateError
from headcount.records import Problem
from headcount.snapshot import Snapshot
from headcount.state import HostUpdate, State, Update
from headcount.text import SENTENCES, clean

ALIVE = 60.0
"""Seconds after which even an engine without news keeps that it is there."""


class Keeping:
    """Keeps what changed. `zone` is the name of the time zone where the state does not know it yet, `there` are the
    hosts that it knows to be in the source; `ticks` gives seconds for intervals, `stamp` tells by which settings it is
    counted."""

    def __init__(
        self,
        state: State,
        counting: Counting,
        history: HistoryKeeper,
        marks: MarkKeeper,
        retention: Retention,
        ticks: Callable[[], float],
        stamp: str,
        *,
        zone: str | None,
        there: frozenset[str] | None,
    ) -> None:
        self._state = state
        self._counting = counting
        self._history = history
        self._marks = marks
        self._retention = retention
        self._ticks = ticks
        self._broadcast = Broadcast(ticks, stamp)
        self._zone = zone
        self._there = there
        self._kept_at = float("-inf")

    def keep(self, snapshot: Callable[[], Snapshot], *, is_end: bool = False) -> None:
        """Keeps what changed since the last time, and what is shown to those who look on; what can't be kept now stays
        for the next time. At the end it also keeps until when this engine was there."""
        is_sign_due = is_end or self._ticks() - self._kept_at >= ALIVE
        hosts = self._hosts(is_sign_due=is_sign_due)
        self._broadcast.take(snapshot)
        if not (hosts or is_sign_due or self._has_more()):
            return
        there = frozenset(self._counting.there)
        try:
            self._state.save(self._update(hosts, there, is_sign_due=is_sign_due))
        except StateError as error:
            self._counting.problems.replace(STATE, [_not_kept(error)])
            return
        self._counting.problems.replace(STATE, ())
        self._note_kept(hosts, there)
        if is_sign_due:
            self._kept_at = self._ticks()

    def _hosts(self, *, is_sign_due: bool) -> list[HostUpdate]:
        """The hosts with months that changed, or all where the state is to know until when they were seen."""
        updates = []
        for name in sorted(self._counting.hosts if is_sign_due else self._counting.changes.unkept):
            host = self._counting.hosts[name]
            months = host.months.keepable()
            if months or is_sign_due:
                seen_until = min(self._counting.seen_until, host.months.unseen_since)
                updates.append(HostUpdate(name, host.months.followed_since, seen_until, months))
        return updates

    def _has_more(self) -> bool:
        """Whether anything but the hosts' months is to be kept."""
        return bool(
            self._history.added
            or self._broadcast.unkept
            or not self._marks.is_kept
            or not self._retention.is_kept
            or self._retention.nothing_after is not None
            or self._there != frozenset(self._counting.there)
        )

    def _update(self, hosts: list[HostUpdate], there: frozenset[str], *, is_sign_due: bool) -> Update:
        return Update(
            hosts,
            self._history.added,
            self._history.forgotten,
            self._marks.added,
            self._marks.forgotten_before,
            None if self._marks.is_kept else self._marks.geo,
            names=self._counting.names.unkept(),
            zone=self._zone,
            pruned_before=self._retention.pruned_before,
            live=self._broadcast.unkept,
            clock=self._retention.sign() if is_sign_due else None,
            nothing_after=self._retention.nothing_after,
            there=None if there == self._there else there,
        )

    def _note_kept(self, hosts: list[HostUpdate], there: frozenset[str]) -> None:
        self._zone, self._there = None, there
        self._counting.changes.unkept.clear()
        for kept in hosts:
            self._counting.hosts[kept.host].months.note_kept(kept.months)
        self._retention.note_kept()
        self._history.note_kept()
        self._marks.note_kept()
        self._broadcast.note_kept()
        self._counting.names.note_kept()


def _not_kept(error: StateError) -> Problem:
    hint = f"{error.hint} " if error.hint else ""
    why = f"{error.message} {hint}What is counted is kept as soon as that is fixed, and lost if the engine ends before."
    return Problem("state not kept", clean(error.message), "", clean(why, SENTENCES), is_urgent=True)
