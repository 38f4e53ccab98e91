"""Filters as they are typed: what a line means, how a filter is written, and how a word may go on."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import FRANKFURT, MUNICH, NOWHERE, PARIS, WIESBADEN, snapshot

from headcount.errors import UsageError
from headcount.figures.filter_language import FIELDS, complete, known, parse, without_begun, written
from headcount.figures.filters import Field, Filter, Term
from headcount.snapshot import Cell, HostCounts, MonthCounts, Place, PlaceName, Quality
from headcount.text import clean

FINLAND = Place("FI")
LONDON = Place("GB", "ENG", 2643743)
MONTH = MonthCounts.of(
    Quality.EXACT,
    {
        Cell(FRANKFURT, "IOS"): 40,
        Cell(WIESBADEN, "ANDROID"): 30,
        Cell(MUNICH, "My Client"): 20,
        Cell(PARIS, "ANDROID"): 10,
        Cell(FINLAND, "Gajim"): 5,
        Cell(LONDON, "?"): 4,
        Cell(NOWHERE, "?"): 3,
    },
)
SERVER = replace(
    snapshot({"example.com": HostCounts(100, {}, {"2026-11": MONTH, "2026-10": MONTH}), "example.org": HostCounts(9)}),
    names={
        FRANKFURT: PlaceName("Germany", "Hesse", "Frankfurt am Main"),
        WIESBADEN: PlaceName("Germany", "Hesse", "Wiesbaden"),
        MUNICH: PlaceName("Germany", "Bavaria", "Munich"),
        PARIS: PlaceName("France", "Île-de-France", "Paris"),
        FINLAND: PlaceName("Finland"),
        LONDON: PlaceName("United Kingdom", "England", "London"),
    },
)
KNOWN = known(SERVER, Filter())


def terms(line: str) -> list[tuple[str, str]]:
    return [tuple(term) for term in parse(line, KNOWN).terms]


def refusal(line: str) -> str:
    with pytest.raises(UsageError) as refused:
        parse(line, KNOWN)
    return f"{refused.value.message} {refused.value.hint}"


# What a line means


def test_terms_and_words_in_the_order_typed() -> None:
    line = "client:IOS some country:DE words month:2026-10 host:example.org sub:HE city:2925533"
    assert terms(line) == [
        ("client", "IOS"),
        ("text", "some words"),
        ("country", "DE"),
        ("month", "2026-10"),
        ("host", "example.org"),
        ("subdivision", "HE"),
        ("city", "2925533"),
    ]
    assert terms("") == terms("  ") == terms('""') == []


def test_codes_and_names_in_any_case() -> None:
    assert terms("country:de") == terms("COUNTRY:De") == [("country", "DE")]
    assert terms("Client:ios subdivision:he Host:EXAMPLE.com") == [
        ("client", "IOS"),
        ("subdivision", "HE"),
        ("host", "example.com"),
    ]


def test_a_country_and_other_places_by_name() -> None:
    assert terms("country:germany") == terms("country:Germ") == terms('country:"germany"') == [("country", "DE")]
    assert terms('country:"united kingdom"') == terms("country:united") == [("country", "GB")]
    assert terms("sub:hesse") == [("subdivision", "HE")]
    assert terms('city:"frankfurt am main"') == terms("city:frank") == [("city", "2925533")]


def test_a_code_comes_before_the_beginning_of_a_name() -> None:
    assert terms("country:fi") == [("country", "FI")]
    assert terms("country:fr") == [("country", "FR")]
    assert refusal("country:f") == "f may be FR (France) or FI (Finland). Type on."


def test_a_country_that_has_no_user_yet_can_be_asked_for_by_its_code() -> None:
    assert terms("country:jp") == [("country", "JP")]
    assert terms("country:japan") == [("country", "JP")]
    assert refusal("country:jpn") == "No country jpn is known. Did you mean JP?"
    assert refusal("country:uk") == "No country uk is known. Did you mean GB (United Kingdom)?"
    assert refusal("country:qq").startswith("No country qq is known. Such as DE (Germany), FR (France), ")


def test_a_month_that_has_not_begun_cannot_be_asked_for() -> None:
    assert refusal("month:2026-12") == "2026-12 has not begun. The newest month is 2026-11."


def test_places_are_those_of_the_country_asked_for() -> None:
    assert refusal("sub:hesse country:fr").startswith("No subdivision hesse is known.")
    assert terms("sub:hesse country:de") == [("subdivision", "HE"), ("country", "DE")]
    assert refusal("city:paris country:de").startswith("No city paris is known.")


def test_the_unknown() -> None:
    assert terms("country:? sub:? city:? client:?") == [
        ("country", "?"),
        ("subdivision", "?"),
        ("city", "?"),
        ("client", "?"),
    ]
    assert terms("?") == terms("text:?") == [("text", "?")]
    assert refusal("month:?").startswith("? is no month.")
    assert refusal("host:?").startswith("No host ? is known.")


def test_quotes_hold_blanks_and_colons() -> None:
    assert (
        terms('text:"frankfurt am"') == terms('"frankfurt am"') == terms("frankfurt am") == [("text", "frankfurt am")]
    )
    assert terms('client:"my client"') == terms("client:my") == [("client", "My Client")]
    assert terms('"foo:bar"') == terms('text:"foo:bar"') == terms("text:foo:bar") == [("text", "foo:bar")]
    assert terms(r'"a \"quote\" and \\"') == [("text", 'a "quote" and \\')]


def test_a_quote_that_is_still_open_ends_with_the_line() -> None:
    assert terms('"frankfurt a') == [("text", "frankfurt a")]
    assert terms('client:"my cl') == [("client", "My Client")]
    assert terms('"a\\') == [("text", "a\\")]


def test_a_month_is_written_in_full() -> None:
    assert terms("month:2019-01") == [("month", "2019-01")]
    for month in ("oct", "2026-1", "2026-13", "2026"):
        assert refusal(f"month:{month}") == f"{month} is no month. Write YYYY-MM, such as 2026-11."


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("foo:bar", "There is no field foo."),
        ("contry:de", "There is no field contry. Did you mean country:?"),
        ("client:gaijm", "No client gaijm is known. Did you mean Gajim?"),
        ("host:exmple.org", "No host exmple.org is known. Did you mean example.org?"),
        ("country:", "Which country? Such as DE (Germany), FR (France), FI (Finland) or 1 more."),
        ("country:de country:fr", "country: stands here twice. One of each is enough."),
        ("client:a\x1b[2J", "No client a\ufffd[2J is known."),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_is_near(line: str, told: str) -> None:
    assert refusal(line).startswith(told)


def test_what_is_asked_for_may_be_asked_for_again() -> None:
    asked = Filter().having("host", "gone.example").having("client", "Gone")
    assert parse(written(asked), known(SERVER, asked)) == asked


# How a filter is written

values = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(clean)
fields: st.SearchStrategy[Field] = st.sampled_from(sorted(set(FIELDS.values())))
filters = st.dictionaries(fields, values).map(lambda found: Filter(tuple(Term(*item) for item in found.items())))


@given(filters)
def test_what_is_written_is_read_as_it_was(asked: Filter) -> None:
    assert parse(written(asked)) == asked


@given(
    st.lists(
        st.sampled_from([("month", "2026-10"), ("country", "DE"), ("text", 'a "b c" d:e'), ("host", "example.org")])
        | st.sampled_from([(name, value.value) for name, found in KNOWN.values.items() for value in found]),
        unique_by=lambda term: term[0],
    )
)
def test_and_so_is_every_filter_that_a_snapshot_knows(found: list[tuple[Field, str]]) -> None:
    asked = Filter(tuple(Term(*term) for term in found))
    places = [asked.value("country"), asked.value("subdivision"), asked.value("city")]
    if not any(  # a city of another country is not one that the line would find
        all(want in (None, str(part)) for want, part in zip(places, place, strict=True)) for place in KNOWN.places
    ):
        return
    assert parse(written(asked), KNOWN) == asked


@given(st.text(max_size=40))
def test_any_line_is_read_or_refused_in_words(line: str) -> None:
    told = []
    try:
        asked = parse(line, KNOWN)
    except UsageError as error:
        told = [error.message, error.hint]
    else:
        assert len({term.field for term in asked.terms}) == len(asked.terms)
    assert told == [clean(text) for text in told]
    complete(line, KNOWN)


def test_it_is_written_as_short_as_it_can_be_read() -> None:
    asked = Filter().having("country", "DE").having("text", "some words").having("subdivision", "HE")
    assert written(asked) == "country:DE some words sub:HE"
    assert written(Filter().having("client", "My Client")) == 'client:"My Client"'
    assert written(Filter().having("text", "a  b")) == 'text:"a  b"'
    assert written(Filter().having("text", "foo:bar")) == 'text:"foo:bar"'
    assert written(Filter().having("host", "\x1b]0;x")) == "host:\ufffd]0;x"


def test_a_name_that_was_cleaned_finds_what_it_stands_for() -> None:
    evil = snapshot({"\x1b[2J.example": HostCounts(1)})
    of = known(evil, Filter())
    assert parse("host:\ufffd[2J.example", of) == Filter().having("host", "\x1b[2J.example")


# How a word may go on


@pytest.mark.parametrize(
    ("line", "ghost", "taken"),
    [
        ("co", "country:", "country:"),
        ("country:de S", "country:de Sub:", "country:de sub:"),
        ("country:", "country:DE", "country:DE "),
        ("country:ger", "country:germany", "country:DE "),
        ("country:uni", "country:united Kingdom", "country:GB "),
        ("x month:2026-1", "x month:2026-11", "x month:2026-11 "),
        ("client:m", "client:my Client", 'client:"My Client" '),
        ('client:"m', 'client:"my Client', 'client:"My Client" '),
        ("host:example.o", "host:example.org", "host:example.org "),
        ("country:de sub:b", "country:de sub:bY", "country:de sub:BY "),
    ],
)
def test_the_last_word_is_completed(line: str, ghost: str, taken: str) -> None:
    assert complete(line, KNOWN) == (ghost, taken)


@pytest.mark.parametrize("line", ["", " ", "xyz", "country:de ", "country:zz", "foo:", "text:a", 'client:"IOS"', '"co'])
def test_what_nothing_begins_with_is_not(line: str) -> None:
    assert complete(line, KNOWN) is None


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("c", ""),
        ("x Count", "x "),
        ("country", ""),
        ("country ", "country "),
        ("country:", "country:"),
        ("cx", "cx"),
        ('"co', '"co'),
        ("", ""),
    ],
)
def test_the_beginning_of_a_field_is_no_text_yet(line: str, rest: str) -> None:
    assert without_begun(line) == rest


def test_what_is_offered_cannot_harm_a_terminal() -> None:
    of = known(snapshot({"a\x1b]52;c;x\x1b\\": HostCounts(1)}), Filter())
    offered = complete("host:a", of)
    assert offered == ("host:a\ufffd]52;c;x\ufffd\\", "host:a\ufffd]52;c;x\ufffd\\ ")
    assert parse(offered.line, of).value("host") == "a\x1b]52;c;x\x1b\\"
