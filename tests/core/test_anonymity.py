"""What leaves the machine is told so coarsely that no group of too few follows: who is told with whom, and what not."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace

from made_up import (
    FRANKFURT,
    MUNICH,
    NO_CITY,
    NOWHERE,
    PARIS,
    SINGAPORE,
    WIESBADEN,
    host_with,
    point,
    snapshot,
)

from headcount.figures.anonymity import anonymous, narrowed
from headcount.figures.filters import Filter
from headcount.outputs.as_csv import COLUMNS, to_csv
from headcount.outputs.as_json import to_json
from headcount.outputs.as_table import to_table
from headcount.snapshot import (
    OTHER,
    Active,
    Cell,
    History,
    HostCounts,
    MonthCounts,
    Place,
    ProblemGroup,
    Quality,
    Snapshot,
)

BERLIN, ELSEWHERE = Place("DE", "BE", 2950159), Place(OTHER)


# The tree: where users fold to, and who goes with them.


def folded(cells: Mapping[tuple[Place, str], int], min_count: int = 5) -> dict[tuple[Place, str], int]:
    """The cells of a month as they are told."""
    month = MonthCounts.of(Quality.EXACT, {Cell(*cell): users for cell, users in cells.items()})
    told = anonymous(snapshot({"a": HostCounts(0, {}, {"2026-11": month})}), min_count)
    return {tuple(cell): users for cell, users in (told.hosts["a"].months["2026-11"].cells or {}).items()}


def test_what_holds_enough_stays_as_it_is() -> None:
    cells = {
        (FRANKFURT, "Dino"): 5,
        (MUNICH, "Dino"): 8,
        (MUNICH, "?"): 5,
        (NO_CITY, "Dino"): 6,
        (SINGAPORE, "Gajim"): 9,
        (NOWHERE, "?"): 7,
    }
    assert folded(cells) == cells


def test_a_city_with_too_few_is_told_as_its_subdivision() -> None:
    cells = {(FRANKFURT, "Dino"): 9, (WIESBADEN, "Dino"): 2, (NO_CITY, "Dino"): 4}
    assert folded(cells) == {(FRANKFURT, "Dino"): 9, (NO_CITY, "Dino"): 6}


def test_a_subdivision_with_too_few_is_told_as_its_country() -> None:
    cells = {(FRANKFURT, "Dino"): 9, (MUNICH, "Dino"): 2, (Place("DE"), "Dino"): 3}
    assert folded(cells) == {(FRANKFURT, "Dino"): 9, (Place("DE"), "Dino"): 5}


def test_a_country_with_too_few_is_told_as_other() -> None:
    cells = {(FRANKFURT, "Dino"): 9, (PARIS, "Dino"): 2, (SINGAPORE, "Dino"): 3}
    assert folded(cells) == {(FRANKFURT, "Dino"): 9, (ELSEWHERE, "Dino"): 5}


def test_a_client_with_too_few_in_its_country_is_told_as_other_there() -> None:
    cells = {(FRANKFURT, "Dino"): 9, (FRANKFURT, "Gajim"): 4, (MUNICH, "?"): 2}
    assert folded(cells) == {(FRANKFURT, "Dino"): 9, (Place("DE"), OTHER): 6}


def test_a_second_one_goes_along_where_the_first_could_be_found_by_subtraction() -> None:
    """The smallest does, and the total of what is around them is unchanged."""
    assert folded({(FRANKFURT, "Dino"): 9, (WIESBADEN, "Dino"): 1, (BERLIN, "Dino"): 20}) == {
        (NO_CITY, "Dino"): 10,
        (BERLIN, "Dino"): 20,
    }
    assert folded({(FRANKFURT, "Dino"): 90, (PARIS, "?"): 8, (PARIS, "Dino"): 7, (SINGAPORE, "Dino"): 1}) == {
        (FRANKFURT, "Dino"): 90,
        (ELSEWHERE, "?"): 8,
        (ELSEWHERE, "Dino"): 8,
    }
    assert folded({(FRANKFURT, "Dino"): 90, (FRANKFURT, "?"): 8, (FRANKFURT, "Gajim"): 1}) == {
        (FRANKFURT, "Dino"): 90,
        (FRANKFURT, OTHER): 9,
    }


def test_of_two_of_the_same_size_the_first_by_name_goes_along() -> None:
    cells = {(WIESBADEN, "Dino"): 1, (FRANKFURT, "Dino"): 9, (Place("DE", "HE", 1), "Dino"): 9}
    assert folded(cells) == folded(dict(reversed(cells.items()))) == {(FRANKFURT, "Dino"): 9, (NO_CITY, "Dino"): 10}


def test_a_city_without_a_subdivision_folds_into_its_country() -> None:
    cells = {(SINGAPORE, "Dino"): 4, (Place("SG"), "Dino"): 5}
    assert folded(cells) == {(Place("SG"), "Dino"): 9}


def test_the_unknown_is_never_what_the_known_fold_into() -> None:
    assert folded({(NOWHERE, "?"): 9, (PARIS, "Dino"): 3, (MUNICH, "Dino"): 3}) == {
        (NOWHERE, "?"): 9,
        (ELSEWHERE, "Dino"): 6,
    }
    assert folded({(NOWHERE, "?"): 3, (PARIS, "Dino"): 9, (MUNICH, "Dino"): 9, (SINGAPORE, "?"): 3}) == {
        (ELSEWHERE, "?"): 6,
        (PARIS, "Dino"): 9,
        (MUNICH, "Dino"): 9,
    }


def test_a_client_that_is_called_other_is_one_of_them() -> None:
    assert folded({(PARIS, OTHER): 3, (PARIS, "Dino"): 7, (PARIS, "Gajim"): 9}) == {
        (PARIS, OTHER): 10,
        (PARIS, "Gajim"): 9,
    }
    assert folded({(PARIS, OTHER): 7, (PARIS, "Dino"): 7}) == {(PARIS, OTHER): 7, (PARIS, "Dino"): 7}


def test_the_two_margins_of_a_flat_month_fold_each_alone() -> None:
    month = MonthCounts(
        Quality.IMPORTED, 20, None, {FRANKFURT: 12, WIESBADEN: 3, PARIS: 5}, {"Dino": 8, "Gajim": 10, "?": 2}
    )
    told = anonymous(snapshot({"a": HostCounts(0, {}, {"2026-09": month})}), 5).hosts["a"].months["2026-09"]
    assert told == replace(month, places={NO_CITY: 15, PARIS: 5}, clients={OTHER: 10, "Gajim": 10})


def test_a_margin_that_lacks_too_few_is_not_told() -> None:
    month = MonthCounts(Quality.IMPORTED, 20, None, {PARIS: 18}, {"Dino": 20})
    told = anonymous(snapshot({"a": HostCounts(0, {}, {"2026-09": month})}), 5).hosts["a"].months["2026-09"]
    assert (told.users, told.places, told.clients) == (20, None, {"Dino": 20})


# The totals of a host.


def totals(shown: Snapshot) -> dict[str, int | None]:
    told = json.loads(to_json(shown))["hosts"]["a"]
    return {"known": told["users_known"], "open": told["open_sessions"], **told["active_users"]}


def test_totals_are_told_where_they_are_far_from_each_other() -> None:
    shown = host_with(100, 10, 20, 40, 15, _2026_11=30, _2026_10=50)
    assert totals(anonymous(shown, 5)) == {"known": 100, "open": 15, "1d": 10, "7d": 20, "30d": 40}


def test_totals_of_the_same_users_are_told() -> None:
    shown = host_with(40, 0, 40, 40, 0, _2026_11=40)
    assert totals(anonymous(shown, 5)) == totals(shown)


def test_a_window_is_hidden_where_all_but_few_are_in_another() -> None:
    assert totals(anonymous(host_with(100, 18, 20, 40), 5)) == {
        "known": 100,
        "open": 0,
        "1d": None,
        "7d": 20,
        "30d": 40,
    }
    assert totals(anonymous(host_with(100, 20, 38, 40), 5)) == {
        "known": 100,
        "open": 0,
        "1d": 20,
        "7d": None,
        "30d": 40,
    }
    by_country = json.loads(to_json(anonymous(host_with(100, 20, 38, 40), 5)))["hosts"]["a"]["active_users_by_country"]
    assert by_country == {"DE": {"1d": 20, "7d": None, "30d": 40}}


def test_a_window_of_few_is_hidden() -> None:
    assert totals(anonymous(host_with(100, 4, 9, 40), 5)) == {"known": 100, "open": 0, "1d": None, "7d": 9, "30d": 40}


def test_a_window_is_hidden_where_it_is_all_but_the_same_as_the_month() -> None:
    """At five in the morning of the eighth, those whom the month has more were last seen on the night of the first."""
    shown = host_with(100, 10, 20, 40, _2026_11=22)
    assert totals(anonymous(shown, 5))["7d"] is None
    early = host_with(100, 10, 20, 40, _2026_11=6, _2026_10=42)
    assert totals(anonymous(early, 5))["30d"] is None
    long_ago = host_with(100, 10, 20, 40, _2026_11=6, _2026_08=42)
    assert totals(anonymous(long_ago, 5))["30d"] == 40


def test_users_known_are_hidden_where_all_but_few_are_in_another_total() -> None:
    for shown in (host_with(42, 10, 20, 40), host_with(100, 0, 0, 50, _2026_08=97), host_with(100, 0, 0, 50, 99)):
        assert totals(anonymous(shown, 5))["known"] is None
    assert "users known" not in to_table(anonymous(host_with(42, 10, 20, 40), 5))


def test_a_month_of_few_is_left_out() -> None:
    told = anonymous(host_with(100, 10, 20, 40, _2026_11=4, _2026_10=5), 5)
    assert list(told.hosts["a"].months) == ["2026-10"]
    assert "2026-11 so far: not counted, or too few users to tell" in to_table(told)


def test_a_country_is_told_where_each_of_its_rings_is() -> None:
    shown = snapshot(
        {
            "a": HostCounts(
                200,
                {
                    Cell(FRANKFURT, "Dino"): Active(10, 20, 30, 9),
                    Cell(PARIS, "Dino"): Active(10, 13, 30, 2),
                    Cell(SINGAPORE, "Dino"): Active(1, 6, 20),
                    Cell(NOWHERE, "?"): Active(0, 0, 6),
                },
            )
        }
    )
    told = json.loads(to_json(anonymous(shown, 5)))["hosts"]["a"]
    assert told["active_users"] == {"1d": 21, "7d": 39, "30d": 86}
    assert told["open_sessions"] == 11
    assert told["active_users_by_country"] == {
        OTHER: {"1d": 11, "7d": 19, "30d": 50},
        "DE": {"1d": 10, "7d": 20, "30d": 30},
        "?": {"1d": 0, "7d": 0, "30d": 6},
    }


def test_a_country_that_would_not_help_is_not_taken_along() -> None:
    """Too few of today are in Paris; of the unknown, though they are the fewest, none is of today."""
    shown = snapshot(
        {
            "a": HostCounts(
                200,
                {
                    Cell(PARIS, "Dino"): Active(1, 21, 41),
                    Cell(NOWHERE, "Dino"): Active(0, 0, 6),
                    Cell(MUNICH, "Dino"): Active(30, 60, 90),
                },
            )
        }
    )
    assert set(anonymous(shown, 5).hosts["a"].active) == {Cell(ELSEWHERE, "Dino"), Cell(NOWHERE, "Dino")}


def test_problems_and_the_past_stay_with_the_operator() -> None:
    shown = snapshot(
        {"a": HostCounts()},
        problems=(ProblemGroup("unreadable record", 9, "example.com/lastlog2/alice.dat", "it is cut"),),
        history=History((point(1, {"a": {("DE", "Dino"): 3}}),)),
    )
    told = anonymous(shown, 5)
    assert (told.problems, told.history) == ((), History())
    assert json.loads(to_json(told))["problems"] is None
    assert not any("alice" in form(told) for form in (to_json, to_csv, to_table))


# The parameters stand in the output, and an exact one is as it was.


def test_the_parameters_stand_in_every_form() -> None:
    exact = host_with(100, 10, 20, 40, 15, _2026_11=30)
    told = anonymous(exact, 7)
    assert json.loads(to_json(told))["anonymity"] == {"min_count": 7, "parts_are": "at least"}
    assert [row["min_count"] for row in csv.DictReader(io.StringIO(to_csv(told), newline=""))] == ["7"] * 4
    assert "k-anonymous, min_count = 7" in to_table(told)
    assert "anonymity" not in json.loads(to_json(exact))
    assert to_csv(exact).splitlines()[0] == ",".join(COLUMNS)
    assert "k-anonymous" not in to_table(exact)


def test_the_table_leaves_out_what_is_hidden() -> None:
    lines = to_table(anonymous(host_with(100, 18, 20, 40, 39), 5)).splitlines()
    assert "DAU         last 24 h" in lines
    assert "WAU     20  last 7 days" in lines
    assert not any("open sessions" in line for line in lines)


# A filter upon what is told.


def test_a_filter_sees_only_what_is_told() -> None:
    shown = snapshot(
        {
            "a": HostCounts(
                100,
                {Cell(PARIS, "Dino"): Active(0, 10, 20, 16), Cell(MUNICH, "Dino"): Active(0, 0, 3)},
                {
                    "2026-11": MonthCounts.of(
                        Quality.EXACT, {Cell(PARIS, "Dino"): 9, Cell(SINGAPORE, "Dino"): 9, Cell(MUNICH, "Dino"): 3}
                    )
                },
            )
        }
    )
    told = anonymous(shown, 5)
    germany = narrowed(told, Filter().having("country", "DE"))
    assert totals(germany) == {"known": 100, "open": None, "1d": None, "7d": None, "30d": None}
    assert germany.hosts["a"].months == {}
    singapore = narrowed(told, Filter().having("country", "SG")).hosts["a"].months["2026-11"]
    assert singapore.users == 9
    assert narrowed(told, Filter().having("host", "a")).hosts == told.hosts
