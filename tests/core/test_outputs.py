"""JSON, CSV and plain text: the same figures in three forms, to the letter."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from made_up import (
    ACTIVE,
    DAY,
    FLAT,
    FRANKFURT,
    MONTH,
    MUNICH,
    NAMES,
    NOW,
    PARIS,
    host,
    point,
    snapshot,
    snapshots,
)

from headcount.figures.filters import Filter
from headcount.figures.totals import total_active
from headcount.outputs.as_csv import COLUMNS, to_csv
from headcount.outputs.as_json import to_json
from headcount.outputs.as_table import TOP, to_table
from headcount.snapshot import (
    Active,
    Cell,
    History,
    HostCounts,
    MonthCounts,
    Place,
    PlaceName,
    ProblemGroup,
    Quality,
    Snapshot,
)

PROBLEM = ProblemGroup("unreadable record", 2, "example.com/lastlog2/alice.dat", "it ends too early")
ONE = snapshot({"example.com": host(_2026_11=MONTH)}, problems=(PROBLEM,))


def test_json_has_the_shape_of_the_specification() -> None:
    small = MonthCounts.of(Quality.EXACT, {Cell(FRANKFURT, "ANDROID"): 2, Cell(Place(), "?"): 1})
    shown = snapshot({"example.com": HostCounts(1000, ACTIVE, {"2026-11": small})}, problems=(PROBLEM,))
    assert json.loads(to_json(shown)) == {
        "generated_at": "2026-11-22T05:00:00Z",
        "figures_from": "files",
        "timezone": "UTC",
        "source": "/var/lib/prosody",
        "active_users_are": "exact",
        "hosts": {
            "example.com": {
                "users_known": 1000,
                "open_sessions": 2,
                "active_users": {"1d": 3, "7d": 5, "30d": 12},
                "active_users_by_country": {
                    "DE": {"1d": 2, "7d": 4, "30d": 6},
                    "?": {"1d": 0, "7d": 0, "30d": 5},
                    "FR": {"1d": 1, "7d": 1, "30d": 1},
                },
                "months": {
                    "2026-11": {
                        "users": 3,
                        "quality": "exact",
                        "places": [
                            {
                                "country": "DE",
                                "subdivision": "HE",
                                "city": 2925533,
                                "name": "Frankfurt am Main",
                                "users": 2,
                            },
                            {"country": None, "subdivision": None, "city": None, "name": None, "users": 1},
                        ],
                        "clients": [{"client": "ANDROID", "users": 2}, {"client": "?", "users": 1}],
                        "cells": [
                            {"country": "DE", "subdivision": "HE", "city": 2925533, "client": "ANDROID", "users": 2},
                            {"country": None, "subdivision": None, "city": None, "client": "?", "users": 1},
                        ],
                    }
                },
            }
        },
        "problems": [
            {
                "what": "unreadable record",
                "count": 2,
                "example": "example.com/lastlog2/alice.dat",
                "why": "it ends too early",
            }
        ],
    }


def test_json_is_sorted_by_users_then_by_key() -> None:
    text = to_json(ONE)
    assert list(json.loads(text)["hosts"]["example.com"]["active_users_by_country"]) == ["DE", "?", "FR"]
    month = json.loads(text)["hosts"]["example.com"]["months"]["2026-11"]
    assert [(p["country"], p["subdivision"], p["users"]) for p in month["places"]] == [
        ("DE", "HE", 5),
        ("FR", "IDF", 3),
        (None, None, 2),
        ("DE", "BY", 2),
    ]
    assert [(c["country"], c["client"], c["users"]) for c in month["cells"]] == [
        ("DE", "Dino", 4),
        ("FR", "Dino", 3),
        (None, "?", 2),
        ("DE", "Gajim", 2),
        ("DE", "?", 1),
    ]


def test_json_says_null_where_a_month_cannot_tell() -> None:
    flat = Filter().having("country", "FR").apply(snapshot({"a": host(_2026_11=FLAT)}))
    month = json.loads(to_json(flat))["hosts"]["a"]["months"]["2026-11"]
    assert (month["users"], month["clients"], month["cells"]) == (3, None, None)
    assert [place["name"] for place in month["places"]] == ["Paris"]


def test_a_place_is_named_by_the_finest_part_that_has_a_name() -> None:
    shown = snapshot(
        {
            "a": HostCounts(
                3,
                {},
                {
                    "2026-11": MonthCounts.of(
                        Quality.EXACT,
                        {
                            Cell(Place("DE"), "?"): 3,
                            Cell(Place("DE", "HE"), "?"): 2,
                            Cell(Place("JP", "13", 1850147), "?"): 1,
                        },
                    )
                },
            )
        },
        names={Place("DE"): PlaceName("Germany"), Place("DE", "HE"): PlaceName("Germany", "Hesse")},
    )
    places = json.loads(to_json(shown))["hosts"]["a"]["months"]["2026-11"]["places"]
    assert [place["name"] for place in places] == ["Germany", "Hesse", None]
    assert [row["name"] for row in rows(to_csv(shown))] == ["Germany", "Hesse", ""]


def test_what_has_as_many_users_is_sorted_by_its_key() -> None:
    places = [Place("DE", "HE", 2), Place("DE", "HE", 1), Place("DE", "BY"), Place("DE"), Place()]
    cells = {Cell(place, client): 1 for place in places for client in ("b", "a", "?")}
    active = dict.fromkeys((Cell(Place(country), "?") for country in ("FR", None, "DE")), Active(1, 1, 1))
    shown = snapshot({"a": HostCounts(3, active, {"2026-11": MonthCounts.of(Quality.EXACT, cells)})})
    told = json.loads(to_json(shown))["hosts"]["a"]
    assert list(told["active_users_by_country"]) == ["DE", "FR", "?"]
    month = told["months"]["2026-11"]
    assert [client["client"] for client in month["clients"]] == ["?", "a", "b"]
    assert [(place["country"], place["subdivision"], place["city"]) for place in month["places"]] == [
        (None, None, None),
        ("DE", None, None),
        ("DE", "BY", None),
        ("DE", "HE", 1),
        ("DE", "HE", 2),
    ]


def test_json_is_text_that_people_can_read() -> None:
    shown = replace(ONE, source="/srv/прозодия")
    assert "/srv/прозодия" in to_json(shown)
    assert to_json(shown).splitlines()[1].startswith('  "generated_at"')


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_row_a_number() -> None:
    assert to_csv(ONE).splitlines() == [
        "host,figure,period,quality,country,subdivision,city,name,client,users",
        "example.com,month users,2026-11,exact,?,?,?,,?,2",
        "example.com,month users,2026-11,exact,DE,BY,2867714,Munich,Gajim,2",
        "example.com,month users,2026-11,exact,DE,HE,2925533,Frankfurt am Main,?,1",
        "example.com,month users,2026-11,exact,DE,HE,2925533,Frankfurt am Main,Dino,4",
        "example.com,month users,2026-11,exact,FR,IDF,2988507,Paris,Dino,3",
        "example.com,active users,1d,exact,DE,HE,2925533,Frankfurt am Main,Dino,2",
        "example.com,active users,1d,exact,FR,IDF,2988507,Paris,Dino,1",
        "example.com,active users,7d,exact,DE,BY,2867714,Munich,Gajim,1",
        "example.com,active users,7d,exact,DE,HE,2925533,Frankfurt am Main,Dino,3",
        "example.com,active users,7d,exact,FR,IDF,2988507,Paris,Dino,1",
        "example.com,active users,30d,exact,?,?,?,,?,5",
        "example.com,active users,30d,exact,DE,BY,2867714,Munich,Gajim,2",
        "example.com,active users,30d,exact,DE,HE,2925533,Frankfurt am Main,Dino,4",
        "example.com,active users,30d,exact,FR,IDF,2988507,Paris,Dino,1",
    ]


def test_csv_lines_end_as_the_rfc_has_it() -> None:
    text = to_csv(ONE)
    assert text.count("\r\n") == text.count("\n") == 15
    assert text.endswith("\r\n")


def test_csv_of_a_month_of_two_margins_sums_to_all_users_by_each() -> None:
    found = rows(to_csv(snapshot({"a": HostCounts(0, {}, {"2026-11": FLAT})})))
    for figure in ("month users by place", "month users by client"):
        assert sum(int(row["users"]) for row in found if row["figure"] == figure) == FLAT.users
    assert next(row for row in found if row["figure"] == "month users by client") == {
        **dict.fromkeys(COLUMNS, ""),
        "host": "a",
        "figure": "month users by client",
        "period": "2026-11",
        "quality": "imported",
        "client": "?",
        "users": "5",
    }
    assert {row["quality"] for row in found} == {"imported"}


@pytest.mark.parametrize("client", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_csv_holds_no_formula(client: str) -> None:
    month = MonthCounts.of(Quality.EXACT, {Cell(PARIS, client): 1})
    names = {PARIS: PlaceName("", "", "=cmd|' /C calc'!A0")}
    (row,) = rows(to_csv(snapshot({"@host": HostCounts(1, {}, {"2026-11": month})}, names=names)))
    assert row["client"] == f"'{client}"
    assert row["host"] == "'@host"
    assert row["name"] == "'=cmd|' /C calc'!A0"
    assert row["users"] == "1"


def test_csv_quotes_what_would_end_a_cell() -> None:
    month = MonthCounts.of(Quality.EXACT, {Cell(PARIS, 'a,b";\r\nc'): 1})
    (row,) = rows(to_csv(snapshot({"a": HostCounts(1, {}, {"2026-11": month})})))
    assert row["client"] == 'a,b";\r\nc'


def test_the_table_for_people() -> None:
    september = MonthCounts.of(Quality.LOWER_BOUND, {Cell(FRANKFURT, "Dino"): 8})
    history = History((point(NOW - DAY, {"example.com": {("DE", "?"): 1234}}),))
    shown = snapshot(
        {"example.com": host(_2026_11=MONTH, _2026_10=september, _2026_09=FLAT)}, history=history, problems=(PROBLEM,)
    )
    assert to_table(shown).splitlines() == [
        "Headcount of /var/lib/prosody at 2026-11-22 05:00:00 UTC",
        "example.com: 20 users known; places by GeoLite2-City 2026-11",
        "",
        "     users  active in              before",
        "DAU      3  last 24 h     1,234 yesterday",
        "WAU      5  last 7 days",
        "MAU     12  last 30 days",
        "open sessions ~2",
        "",
        "2026-11 so far: = 12 month users",
        "",
        "country  users  share",
        "Germany      7  58.3%",
        "France       3  25.0%",
        "?            2  16.7%",
        "",
        "place                              users  share",
        "Frankfurt am Main, Hesse, Germany      5  41.7%",
        "Paris, Île-de-France, France           3  25.0%",
        "?                                      2  16.7%",
        "Munich, Bavaria, Germany               2  16.7%",
        "",
        "client  users  share",
        "Dino        7  58.3%",
        "?           3  25.0%",
        "Gajim       2  16.7%",
        "",
        "month                     users  change",
        "2026-11 so far  =            12",
        "2026-10         ≥             8",
        "2026-09         imported     12",
        "",
        "problem            count  example                         why",
        "unreadable record      2  example.com/lastlog2/alice.dat  it ends too early",
    ]


def test_the_table_compares_whole_months_alone() -> None:
    """Not one that goes on with a whole one, which on the first of it is a fall of nearly all; nor a lower bound."""
    first = datetime(2026, 11, 1, 6, tzinfo=UTC).timestamp()
    months = {
        "_2026_11": MonthCounts.of(Quality.EXACT, {Cell(FRANKFURT, "Dino"): 3}),
        "_2026_10": MonthCounts.of(Quality.EXACT, {Cell(FRANKFURT, "Dino"): 100}),
        "_2026_09": MonthCounts.of(Quality.EXACT, {Cell(FRANKFURT, "Dino"): 80}),
        "_2026_08": MonthCounts.of(Quality.LOWER_BOUND, {Cell(FRANKFURT, "Dino"): 14}),
        "_2026_07": MonthCounts.of(Quality.IMPORTED, {Cell(FRANKFURT, "Dino"): 80}),
        "_2026_06": MonthCounts.of(Quality.IMPORTED, {Cell(FRANKFURT, "Dino"): 50}),
    }
    shown = snapshot({"a": host(**months)}, generated_at=first)
    lines = to_table(shown).splitlines()
    assert [line.split() for line in lines[lines.index("month                     users  change") + 1 :]] == [
        ["2026-11", "so", "far", "=", "3"],
        ["2026-10", "=", "100", "+25.0%"],
        ["2026-09", "=", "80"],
        ["2026-08", "≥", "14"],
        ["2026-07", "imported", "80", "+60.0%"],
        ["2026-06", "imported", "50"],
    ]
    assert "2026-08: ≥ 14 month users" in to_table(shown, "2026-08")


def test_the_table_of_a_month_that_nobody_counted_says_so() -> None:
    assert "2026-09: not counted" in to_table(ONE, "2026-09").splitlines()
    assert "2026-11 so far: not counted" in to_table(snapshot({"a": HostCounts()})).splitlines()


def test_the_table_of_another_month() -> None:
    lines = to_table(snapshot({"a": host(_2026_11=MONTH, _2026_10=FLAT)}), "2026-10").splitlines()
    assert "2026-10: 12 month users, imported" in lines


@pytest.mark.parametrize(
    ("place", "has_places"),
    [(Place("JP"), False), (Place("JP", "13"), True), (Place("JP", None, 1850147), True), (Place(), False)],
)
def test_places_are_listed_where_more_than_countries_is_known(place: Place, has_places: bool) -> None:
    month = MonthCounts.of(Quality.EXACT, {Cell(place, "?"): 1})
    lines = to_table(snapshot({"a": HostCounts(1, {}, {"2026-11": month})})).splitlines()
    assert any(line.startswith("place ") for line in lines) is has_places


def test_what_is_all_unknown_stands_to_the_left_as_any_text_does() -> None:
    month = MonthCounts.of(Quality.EXACT, {Cell(Place(), "?"): 7})
    lines = to_table(snapshot({"a": HostCounts(7, {}, {"2026-11": month})})).splitlines()
    assert "?           7  100.0%" in lines
    assert "?            7  100.0%" in lines


def test_the_end_of_a_long_table_is_put_together() -> None:
    month = MonthCounts.of(Quality.EXACT, {Cell(Place(), f"client {n:02}"): 1000 - n for n in range(TOP + 3)})
    lines = to_table(snapshot({"a": HostCounts(0, {}, {"2026-11": month})})).splitlines()
    at = lines.index(next(line for line in lines if line.startswith("… 3 more")))
    assert lines[at - 1].startswith("client 14")
    assert lines[at].split() == ["…", "3", "more", "2,952"]
    assert lines[at + 1] == ""


def test_columns_stand_below_each_other_whatever_the_script() -> None:
    widths = {"plain": 5, "東京": 4, "ｆｕｌｌ": 8, "cafe\u0301": 4, "लेख": 2, "🙂": 2}
    month = MonthCounts.of(Quality.EXACT, {Cell(Place(), client): 10 for client in widths})
    lines = to_table(snapshot({"a": HostCounts(0, {}, {"2026-11": month})})).splitlines()
    for client, width in widths.items():
        assert f"{client}{' ' * (8 - width)}     10  16.7%" in lines


def test_markup_is_text() -> None:
    shown = snapshot({"[red]a[/]": host(_2026_11=MONTH)}, problems=(replace(PROBLEM, why="[bold]%s {x}"),))
    assert "[red]a[/]: 20 users known" in to_table(shown)
    assert "[bold]%s {x}" in to_table(shown)


def test_the_hour_is_that_of_the_reports_zone() -> None:
    assert "2026-11-22 14:00:00 Asia/Tokyo" in to_table(replace(ONE, timezone="Asia/Tokyo"))
    assert json.loads(to_json(replace(ONE, timezone="Asia/Tokyo")))["generated_at"] == "2026-11-22T05:00:00Z"


def test_a_snapshot_of_nothing_is_a_report_too() -> None:
    nothing = snapshot({})
    assert json.loads(to_json(nothing))["hosts"] == {}
    assert to_csv(nothing) == ",".join(COLUMNS) + "\r\n"
    assert "no host: 0 users known" in to_table(nothing)


@given(snapshots)
def test_every_form_sums_to_the_same_figures(shown: Snapshot) -> None:
    of_hosts: dict[str, Any] = json.loads(to_json(shown))["hosts"]
    found = rows(to_csv(shown))
    for name, counts in shown.hosts.items():
        told = of_hosts[name]
        active = total_active(replace(shown, hosts={name: counts}))
        for index, period in enumerate(("1d", "7d", "30d")):
            users = [int(r["users"]) for r in found if (r["host"], r["figure"], r["period"]) == _active(name, period)]
            by_country = [country[period] for country in told["active_users_by_country"].values()]
            assert sum(users) == sum(by_country) == told["active_users"][period] == active[index]
        for month, of_month in counts.months.items():
            for shape in ("places", "clients", "cells"):
                shares = told["months"][month][shape]
                assert shares is None or sum(share["users"] for share in shares) == of_month.users
            here = [r for r in found if (r["host"], r["period"]) == (name, month)]
            for figure in {r["figure"] for r in here}:
                assert sum(int(r["users"]) for r in here if r["figure"] == figure) == of_month.users
    assert "Headcount of" in to_table(shown)


def _active(name: str, period: str) -> tuple[str, str, str]:
    return name, "active users", period


@given(snapshots)
def test_a_report_does_not_depend_on_the_order_of_reading(shown: Snapshot) -> None:
    turned = {
        name: HostCounts(
            counts.users_known,
            dict(reversed(counts.active.items())),
            {
                month: of.__class__(
                    of.quality,
                    of.users,
                    of.cells and dict(reversed(of.cells.items())),
                    of.places and dict(reversed(of.places.items())),
                    of.clients and dict(reversed(of.clients.items())),
                )
                for month, of in reversed(counts.months.items())
            },
        )
        for name, counts in shown.hosts.items()
    }
    other = replace(shown, hosts=turned)
    assert (to_json(other), to_csv(other), to_table(other)) == (to_json(shown), to_csv(shown), to_table(shown))


def test_the_examples_have_names() -> None:
    assert {FRANKFURT, MUNICH, PARIS} < NAMES.keys()
    assert ACTIVE[Cell(PARIS, "Dino")] == Active(1, 1, 1, 1)
