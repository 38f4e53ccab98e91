"""What the keys make of what is asked, and the way back from where one drilled to."""

from dataclasses import replace

from samples import SAMPLE

from headcount.figures.filters import Filter
from headcount.figures.totals import month_names
from headcount_tui.asked import transitions
from headcount_tui.asked.shown import Asked, Tab, Zoom, look

ASKED = Asked()
SHOWN = look(SAMPLE, ASKED)


def test_the_months_are_walked_one_by_one_and_end() -> None:
    asked, walked = ASKED, []
    while (earlier := transitions.month_shifted(asked, look(SAMPLE, asked), -1)) is not None:
        asked = earlier
        walked.append(asked.filter.value("month"))
    assert walked == month_names(SAMPLE)[-2::-1]
    for _ in walked:
        asked = transitions.month_shifted(asked, look(SAMPLE, asked), +1) or asked
    assert asked.filter == Filter()  # the current month needs no filter
    assert transitions.month_shifted(asked, look(SAMPLE, asked), +1) is None


def test_views_and_zooms_go_round() -> None:
    asked = ASKED
    for _ in Tab:
        asked = transitions.tab_stepped(asked, +1)
    assert asked == ASKED
    assert transitions.tab_stepped(ASKED, -1).tab is Tab.LIVE
    for _ in Zoom:
        asked = transitions.zoomed(asked)
    assert asked == ASKED
    assert transitions.zoomed(ASKED, "ALL").zoom is Zoom.ALL


def test_another_country_takes_the_city_with_it() -> None:
    there = Filter().having("country", "DE").having("subdivision", "HE").having("city", "2925533")
    asked = transitions.filtered(replace(ASKED, filter=there), "country", "FR")
    assert asked.filter == Filter().having("country", "FR")
    assert transitions.filtered(asked, "country", "").filter == Filter()


def test_back_goes_to_the_view_in_which_the_filter_was_chosen() -> None:
    trail, country = transitions.Trail(), Filter().having("country", "DE")
    in_country = replace(ASKED, tab=Tab.COUNTRIES, filter=country)
    deep = replace(ASKED, tab=Tab.CLIENTS, filter=country.having("client", "IOS"))
    trail.note(replace(ASKED, tab=Tab.MAP), in_country)
    trail.note(in_country, deep)
    once = trail.back(deep)
    assert (once.filter, once.tab) == (country, Tab.COUNTRIES)
    twice = trail.back(once)
    assert (twice.filter, twice.tab) == (Filter(), Tab.MAP)
    assert trail.back(twice) == twice


def test_back_takes_all_that_a_row_brought() -> None:
    trail, places = transitions.Trail(), replace(ASKED, tab=Tab.PLACES)
    city = Filter().having("country", "DE").having("subdivision", "HE").having("city", "2925533")
    there = replace(ASKED, tab=Tab.CLIENTS, filter=city)
    trail.note(places, there)
    with_host = replace(there, filter=city.having("host", "example.com"))
    assert trail.back(with_host) == there
    assert trail.back(there) == places


def test_back_forgets_a_row_whose_filter_went_another_way() -> None:
    trail = transitions.Trail()
    country, client = Filter().having("country", "DE"), Filter().having("client", "IOS")
    trail.note(replace(ASKED, tab=Tab.MAP), replace(ASKED, filter=country))
    assert trail.back(replace(ASKED, tab=Tab.TREND, filter=client)) == replace(ASKED, tab=Tab.TREND)
    assert trail.back(replace(ASKED, filter=country)) == ASKED


def test_a_row_that_narrows_nothing_is_none_to_come_back_from() -> None:
    trail, month = transitions.Trail(), Filter().having("month", "2026-10")
    trail.note(replace(ASKED, tab=Tab.MONTHS, filter=month), ASKED)
    assert trail.back(ASKED) == ASKED
