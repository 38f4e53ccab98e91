"""A moment that has passed: what of the records, and of what was kept, was so then, for a report as of it.

A store tells of a user's last login and logout alone. One who came again after the moment may have been there before
it, and nothing tells of that any more: of a host of which something is left out here, users may be lacking.
"""

from dataclasses import replace
from datetime import tzinfo

from headcount.activities import flat
from headcount.months import is_last_second, month_of
from headcount.records import UserRecord
from headcount.state import Saved, SavedHost


def record_as_of(record: UserRecord, at: float) -> UserRecord:
    """What of a record was so at that moment (Unix seconds); the same object where that is all of it."""
    if record.newest <= at:
        return record
    activities = flat(
        (activity for activity in record.activities if activity[0] <= at),
        (login for login in record.logins if login[0] <= at),
    )
    return UserRecord(record.key, record.user, *activities, record.problems, record.is_known, record.is_unread)


def saved_as_of(saved: Saved, at: float, zone: tzinfo) -> Saved:
    """What was kept, without what came after that moment (Unix seconds)."""
    return replace(
        saved,
        hosts={name: _host_as_of(host, at, zone) for name, host in saved.hosts.items()},
        history=[point for point in saved.history if point.when <= at],
        marks=[mark for mark in saved.marks if mark.when <= at],
        live={},
    )


def _host_as_of(host: SavedHost, at: float, zone: tzinfo) -> SavedHost:
    """Where an engine looked at it after the moment, the counts of its month hold users who came later. They are shown
    only where the moment is the last second of the month, and are then all that there is to tell of it."""
    this = month_of(at, zone) or ""
    months = {name: month for name, month in host.months.items() if name <= this}
    if host.alive_at is not None and host.alive_at <= at:
        return replace(host, months=months)
    if this in months:
        if is_last_second(this, at, zone):
            months[this].close()
        else:
            del months[this]
    return SavedHost(months=months)
