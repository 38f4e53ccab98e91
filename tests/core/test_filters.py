"""One filter for everything: it narrows, it never invents, and where it cannot tell it says so."""

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import (
    ACTIVE,
    CELLS,
    DAY,
    FLAT,
    FRANKFURT,
    MONTH,
    MUNICH,
    NOW,
    NOWHERE,
    PARIS,
    flat,
    host,
    past,
    point,
    snapshot,
    snapshots,
)

from headcount.feed import Publish
from headcount.figures.filters import Field, Filter, OnlyHosts, Term, only_hosts, only_month
from headcount.figures.totals import figures, month_counts, total_active
from headcount.snapshot import Cell, History, HostCounts, MonthCounts, Place, Snapshot

ONE = snapshot({"example.com": host(_2026_11=MONTH, _2026_10=MONTH)})
IMPORTED = snapshot({"example.com": host(_2026_11=FLAT)})


def asking(**terms: str) -> Filter:
    """A filter with these terms, in this order."""
    return Filter(tuple(Term(field, value) for field, value in terms.items()))  # type: ignore[arg-type]


def november(of: Snapshot) -> MonthCounts:
    counts = month_counts(of, "2026-11")
    assert counts is not None
    return counts


def test_a_term_that_is_set_again_replaces_the_old_one_and_is_the_last() -> None:
    asked = Filter().having("country", "DE").having("client", "Dino").having("country", "FR")
    assert asked.terms == (Term("client", "Dino"), Term("country", "FR"))
    assert asked.value("country") == "FR"
    assert asked.value("city") is None


def test_a_term_without_a_value_is_taken_away() -> None:
    asked = asking(country="DE", client="Dino")
    assert asked.having("country", None) == asked.having("country", "") == asking(client="Dino")
    assert asked.having("text", None) == asked


def test_the_last_term_can_be_taken_back() -> None:
    assert asking(country="DE", client="Dino").without_last() == asking(country="DE")
    assert Filter().without_last() == Filter()


@pytest.mark.parametrize("asked", [Filter(), asking(month="2026-10")])
def test_no_term_and_a_month_leave_all_figures_alone(asked: Filter) -> None:
    assert asked.apply(ONE) is ONE


def test_a_host_is_left_as_it_is_and_the_others_go() -> None:
    two = snapshot({"a.example": host(_2026_11=MONTH), "b.example": host(_2026_11=FLAT)})
    assert asking(host="b.example").apply(two).hosts == {"b.example": two.hosts["b.example"]}
    assert asking(host="nowhere.example").apply(two).hosts == {}


@pytest.mark.parametrize(
    ("asked", "users", "in_30_days"),
    [
        (asking(country="DE"), 7, 6),
        (asking(country="de"), 0, 0),  # codes are told as they are written
        (asking(country="?"), 2, 5),
        (asking(subdivision="HE"), 5, 4),
        (asking(city="2925533"), 5, 4),
        (asking(subdivision="?"), 2, 5),
        (asking(client="Dino"), 7, 5),
        (asking(client="?"), 3, 5),
        (asking(country="DE", client="Dino"), 4, 4),
        (asking(country="DE", client="?"), 1, 0),
        (asking(host="example.com", country="DE"), 7, 6),
        (asking(month="2026-10", country="DE"), 7, 6),
        (asking(country="FR", city="2925533"), 0, 0),
        (asking(text="frankfurt"), 5, 4),
        (asking(text="FRANCE"), 3, 1),
        (asking(text="dino"), 7, 5),
        (asking(text="ÎLE-DE"), 3, 1),
        (asking(text="example"), 12, 12),  # the host's own name
        (asking(text="frankfurt", client="Dino"), 4, 4),
        (asking(text="dino", country="FR"), 3, 1),
        (asking(text="nobody has this"), 0, 0),
    ],
)
def test_it_narrows_the_month_and_the_active_users_alike(asked: Filter, users: int, in_30_days: int) -> None:
    narrowed = asked.apply(ONE)
    assert november(narrowed).users == users
    assert november(narrowed).quality is MONTH.quality
    assert total_active(narrowed).month == in_30_days


def test_a_month_of_two_margins_can_be_narrowed_by_either() -> None:
    by_country = november(asking(country="DE").apply(IMPORTED))
    assert (by_country.users, by_country.places, by_country.clients) == (7, {FRANKFURT: 5, MUNICH: 2}, None)
    by_client = november(asking(client="Dino").apply(IMPORTED))
    assert (by_client.users, by_client.places, by_client.clients) == (7, None, {"Dino": 7})
    unknown = november(asking(country="?").apply(IMPORTED))
    assert (unknown.users, unknown.places) == (2, {NOWHERE: 2})
    assert november(asking(city="2925533", country="FR").apply(IMPORTED)).users == 0


def test_a_month_of_two_margins_is_left_out_where_they_cannot_tell() -> None:
    for asked in (
        asking(country="DE", client="Dino"),
        asking(country="DE", text="dino"),  # Dino users are known, and German ones, but not who is both
        asking(client="Dino", text="munich"),
        asking(text="n"),  # in the names of places and of clients: who is counted twice is not known
    ):
        assert asked.apply(IMPORTED).hosts["example.com"].months == {}, asked


def test_a_text_that_one_margin_alone_knows_narrows_by_that() -> None:
    by_place = november(asking(text="munich").apply(IMPORTED))
    assert (by_place.users, by_place.places, by_place.clients) == (2, {MUNICH: 2}, None)
    by_client = november(asking(text="dino").apply(IMPORTED))
    assert (by_client.users, by_client.places, by_client.clients) == (7, None, {"Dino": 7})
    by_both = november(asking(text="germany", subdivision="HE").apply(IMPORTED))
    assert (by_both.users, by_both.places) == (5, {FRANKFURT: 5})
    assert november(asking(text="nobody has this").apply(IMPORTED)).users == 0


def test_a_text_that_is_the_hosts_own_leaves_its_months_whole() -> None:
    assert november(asking(text="example").apply(IMPORTED)) == FLAT
    narrowed = november(asking(text="example", country="FR").apply(IMPORTED))
    assert (narrowed.users, narrowed.places) == (3, {PARIS: 3})


def test_what_a_filter_left_unknown_stays_unknown_to_the_next() -> None:
    by_country = asking(country="DE").apply(IMPORTED)
    assert asking(client="Dino").apply(by_country).hosts["example.com"].months == {}
    assert asking(text="dino").apply(by_country).hosts["example.com"].months == {}
    assert november(asking(subdivision="HE").apply(by_country)).users == 5


def test_only_one_month_is_kept_and_the_active_users_with_it() -> None:
    cut = only_month(ONE, "2026-10")
    assert cut.hosts == {"example.com": replace(ONE.hosts["example.com"], months={"2026-10": MONTH})}
    assert only_month(ONE, "1999-01").hosts["example.com"].months == {}


PAST = snapshot(
    {"a.example": host(_2026_11=MONTH), "b.example": host(_2026_11=MONTH)},
    history=History(
        (
            point(NOW - 7200, {"a.example": {("DE", "Dino"): 5, ("FR", "?"): 3, (None, "?"): 1}}),
            point(
                NOW - 3600,
                {
                    "a.example": {("DE", "Dino"): 10, ("DE", "?"): 4, ("FR", "Dino"): 2, (None, "?"): 1},
                    "b.example": {("DE", "Dino"): 100},
                },
            ),
        )
    ),
)


@pytest.mark.parametrize(
    ("asked", "users"),
    [
        (Filter(), 117),
        (asking(host="a.example"), 17),
        (asking(country="DE"), 114),
        (asking(country="?"), 1),
        (asking(client="Dino"), 112),
        (asking(country="DE", client="?"), 4),
        (asking(host="a.example", country="DE", client="Dino"), 10),
        (asking(text="dino"), 112),
        (asking(text="germ", client="Dino"), 110),
        (asking(text="b.ex"), 100),
        (asking(text="nobody has this"), 0),
    ],
)
def test_the_past_is_narrowed_as_the_present_is(asked: Filter, users: int) -> None:
    assert asked.apply(PAST).history.at(NOW - 3600) == past(users)


def test_the_past_is_unknown_where_it_was_not_kept_finely_enough() -> None:
    assert asking(city="2925533").apply(PAST).history == History()
    assert asking(subdivision="HE").apply(PAST).history == History()
    assert asking(text="frankfurt").apply(PAST).history == History()


def test_the_past_of_a_place_that_nobody_is_in_now_is_unknown_too() -> None:
    empty = HostCounts(20, {}, {})
    gone = replace(PAST, hosts={"a.example": empty, "b.example": empty})
    assert asking(text="frankfurt").apply(gone).history == History()
    assert asking(text="dino").apply(gone).history.at(NOW - 3600) == past(112)


def test_the_past_of_a_host_is_unknown_before_anybody_looked() -> None:
    narrowed = asking(host="b.example").apply(PAST).history
    assert narrowed.at(NOW - 3600) == past(100)
    assert narrowed.at(NOW - 7200, within=60) is None


def test_a_filter_on_a_filtered_past_narrows_it_further() -> None:
    twice = asking(client="Dino").apply(asking(country="DE").apply(PAST))
    assert twice.history.at(NOW - 3600) == past(110)


def test_a_host_that_is_gone_is_asked_for_by_its_own_name_too() -> None:
    gone = replace(PAST, hosts={"a.example": PAST.hosts["a.example"]})
    assert asking(text="b.ex").apply(gone).history.at(NOW - 3600) == past(100)
    assert asking(text="a.ex").apply(gone).history.at(NOW - 3600) == past(17)


def users_of(shown: Snapshot) -> tuple[tuple[int, ...], dict[str, int]]:
    """The active users and, of each month, the users."""
    months = {name for of_host in shown.hosts.values() for name in of_host.months}
    return tuple(total_active(shown)), {name: (month_counts(shown, name) or MONTH).users for name in months}


@pytest.mark.parametrize("field", ["host", "country", "subdivision", "city", "client"])
@given(whole=snapshots)
def test_a_filter_by_each_value_there_is_partitions_the_users(field: Field, whole: Snapshot) -> None:
    values = {values_of[field] for values_of in map(_values, _all_cells(whole))} if field != "host" else {*whole.hosts}
    parts = [users_of(Filter().having(field, value).apply(whole)) for value in values]
    active, months = users_of(whole)
    assert tuple(sum(part[0][index] for part in parts) for index in range(len(active))) == active
    for name, users in months.items():
        assert sum(part[1].get(name, 0) for part in parts) == users


@given(whole=snapshots, one=st.sampled_from(["DE", "FR", "?"]), other=st.sampled_from(["Dino", "=1+1", "?"]))
def test_two_terms_are_as_good_as_one_after_the_other(whole: Snapshot, one: str, other: str) -> None:
    both = asking(country=one, client=other).apply(whole)
    assert asking(client=other).apply(asking(country=one).apply(whole)).hosts == both.hosts
    assert asking(country=one).apply(asking(client=other).apply(whole)).hosts == both.hosts


@given(snapshots, st.sampled_from(["d", "DE", "dino", "1", "?", "example"]))
def test_margins_never_tell_what_the_joint_counts_deny(whole: Snapshot, text: str) -> None:
    margins = {
        name: replace(counts, months={month: flat(of) for month, of in counts.months.items()})
        for name, counts in whole.hosts.items()
    }
    joint = asking(text=text, country="DE").apply(whole)
    alone = asking(text=text, country="DE").apply(replace(whole, hosts=margins))
    for name, counts in alone.hosts.items():
        for month, of_month in counts.months.items():
            if whole.hosts[name].months[month].cells is not None:
                assert of_month.users == joint.hosts[name].months[month].users


def _all_cells(whole: Snapshot) -> list[Cell]:
    found = []
    for of_host in whole.hosts.values():
        found += of_host.active
        for month in of_host.months.values():
            found += [Cell(place, "") for place in month.places or {}]
            found += [Cell(Place(), client) for client in month.clients or {}]
    return found


def _values(cell: Cell) -> dict[str, str]:
    country, subdivision, city = cell.place
    return {
        "country": country or "?",
        "subdivision": subdivision or "?",
        "city": str(city or "?"),
        "client": cell.client or "?",
    }


def test_the_examples_are_what_they_say() -> None:
    assert sum(CELLS.values()) == FLAT.users == 12
    assert total_active(ONE).month == sum(active.month for active in ACTIVE.values())


def test_several_hosts_and_their_past() -> None:
    users = {name: {("DE", "Dino"): count} for name, count in (("a", 1), ("b", 20), ("c", 300))}
    three = snapshot({name: host(_2026_11=MONTH) for name in users}, history=History((point(NOW - DAY, users),)))
    two = only_hosts(three, ["a", "c"])
    assert list(two.hosts) == ["a", "c"]
    assert figures(two)[0].before == 301


def test_a_feed_of_several_hosts() -> None:
    class Once:
        def run(self, publish: Publish, stop: threading.Event) -> None:
            publish(snapshot({"a": host(), "b": host(), "c": host()}))

    shown: list[Snapshot] = []
    OnlyHosts(Once(), ["c", "a"]).run(shown.append, threading.Event())
    assert [list(one.hosts) for one in shown] == [["a", "c"]]
