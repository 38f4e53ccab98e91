"""The report for people: plain text in columns, for a terminal without a screen, a mail or a cron job."""

from collections.abc import Sequence
from datetime import datetime

from headcount.figures.tables import Row, client_rows, country_rows, month_rows, place_rows
from headcount.figures.totals import (
    AT_LEAST,
    at_least,
    figures,
    floors,
    hidden,
    month_counts,
    total_active,
    users_known,
)
from headcount.outputs.columns import columns
from headcount.snapshot import OTHER, MonthCounts, Place, Quality, Snapshot
from headcount.zones import zone_of

TOP = 15
"""Rows of a table before the rest is put together."""


def to_table(snapshot: Snapshot, month: str | None = None) -> str:
    """The snapshot as text; `month` chooses the calendar month of the tables, by default the current one."""
    month = month or snapshot.month
    parts = [_head(snapshot), _active(snapshot)]
    counts = month_counts(snapshot, month)
    so_far = " so far" if month == snapshot.month else ""
    if counts is None:
        or_hidden = "" if snapshot.anonymity is None else ", or too few users to tell"
        parts.append(f"{month}{so_far}: not counted{or_hidden}")
    else:
        parts.append(f"{month}{so_far}: {_month_users(counts)}")
        if counts.places is not None:
            parts.append(_top("country", country_rows(snapshot, month)))
            if any(place.subdivision or place.city for place in counts.places):
                parts.append(_top("place", place_rows(snapshot, month)))
        if counts.clients is not None:
            parts.append(_top("client", client_rows(snapshot, month)))
    months = [
        (
            f"{row.month} so far" if row.month == snapshot.month else row.month,
            row.quality.mark,
            f"{row.users:,}",
            "" if row.change is None else f"{row.change:+.1%}",
        )
        for row in month_rows(snapshot)
    ]
    if months:
        parts.append(columns(("month", "", "users", "change"), months))
    if snapshot.problems:
        parts.append(_problems(snapshot))
    return "\n\n".join(parts) + "\n"


def _head(snapshot: Snapshot) -> str:
    when = datetime.fromtimestamp(snapshot.generated_at, zone_of(snapshot.timezone))
    known = at_least(f"{users_known(snapshot):,}", "users_known" in floors(snapshot))
    users = "" if "users_known" in hidden(snapshot) else f"{known} users known; "
    hosts = ", ".join(snapshot.hosts) or "no host"
    head = (
        f"Headcount of {snapshot.source} at {when:%Y-%m-%d %H:%M:%S} {snapshot.timezone}\n"
        f"{hosts}: {users}places by {snapshot.geo}"
    )
    if snapshot.is_from_engine:
        head += "\nfigures of the running engine (--read reads the server's files again)"
    if snapshot.anonymity is None:
        return head
    return (
        f"{head}\nk-anonymous, min_count = {snapshot.anonymity}: groups of fewer users are shown in {OTHER!r}, "
        "in the place around them, or not at all; of what may lack some of them there are at least (≥) so many"
    )


def _active(snapshot: Snapshot) -> str:
    rows = []
    for figure in figures(snapshot):
        users = "" if figure.users is None else at_least(f"{figure.users:,}", figure.is_floor)
        before = "" if figure.before is None else f"{figure.before:,} {figure.window.before}"
        rows.append((figure.window.name, users, figure.window.length, before))
    table = columns(("", "users", "active in", "before"), rows)
    if snapshot.active_at_least:
        table += f"\n{AT_LEAST}"
    if "open_sessions" in hidden(snapshot):
        return table
    return f"{table}\nopen sessions ~{total_active(snapshot).open_sessions:,}"


def _top(title: str, rows: Sequence[Row[Place]] | Sequence[Row[str]]) -> str:
    shown = [row for row in rows if row.users]
    lines = [
        (
            row.label,
            at_least(f"{row.users:,}", row.is_floor),
            "" if row.share is None else at_least(f"{row.share:.1%}", row.is_floor),
        )
        for row in shown[:TOP]
    ]
    rest = shown[TOP:]
    if rest:
        users = f"{sum(row.users or 0 for row in rest):,}"
        lines.append((f"… {len(rest)} more", at_least(users, any(row.is_floor for row in rest)), ""))
    return columns((title, "users", "share"), lines)


def _problems(snapshot: Snapshot) -> str:
    rows = [(problem.what, f"{problem.count:,}", problem.example, problem.why) for problem in snapshot.problems]
    return columns(("problem", "count", "example", "why"), rows)


def _month_users(counts: MonthCounts) -> str:
    """`≥ 14 month users`; `14 month users, imported`."""
    users = f"{counts.users:,} month users"
    return f"{users}, {counts.quality.mark}" if counts.quality is Quality.IMPORTED else counts.quality.marked(users)
