"""The report as one page for a browser or a printer, made to be handed on: it runs nothing and fetches nothing."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from headcount.figures.filters import WHOLE_HOSTS, Filter, Term
from headcount.figures.tables import Row, client_rows, country_rows, month_rows, name_of, place_rows
from headcount.figures.totals import (
    AT_LEAST,
    Figure,
    Share,
    at_least,
    figures,
    floors,
    hidden,
    known_of,
    month_counts,
    sum_active,
    total_active,
    users_known,
)
from headcount.outputs.page import STYLE, bar, columns, table
from headcount.places import lookup, names
from headcount.snapshot import OTHER, UNKNOWN, HostCounts, Place, Quality, Snapshot
from headcount.windows import WINDOWS
from headcount.zones import zone_of

MOST = 100
"""Rows of a table before the rest is put together."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
NOTHING = "–"
SHORT = ("24 h", "7 d", "30 d")
"""What the windows are called above a column."""
QUALITY = {
    Quality.EXACT: "followed whole",
    Quality.LOWER_BOUND: "a lower bound: at least so many",
    Quality.IMPORTED: "imported from mod_monthly_visitors, as it counted",
}
WORDS = (
    ("DAU, WAU, MAU", "Users active (logged in or out) in the last 24 hours, 7 days, 30 days, each counted once."),
    (
        "Month users",
        "Users seen in a calendar month, each counted once, by place and client of their first login.",
    ),
    (
        "= ≥ imported",
        "The month was followed whole; it was not, so there were at least so many; it was imported.",
    ),
    (f"{UNKNOWN} unknown", "Users whose country or client nothing tells."),
    (NOTHING, "Not known, or withheld."),
)
AnyRow = Row[Place] | Row[str]


def to_html(snapshot: Snapshot, month: str | None = None, asked: Filter | None = None) -> str:
    """The snapshot as a whole HTML document that ends with a newline.

    `month` chooses the calendar month of the tables, by default the current one; `asked` is the filter that it came
    through, to be shown. All text from outside is escaped.
    """
    month = month or snapshot.month
    asked = asked or Filter()
    hosts = ", ".join(snapshot.hosts) or "no host"
    is_whole = asked.is_of_whole_hosts  # of users known no part is known
    parts = [
        _head(snapshot, hosts, asked),
        _active(snapshot, month, is_whole),
        _month(snapshot, month),
        _months(snapshot),
        _hosts(snapshot, month, is_whole),
        _foot(snapshot),
    ]
    body = "\n".join(part for part in parts if part)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(f"Users of {hosts}, {month}")}</title>
<style>
{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _head(snapshot: Snapshot, hosts: str, asked: Filter) -> str:
    when = datetime.fromtimestamp(snapshot.generated_at, zone_of(snapshot.timezone))
    # A path tells those who may see no single user nothing that they need.
    source = "" if snapshot.anonymity is not None else f" · from {escape(snapshot.source)}"
    source += " · figures of the running engine" if snapshot.is_from_engine else ""
    terms = ", ".join(
        f"{term.field} <b>{escape(_called(term, snapshot))}</b>"
        for term in asked.terms
        if term.field not in WHOLE_HOSTS
    )
    if snapshot.anonymity is None:
        note = "<b>Exact figures:</b> small groups may tell of single users."
    else:
        note = (
            f"<b>k-anonymous, min_count {snapshot.anonymity}:</b> no group of fewer than {snapshot.anonymity} users "
            f"follows from this page. Such groups are shown in “{OTHER}”, in the place around them, or not at all. A "
            "number that may lack some of them is marked ≥: there are at least so many."
        )
    return (
        f"<header><h1>Users of {escape(hosts)}</h1>"
        f'<p class="when">{when:%Y-%m-%d %H:%M} {escape(snapshot.timezone)}{source}</p>'
        + (f'<p class="note">Only users with {terms}.</p>' if terms else "")
        + f'<p class="note">{note}</p></header>'
    )


def _called(term: Term, snapshot: Snapshot) -> str:
    if term.value == UNKNOWN and term.field != "text":
        return "unknown"
    return name_of(Place(term.value), snapshot.names) if term.field == "country" else term.value


def _active(snapshot: Snapshot, month: str, is_whole: bool) -> str:
    """DAU, WAU and MAU, with the users known and the open sessions. Empty of a past month of which nothing is shown."""
    is_now = month >= snapshot.month
    found = figures(snapshot, month)
    if not is_now and all(figure.users is None for figure in found):
        return ""
    cards = "".join(_card(figure, snapshot, is_now) for figure in found)
    facts, withheld = [], hidden(snapshot)
    if "users_known" not in withheld and is_whole:
        facts.append(f"{at_least(f'{users_known(snapshot):,}', 'users_known' in floors(snapshot))} users known")
    if "open_sessions" not in withheld and is_now:
        facts.append(f"~{total_active(snapshot).open_sessions:,} open sessions (an estimate)")
    title = "Active users" if is_now else f"Active users at the end of {month}"
    notes = f"<p>{'; '.join(facts)}.</p>" if facts else ""
    notes += f'<p class="note">{escape(AT_LEAST)}</p>' if snapshot.active_at_least and is_now else ""
    return f'<section><h2>{escape(title)}</h2><div class="cards">{cards}</div>{notes}</section>'


def _card(figure: Figure, snapshot: Snapshot, is_now: bool) -> str:
    change = ""
    if figure.users is not None and figure.before and not figure.is_floor:
        against = figure.window.before if is_now else f"{figure.window.days} days before"
        change = f"<span>{_signed(figure.users / figure.before - 1)} against {against}</span>"
    return (
        f'<div class="card"><h3>{figure.window.name} <small>{figure.window.length}</small></h3>'
        f"{_of_users(figure, snapshot)}{change}"
        f"{columns(figure.series, f'{figure.window.name} of {len(figure.series)} days')}</div>"
    )


def _month(snapshot: Snapshot, month: str) -> str:
    title = escape(f"{month} so far" if month == snapshot.month else month)
    counts = month_counts(snapshot, month)
    if counts is None:
        withheld = "Nobody, or too few users to tell." if snapshot.anonymity is not None else "Not counted."
        return f"<section><h2>{title}</h2><p>{withheld}</p></section>"
    users = at_least(f"{counts.users:,}", counts.quality is Quality.LOWER_BOUND)
    known = _known(snapshot, month)
    parts = [f"<p><strong>{users}</strong> month users, {QUALITY[counts.quality]}.{known}</p>"]
    if counts.places is not None:
        parts.append(_shares("Countries", "country", country_rows(snapshot, month), snapshot, month >= snapshot.month))
        if any(place.subdivision or place.city for place in counts.places):
            parts.append(_shares("Places", "place", place_rows(snapshot, month), snapshot))
    if counts.clients is not None:
        parts.append(_shares("Clients", "client", client_rows(snapshot, month), snapshot))
    return f"<section><h2>{title}</h2>\n" + "\n".join(parts) + "\n</section>"


def _known(snapshot: Snapshot, month: str) -> str:
    """How many of the month's users have a known country, a known client."""
    found = known_of(snapshot, month)
    shares = [
        f"{what} is known of {_whole_percent(known)}"
        for what, known in (("country", found.places), ("client", found.clients))
        if known is not None
    ]
    return f" The {', the '.join(shares)} of them." if shares else ""


def _shares(caption: str, title: str, rows: Sequence[AnyRow], snapshot: Snapshot, active: bool = False) -> str:
    """Month users, their share as a number and a bar; the `active` users of each window too where asked for."""
    windows = [index for index, window in enumerate(WINDOWS) if active and window.key not in hidden(snapshot)]
    greatest = max((row.share or 0 for row in rows), default=0)
    lines = [_share(row, greatest) + _active_in(row, windows, snapshot) for row in rows[:MOST]]
    if rest := rows[MOST:]:
        lines.append(_more(rest, windows))
    head = (title, "month users", "share", "", *(SHORT[index] for index in windows))
    return table(caption, head, lines, bars=3)


def _share(row: AnyRow, greatest: float) -> list[str]:
    """A row's name, its users and their share, with a bar beside the `greatest` share."""
    share = row.share or 0
    return [
        f"{UNKNOWN} unknown" if row.label == UNKNOWN else escape(row.label),
        NOTHING if row.users is None else at_least(f"{row.users:,}", row.is_floor),
        NOTHING if row.share is None else at_least(f"{share:.1%}", row.is_floor),
        bar(share / greatest if greatest else 0),
    ]


def _active_in(row: AnyRow, windows: Sequence[int], snapshot: Snapshot) -> list[str]:
    """A row's active users in each of the windows."""
    is_anonymous = snapshot.anonymity is not None
    return [
        NOTHING if is_anonymous and not users else at_least(f"{users:,}", row.is_active_floor)
        for users in (row.active[index] for index in windows)
    ]


def _whole_percent(known: Share) -> str:
    """Of a floor the percents below it, and 100 of nothing less."""
    if known.is_floor:
        return f"at least {int(100 * known.share)}%"
    return f"{known.share:.0%}" if known.share in (0, 1) else f"{min(max(known.share, 0.01), 0.99):.0%}"


def _more(rest: Sequence[AnyRow], windows: Sequence[int]) -> list[str]:
    """The rows that there is no room for, together."""
    is_floor, is_active_floor = any(row.is_floor for row in rest), any(row.is_active_floor for row in rest)
    shares = [row.share for row in rest if row.share is not None]
    return [
        f"… {len(rest):,} more",
        at_least(f"{sum(row.users or 0 for row in rest):,}", is_floor),
        at_least(f"{sum(shares):.1%}", is_floor) if shares else NOTHING,
        "",
        *(at_least(f"{sum(row.active[index] for row in rest):,}", is_active_floor) for index in windows),
    ]


def _months(snapshot: Snapshot) -> str:
    rows = month_rows(snapshot)
    if len(rows) < 2:
        return ""
    greatest = max(row.users for row in rows) or 1
    lines = [
        [
            escape(f"{row.month} so far" if row.month == snapshot.month else row.month),
            row.quality.marked(f"{row.users:,}"),
            bar(row.users / greatest),
            NOTHING if row.change is None else _signed(row.change),
        ]
        for row in rows
    ]
    head = ("month", "month users", "", "change")
    return f"<section><h2>Months</h2>\n{table('Month users by month', head, lines, bars=2)}\n</section>"


def _hosts(snapshot: Snapshot, month: str, is_whole: bool) -> str:
    if len(snapshot.hosts) < 2:
        return ""
    is_now = month >= snapshot.month
    lines = []
    for host, counts in snapshot.hosts.items():
        of_month = counts.months.get(month)
        cells = [escape(host), NOTHING if of_month is None else of_month.quality.marked(f"{of_month.users:,}")]
        cells += _active_of(counts) if is_now else []
        cells += [NOTHING if "users_known" in counts.hidden else _count(counts.users_known)] if is_whole else []
        lines.append(cells)
    head = (
        "host",
        "month users",
        *(window.name for window in WINDOWS if is_now),
        *(("users known",) if is_whole else ()),
    )
    return f"<section><h2>Hosts</h2>\n{table(f'Hosts in {month}', head, lines)}\n</section>"


def _active_of(counts: HostCounts) -> list[str]:
    active = sum_active(counts.active.values())
    return [
        NOTHING if window.key in counts.hidden else _count(users)
        for window, users in zip(WINDOWS, active, strict=False)
    ]


def _foot(snapshot: Snapshot) -> str:
    words = "".join(f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>" for word, meaning in WORDS)
    places = f"Places by {escape(snapshot.geo)}. " if snapshot.geo else ""
    return (
        f"<section><h2>What the words mean</h2><dl>{words}</dl></section>\n"
        f"<footer>{places}{escape(lookup.ATTRIBUTION)}. {escape(names.ATTRIBUTION)}. Made by Headcount.</footer>"
    )


def _count(users: int | None) -> str:
    return NOTHING if users is None else f"{users:,}"


def _of_users(figure: Figure, snapshot: Snapshot) -> str:
    if figure.users is not None:
        return f"<strong>{at_least(f'{figure.users:,}', figure.is_floor)}</strong>"
    return f"<p>{'withheld' if snapshot.anonymity is not None else 'not known'}</p>"


def _signed(change: float) -> str:
    return f"{change:+.1%}".replace("-", "−")
