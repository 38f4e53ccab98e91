"""What changed since the last time is kept in the state, in one transaction; what can't be kept now stays for the next
time."""

from collections.abc import Callable
from typing import Final

from headcount.engine.all_hosts import Counting
from headcount.engine.broadcast import Broadcast
from headcount.engine.history import HistoryKeeper
from headcount.engine.marks import MarkKeeper
from headcount.engine.options import Options
from headcount.engine.problems import Subject
from headcount.engine.retention import Retention
from headcount.errors import StateError
from headcount.records import Problem
from headcount.snapshot import Snapshot
from headcount.state import HostUpdate, Saved, State, Update
from headcount.text import SENTENCES, clean

ALIVE: Final = 60.0
"""Seconds after which even an engine without news keeps, and shows, that it is there."""
_STATE: Final = Subject("state")


class Keeping:
    """Keeps all that is counted, what came of the clock, and, for those who look on, what `snapshot` gives. `saved` is
    what the state had at the start."""

    def __init__(
        self,
        state: State,
        saved: Saved,
        counting: Counting,
        history: HistoryKeeper,
        marks: MarkKeeper,
        retention: Retention,
        options: Options,
        snapshot: Callable[[], Snapshot],
    ) -> None:
        self._state = state
        self._counting = counting
        self._history = history
        self._marks = marks
        self._retention = retention
        self._ticks = options.ticks
        self._broadcast = Broadcast(snapshot, options.ticks)
        self._unkept_zone = None if saved.zone == options.zone_name else options.zone_name
        self._there_kept = saved.there
        self._alive_at = float("-inf")

    def keep(self, *, is_last: bool = False) -> None:
        """Keeps what changed, and once a minute, and where it `is_last`, that there is an engine."""
        is_sign_due = is_last or self._ticks() - self._alive_at >= ALIVE
        hosts = self._hosts(of_all=is_sign_due)
        self._broadcast.note()
        if not (is_sign_due or hosts or self._has_news()):
            return
        update = self._update(hosts, with_sign=is_sign_due)
        try:
            self._state.save(update)
        except StateError as error:
            self._counting.problems.replace(_STATE, [_not_kept(error)])
            return
        self._counting.problems.replace(_STATE, ())
        self._note_kept(update)
        if is_sign_due:
            self._alive_at = self._ticks()

    def _hosts(self, *, of_all: bool) -> list[HostUpdate]:
        """What changed of each host; `of_all` those too of which nothing did."""
        updates = []
        for host in self._counting.hosts.values():
            months = host.months.keepable()
            if months or of_all:
                seen_until = min(self._counting.seen_until, host.months.unseen_since)
                updates.append(HostUpdate(host.host, host.months.followed_since, seen_until, months))
        return updates

    def _has_news(self) -> bool:
        """Whether there is anything to keep besides the counts of hosts."""
        return bool(
            self._history.added
            or self._broadcast.unkept
            or not self._retention.is_all_kept
            or not self._marks.is_kept
            or self._there() is not None
        )

    def _there(self) -> frozenset[str] | None:
        """The hosts that are there; None where the state knows them."""
        there = frozenset(self._counting.there)
        return None if there == self._there_kept else there

    def _update(self, hosts: list[HostUpdate], *, with_sign: bool) -> Update:
        history, marks, retention = self._history, self._marks, self._retention
        return Update(
            hosts,
            history.added,
            history.forgotten,
            marks.added,
            marks.forgotten_before,
            None if marks.is_kept else marks.geo,
            names=self._counting.names.unkept(),
            zone=self._unkept_zone,
            pruned_before=retention.pruned_before,
            live=self._broadcast.unkept,
            clock=retention.sign() if with_sign else None,
            nothing_after=retention.nothing_after,
            there=self._there(),
        )

    def _note_kept(self, update: Update) -> None:
        """The state has it now."""
        self._unkept_zone = None
        self._there_kept = self._there_kept if update.there is None else update.there
        for host in update.hosts:
            self._counting.hosts[host.host].months.kept(host.months)
        self._counting.names.note_kept()
        self._retention.note_kept()
        self._history.note_kept()
        self._marks.note_kept()
        self._broadcast.note_kept()


def _not_kept(error: StateError) -> Problem:
    hint = f"{error.hint} " if error.hint else ""
    why = f"{error.message} {hint}What is counted is kept as soon as that is fixed, and lost if the engine ends before."
    return Problem("state not kept", clean(error.message), "", clean(why, SENTENCES), is_urgent=True)
