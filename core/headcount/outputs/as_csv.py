"""The report as CSV: one row a number, so that a spreadsheet can filter and sum by any column."""

import csv
import io
from collections.abc import Iterator

from headcount.snapshot import UNKNOWN, Cell, MonthCounts, Place, PlaceName, Quality, Snapshot
from headcount.windows import WINDOWS

COLUMNS = (
    "host",
    "figure",
    "period",
    "quality",
    "country",
    "subdivision",
    "city",
    "name",
    "client",
    "users",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(snapshot: Snapshot) -> str:
    """The snapshot as RFC 4180 text with a header line.

    `figure` is `month users` or `active users`, and `period` a month or a window (1d, 7d, 30d). A month of which
    only the margins are known has rows `month users by place` and `month users by client`, each summing to all.
    Active users are exact, or a lower bound where some may be lacking (as of a moment that has passed).
    Where figures are k-anonymous, a last column `min_count` says how.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS if snapshot.anonymity is None else (*COLUMNS, "min_count"))
    for host, counts in snapshot.hosts.items():
        for month in sorted(counts.months):
            for figure, place, client, users in _month(counts.months[month]):
                quality = counts.months[month].quality.value
                writer.writerow(_row(snapshot, host, figure, month, quality, place, client, users))
        quality = (Quality.LOWER_BOUND if counts.at_least else Quality.EXACT).value
        for index, window in enumerate(WINDOWS):
            for cell in sorted(counts.active, key=_order):
                if users := counts.active[cell][index]:
                    row = _row(snapshot, host, "active users", window.key, quality, cell.place, cell.client, users)
                    writer.writerow(row)
    return text.getvalue()


def _month(month: MonthCounts) -> Iterator[tuple[str, Place | None, str, int]]:
    if month.cells is not None:
        for cell in sorted(month.cells, key=_order):
            yield "month users", cell.place, cell.client, month.cells[cell]
        return
    for place in sorted(month.places or {}, key=lambda place: _order(Cell(place, ""))):
        yield "month users by place", place, "", (month.places or {})[place]
    for client, users in sorted((month.clients or {}).items()):
        yield "month users by client", None, client, users


def _row(
    snapshot: Snapshot,
    host: str,
    figure: str,
    period: str,
    quality: str,
    place: Place | None,
    client: str,
    users: int,
) -> list[str | int]:
    parts = ["", "", ""] if place is None else [UNKNOWN if part is None else str(part) for part in place]
    name = snapshot.names.get(place, PlaceName()) if place else PlaceName()
    finest = name.city or name.subdivision or name.country
    numbers = [users] if snapshot.anonymity is None else [users, snapshot.anonymity]
    return [_harmless(text) for text in (host, figure, period, quality, *parts, finest, client)] + numbers


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _order(cell: Cell) -> tuple[str, str, int, str]:
    place = cell.place
    return place.country or UNKNOWN, place.subdivision or UNKNOWN, place.city or 0, cell.client
