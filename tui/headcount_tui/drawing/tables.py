"""The tables, one a tab: their rows, their columns, and what Enter on a row asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

from textual.content import Content

from headcount.figures.filters import Filter
from headcount.figures.tables import (
    MonthRow,
    Row,
    city_rows,
    client_rows,
    country_rows,
    known_with_users,
    month_rows,
    place_rows,
    subdivision_rows,
)
from headcount.figures.totals import WINDOWS, at_least, is_comparable, pace
from headcount.months import shift
from headcount.snapshot import UNKNOWN, Place
from headcount.zones import zone_of
from headcount_tui.asked.shown import Asked, Shown, Sort, Tab
from headcount_tui.drawing.dates import day, month_title
from headcount_tui.drawing.render import ACCENT, BAR, MUTED, NOTHING, bar, cell, change, number, outside, percent

R = TypeVar("R")
AnyKey = Row[Place] | Row[str]


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column. `width` is its least; those with `grows` share what is left, in that proportion.

    `needs` is the width of the table from which on the column is there at all; `order` gives the value that
    rows are sorted by.
    """

    name: str
    title: str
    width: int
    cell: Callable[[R, int], Content]
    order: Callable[[R], Any]
    left: bool = False
    grows: int = 0
    needs: int = 0
    descending: bool = True


class Table(NamedTuple):
    """What a tab shows: `narrow` is what Enter on a row makes of what is asked."""

    title: str
    noun: str
    rows: Callable[[Shown], Sequence[Any]]
    columns: Callable[[Shown, Sequence[Any]], list[Column[Any]]]
    narrow: Callable[[Asked, Any, Shown], Asked]


def row_key(row: Any) -> object:
    """What a row is known by, from one snapshot to the next."""
    return row.month if isinstance(row, MonthRow) else row.key


def country_of(row: Any) -> str | None:
    """The country of a row of places, however fine; None where it is of anything else, or unknown."""
    return row.key.country if isinstance(row, Row) and isinstance(row.key, Place) else None


def figures_of(row: Any) -> object:
    """What of a row is news when it changes; a share changes with everybody else's users."""
    return row.users if isinstance(row, MonthRow) else (row.users, row.active)


def sort_rows(rows: Sequence[Any], columns: list[Column[Any]], sort: Sort | None) -> list[Any]:
    """The rows in the order asked for; what is not known comes last either way."""
    column = next((column for column in columns if sort and column.name == sort.column), None)
    if sort is None or column is None:
        return list(rows)
    with_value = [row for row in rows if column.order(row) is not None]
    without = [row for row in rows if column.order(row) is None]
    return sorted(with_value, key=column.order, reverse=sort.descending) + without


def _users(value: int | None, is_floor: bool = False) -> Content:
    if not value:
        return Content.styled(number(value), MUTED)
    return Content.assemble((at_least("", is_floor=True), MUTED), number(value)) if is_floor else Content(number(value))


def _label(label: str) -> Content:
    if label == UNKNOWN:
        return Content.assemble(UNKNOWN, (" unknown", MUTED))
    return outside(label)


def _share(greatest: float) -> Callable[[AnyKey, int], Content]:
    """The share in figures and as a bar; the greatest share of the table fills its column."""

    def draw(row: AnyKey, width: int) -> Content:
        if row.share is None:
            return cell(Content.styled(NOTHING, MUTED), 7).truncate(width, pad=True)
        share = at_least(percent(row.share), row.is_floor)
        figure = cell(Content.styled(share, "" if row.users else MUTED), 7 if len(share) < 8 else 9)
        room = width - figure.cell_length - 1
        if room < 3 or not greatest:
            return figure
        return Content.assemble(figure, " ", (bar(row.share / greatest, room), BAR)).truncate(width, pad=True)

    return draw


def _difference(row: AnyKey, _width: int) -> Content:
    text, style = change(row.users, row.before)
    return Content.styled(text, style)


def _difference_order(row: AnyKey) -> int | None:
    return None if row.users is None or row.before is None else row.users - row.before


def against(shown: Shown) -> str:
    """`vs 22 Oct`: what the month so far is compared with."""
    found = pace(shown.cut)
    if found is None:
        return ""
    return f"vs {day(found.then, zone_of(shown.whole.timezone))}"


def _pace(row: AnyKey, _width: int) -> Content:
    return Content.styled(*change(row.users, row.then))


def _pace_order(row: AnyKey) -> int | None:
    return None if row.users is None or row.then is None else row.users - row.then


def _key_columns(title: str, width: int = 14) -> Callable[[Shown, Sequence[AnyKey]], list[Column[AnyKey]]]:
    """The columns that countries, places and clients have in common."""

    def columns(shown: Shown, rows: Sequence[AnyKey]) -> list[Column[AnyKey]]:
        greatest = max((row.share or 0 for row in rows), default=0)
        earlier = month_title(shift(shown.month, -1))
        found: list[Column[AnyKey]] = [
            Column(
                "label",
                title,
                width,
                lambda row, width: _label(row.label),
                lambda row: row.label.casefold(),
                left=True,
                grows=3,
                descending=False,
            ),
            Column("users", "users", 9, lambda row, width: _users(row.users, row.is_floor), lambda row: row.users),
            Column("share", "share", 9, _share(greatest), lambda row: row.share, left=True, grows=4, needs=64),
        ]
        before: Column[AnyKey] = Column(
            "before", earlier, 10, lambda row, width: _users(row.before), lambda row: row.before, needs=72
        )
        if shown.is_current:
            if any(row.then is not None for row in rows):  # like with like: as much of the month before
                found.append(Column("then", against(shown), 11, _pace, _pace_order, needs=72))
                before = replace(before, needs=100)
            earlier_too = [before] if shown.whole.anonymity is None else []
            return [*found, *earlier_too, *_active_columns(shown)]
        if shown.whole.anonymity is not None:  # who is counted with others differs from month to month
            return found
        found.append(before)
        if is_comparable(shown.cut, shown.month):
            found.append(Column("change", "change", 11, _difference, _difference_order, needs=90))
        return found

    return columns


def _active_columns(shown: Shown) -> list[Column[AnyKey]]:
    """Users active now; other figures than those of the month, so they stand apart, at the end."""
    nobody = None if shown.whole.anonymity is not None else 0  # they may be in a group that is shown as another

    def column(name: str, title: str, users: Callable[[AnyKey], int]) -> Column[AnyKey]:
        return Column(
            name,
            title,
            9,
            lambda row, width: _users(users(row) or nobody, row.is_active_floor),
            lambda row: users(row) or nobody,
            needs=112,
        )

    day, week, month = WINDOWS
    return [
        column("day", day.short, lambda row: row.active.day),
        column("week", week.short, lambda row: row.active.week),
        column("active", month.short, lambda row: row.active.month),
    ]


def _month_users(row: MonthRow, _width: int) -> Content:
    return Content.assemble((f"{row.quality.mark} ", MUTED), _users(row.users))


def _month_label(shown: Shown) -> Callable[[MonthRow, int], Content]:
    def draw(row: MonthRow, _width: int) -> Content:
        style = ACCENT if row.month == shown.month else ""
        so_far = " so far" if row.month == shown.whole.month else ""
        return Content.assemble((row.month, style), (so_far, MUTED))

    return draw


def _month_columns(shown: Shown, rows: Sequence[MonthRow]) -> list[Column[MonthRow]]:
    greatest = max((row.users for row in rows), default=0)
    floor = shown.whole.anonymity is not None

    def size(row: MonthRow, width: int) -> Content:
        return Content.styled(bar(row.users / greatest, width) if greatest else "", BAR)

    def difference(row: MonthRow, _width: int) -> Content:
        if row.change is None:
            return Content.styled(NOTHING, MUTED)
        return Content.styled(*change(round(1e6 * (1 + row.change)), 1_000_000))

    return [
        Column("month", "Month", 15, _month_label(shown), lambda row: row.month, left=True, grows=1),
        Column("users", "month users", 18, _month_users, lambda row: row.users),
        Column("size", "", 10, size, lambda row: row.users, left=True, grows=4, needs=64),
        Column("change", "change", 11, difference, lambda row: row.change, needs=72),
        Column(
            "countries",
            "countries",
            9,
            lambda row, width: _users(row.countries, floor),
            lambda row: row.countries,
            needs=90,
        ),
        Column(
            "clients", "clients", 9, lambda row, width: _users(row.clients, floor), lambda row: row.clients, needs=90
        ),
    ]


def _narrow_country(asked: Asked, row: Row[Place], _shown: Shown) -> Asked:
    return replace(asked, filter=_with_country(asked, row.key.country), tab=Tab.COUNTRIES)


def _narrow_subdivision(asked: Asked, row: Row[Place], _shown: Shown) -> Asked:
    wanted = asked.filter.having("city", None).having("subdivision", row.key.subdivision or UNKNOWN)
    return replace(asked, filter=wanted)


def _narrow_city(asked: Asked, row: Row[Place], _shown: Shown) -> Asked:
    wanted = asked.filter.having("city", UNKNOWN if row.key.city is None else str(row.key.city))
    return replace(asked, filter=wanted, tab=Tab.CLIENTS)


def _narrow_place(asked: Asked, row: Row[Place], _shown: Shown) -> Asked:
    found = _with_country(asked, row.key.country)
    if row.key.country is not None:
        found = found.having("subdivision", row.key.subdivision or UNKNOWN)
        found = found.having("city", UNKNOWN if row.key.city is None else str(row.key.city))
    return replace(asked, filter=found, tab=Tab.CLIENTS)


def _with_country(asked: Asked, country: str | None) -> Filter:
    return asked.filter.having_country(country or UNKNOWN)


def _narrow_client(asked: Asked, row: Row[str], _shown: Shown) -> Asked:
    return replace(asked, filter=asked.filter.having("client", row.key), tab=Tab.COUNTRIES)


def _narrow_month(asked: Asked, row: MonthRow, shown: Shown) -> Asked:
    month = None if row.month == shown.whole.month else row.month
    return replace(asked, filter=asked.filter.having("month", month), tab=Tab.COUNTRIES)


COUNTRIES = Table("Countries", "country", lambda s: s.rows(country_rows), _key_columns("Country"), _narrow_country)
SUBDIVISIONS = Table(
    "Subdivisions",
    "subdivision",
    lambda s: s.rows(subdivision_rows),
    _key_columns("Subdivision"),
    _narrow_subdivision,
)
CITIES = Table("Cities", "city", lambda s: s.rows(city_rows), _key_columns("City"), _narrow_city)
PLACES = Table("Places", "place", lambda s: s.rows(place_rows), _key_columns("Place", 26), _narrow_place)
CLIENTS = Table("Clients", "client", lambda s: s.rows(client_rows), _key_columns("Client"), _narrow_client)
MONTHS = Table("Months", "month", lambda s: month_rows(s.cut), _month_columns, _narrow_month)


def how_many(spec: Table, rows: Sequence[Any], is_whole: bool = True) -> str:
    """`58 countries`: those that are known and have users; empty where the table has no rows. It is a lower bound
    unless `is_whole`."""
    if not rows:
        return ""
    count = len(rows) if spec is MONTHS else known_with_users(rows)
    counted = at_least(f"{count:,}", not is_whole and spec is not MONTHS)
    return f"{counted} {spec.noun if count == 1 else spec.title.lower()}"


def table_of(asked: Asked) -> Table | None:
    """The table of the view asked for; the first one goes as deep as the filter does. None: it has no table."""
    match asked.tab:
        case Tab.COUNTRIES:
            if asked.filter.value("country") in (None, UNKNOWN):
                return COUNTRIES
            return CITIES if asked.filter.value("subdivision") else SUBDIVISIONS
        case Tab.PLACES:
            return PLACES
        case Tab.CLIENTS:
            return CLIENTS
        case Tab.MONTHS:
            return MONTHS
        case Tab.MAP:  # the table beside the map, with the same rows and filters
            return COUNTRIES
        case _:
            return None
