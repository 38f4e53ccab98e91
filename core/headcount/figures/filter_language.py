"""Filters as they are typed: `country:de client:ios month:2026-10 some words`, read, written and completed.

The line is words with blanks between them. `field:value` is a term, anything else belongs to the text that is looked
for. A value, or a text, in `"…"` may hold blanks and colons; there `\\"` is a quote and `\\\\` a backslash.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from headcount.errors import UsageError
from headcount.figures.filters import PLACE_FIELDS, Field, Filter, Term
from headcount.figures.tables import client_rows, country_rows
from headcount.figures.totals import month_names
from headcount.months import is_month
from headcount.places.names import countries, fold
from headcount.snapshot import UNKNOWN, MonthCounts, Place, PlaceName, Snapshot
from headcount.text import clean

LONGEST = 1_000
"""Characters of a line that are looked at; a value is cut there too."""

FIELDS: Mapping[str, Field] = {
    "country": "country",
    "client": "client",
    "city": "city",
    "host": "host",
    "month": "month",
    "sub": "subdivision",
    "subdivision": "subdivision",
    "text": "text",
}
"""The fields as they are typed."""
_WRITTEN: Mapping[Field, str] = {"subdivision": "sub"}
_MAY_BE_UNKNOWN = (*PLACE_FIELDS, "client")
_WORD = re.compile(
    r"""\s*(?P<word>(?:(?P<field>[^\s:"]+):)?(?:"(?P<quoted>(?:\\.|[^"\\])*\\?)(?:"|$)|(?P<bare>\S*)))""", re.DOTALL
)
_LOOKS_LIKE_A_TERM = re.compile(r'[^\s:"]+:|"')


class Value(NamedTuple):
    """Something to filter by: its value in a term, and the names that it goes by."""

    value: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to filter by, by field, the likeliest first; and the month that goes on, the last there is."""

    values: Mapping[Field, tuple[Value, ...]] = field(default_factory=dict)
    places: frozenset[Place] = frozenset()
    month: str = ""

    def of(self, asked: Field, within: Filter) -> list[Value]:
        """The field's values that there are in the country and the subdivision that are asked for."""
        values = self.values.get(asked, ())
        depth = PLACE_FIELDS.index(asked) if asked in PLACE_FIELDS else 0
        wanted = tuple(within.value(part) for part in PLACE_FIELDS[:depth])
        if all(want is None for want in wanted):
            return list(values)
        here = {
            str(place[depth])
            for place in self.places
            if all(want in (None, part or UNKNOWN) for want, part in zip(wanted, place, strict=False))
        }
        return [value for value in values if value.value in here]


class Completion(NamedTuple):
    """How the line may go on: `ghost` begins with the line, `line` is what stands there once that is taken."""

    ghost: str
    line: str


class _Word(NamedTuple):
    field: str | None
    value: str
    is_quoted: bool
    start: int


def known(snapshot: Snapshot, asked: Filter) -> Known:
    """What a snapshot knows, and what is asked for now, which may always be asked for again."""
    places = _places_with_users(snapshot)
    found: dict[Field, Iterable[Value]] = {
        "host": map(Value, sorted(snapshot.hosts, key=lambda host: -snapshot.hosts[host].users_known)),
        "month": map(Value, reversed(month_names(snapshot))),
        "country": _countries(snapshot, asked.value("month") or snapshot.month, places),
        "subdivision": _named((place.subdivision, name.subdivision) for place, name in _names_of(places, snapshot)),
        "city": _named((place.city, name.city) for place, name in _names_of(places, snapshot)),
        "client": _clients(snapshot, asked.value("month") or snapshot.month),
    }
    values = {field: _each_once([*found[field], *_asked(asked, field)]) for field in found}
    return Known(values, frozenset(places), snapshot.month)


def _places_with_users(snapshot: Snapshot) -> set[Place]:
    """Where users are now, or were in any month."""
    now = {cell.place for counts in snapshot.hosts.values() for cell in counts.active}
    return now | {place for month in _all_months(snapshot) for place in month.places or ()}


def _all_months(snapshot: Snapshot) -> Iterator[MonthCounts]:
    return (month for counts in snapshot.hosts.values() for month in counts.months.values())


def _countries(snapshot: Snapshot, month: str, places: Iterable[Place]) -> Iterator[Value]:
    """The countries, those of the month first."""
    codes = [row.key.country for row in country_rows(snapshot, month)]
    codes += sorted({place.country for place in places if place.country})
    names: dict[str | None, set[str]] = {}
    for place, name in snapshot.names.items():
        if name.country:
            names.setdefault(place.country, set()).add(name.country)
    return (Value(code, tuple(names.get(code, ()))) for code in codes if code)


def _clients(snapshot: Snapshot, month: str) -> Iterator[Value]:
    """The clients, those of the month first."""
    clients = [row.key for row in client_rows(snapshot, month)]
    clients += [client for of_month in _all_months(snapshot) for client in of_month.clients or ()]
    return map(Value, clients)


def _names_of(places: Iterable[Place], snapshot: Snapshot) -> Iterator[tuple[Place, PlaceName]]:
    return ((place, snapshot.names.get(place, PlaceName())) for place in places)


def _named(parts: Iterable[tuple[str | int | None, str]]) -> list[Value]:
    """The parts of places, by code, each with all the names that it goes by."""
    names: dict[str, set[str]] = {}
    for code, name in parts:
        if code is not None:
            names.setdefault(str(code), set()).update([name] if name else [])
    return [Value(code, tuple(sorted(names[code]))) for code in sorted(names)]


def _each_once(values: Iterable[Value]) -> tuple[Value, ...]:
    return tuple({value.value: value for value in values if value.value != UNKNOWN}.values())


def value_of(name: Field, typed: str, of: Known) -> str:
    """The value that was typed in whole, whatever its case, or a name of it, as `parse` finds it; but what only begins
    one is none, lest it is another tomorrow. Raises UsageError for what there is not."""
    if not typed:
        raise UsageError(f"Which {name}?", _examples(name, of, {}))
    return _value(name, typed, of, Filter(), may_begin=False)


def parse(line: str, of: Known | None = None) -> Filter:
    """The filter that a line asks for, its terms in the order typed.

    Values are found among those `of` a snapshot, whatever their case, by a name too, and by the beginning of either
    where only one has it; without `of` they are taken as they stand. Raises UsageError for what cannot be asked.
    """
    terms: dict[Field, str] = {}
    for word in _words(line[:LONGEST]):
        name: Field = "text" if word.field is None else _field(word)
        if word.field is not None and not word.value:
            raise UsageError(f"Which {name}?", _examples(name, of, terms))
        if name != "text" and name in terms:
            raise UsageError(f"{_WRITTEN.get(name, name)}: stands here twice.", "One of each is enough.")
        if word.value:
            terms[name] = f"{terms[name]} {word.value}" if name in terms else word.value
    # Countries first: what a subdivision or a city is called depends on them.
    found: dict[Field, str] = {}
    for name in sorted(terms, key=lambda name: PLACE_FIELDS.index(name) if name in PLACE_FIELDS else len(PLACE_FIELDS)):
        found[name] = _value(name, terms[name], of, _filter(found))
    return _filter({name: found[name] for name in terms})


def written(asked: Filter) -> str:
    """The line that asks for this filter; what a terminal would obey is replaced in it."""
    return " ".join(_written(term) for term in asked.terms)


def complete(line: str, of: Known) -> Completion | None:
    """How the last word of a line may go on: a field, or a value of one; None where nothing begins with it."""
    words = list(_words(line[:LONGEST]))
    if not words or not line.strip() or (line[-1].isspace() and not words[-1].is_quoted):
        return None
    last, before = words[-1], line[: words[-1].start]
    if last.field is None:
        name = next((name for name in FIELDS if name.startswith(last.value.casefold())), None)
        if name is None or not last.value or last.is_quoted:
            return None
        return Completion(f"{before}{last.value}{name[len(last.value) :]}:", f"{before}{name}:")
    asked = FIELDS.get(last.field.casefold())
    if asked is None or asked == "text" or (last.is_quoted and line.endswith('"')):
        return None
    try:
        within = parse(before, of)
    except UsageError:
        within = Filter()
    wanted = last.value.casefold()
    for value in of.of(asked, within):
        for spelt in map(_spelt, (value.value, *value.names)):
            if spelt.casefold().startswith(wanted) and len(spelt.casefold()) == len(spelt):
                term = _written(Term(asked, value.value))
                return Completion(f"{line}{spelt[len(last.value) :]}", f"{before}{term} ")
    return None


def without_begun(line: str) -> str:
    """The line without its last word where that may be the beginning of a field: nobody looks for `count` who types
    `country:`."""
    words = list(_words(line))
    if not words or line[-1:].isspace() or words[-1].field is not None or words[-1].is_quoted:
        return line
    begun = words[-1].value.casefold()
    return line[: words[-1].start] if any(name.startswith(begun) for name in FIELDS) else line


def _words(line: str) -> Iterator[_Word]:
    position = 0
    while line[position:].strip():
        match = _WORD.match(line, position)
        assert match is not None
        position = match.end()
        quoted, bare = match["quoted"], match["bare"]
        value = bare if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted)
        yield _Word(match["field"], value, quoted is not None, match.start("word"))


def _field(word: _Word) -> Field:
    typed = (word.field or "").casefold()
    if typed in FIELDS:
        return FIELDS[typed]
    near = difflib.get_close_matches(typed, FIELDS, n=1)
    hint = f"Did you mean {near[0]}:?" if near else f"There are {', '.join(FIELDS)}."
    raise UsageError(f"There is no field {clean(typed, 40)}.", f'{hint} As a text: "{clean(typed, 40)}:…"')


def _value(name: Field, typed: str, of: Known | None, within: Filter, *, may_begin: bool = True) -> str:
    if name == "text" or (typed == UNKNOWN and name in _MAY_BE_UNKNOWN):
        return typed
    if name == "month":
        return _month(typed, of)
    if of is None:
        return typed
    found = _find(typed, of.of(name, within), may_begin)
    if len(found) == 1:
        return found[0].value
    if name == "country" and not found and (code := _code_of(typed)):
        return code
    if found:
        some = [_called(value) for value in found[:3]]
        raise UsageError(f"{clean(typed, 40)} may be {_either(some, len(found))}.", "Type on.")
    raise UsageError(f"No {name} {clean(typed, 40)} is known.", _hint(name, typed, of, within))


def _month(typed: str, of: Known | None) -> str:
    if of is None:
        return typed
    if not is_month(typed):
        near = difflib.get_close_matches(typed, [value.value for value in of.values.get("month", ())], n=1, cutoff=0)
        raise UsageError(f"{clean(typed, 40)} is no month.", f"Write YYYY-MM, such as {(near or ['2026-11'])[0]}.")
    if of.month and typed > of.month:
        raise UsageError(f"{typed} has not begun.", f"The newest month is {of.month}.")
    return typed


def _hint(name: Field, typed: str, of: Known, within: Filter) -> str:
    """What is near to what is not known, or some of what is."""
    values = of.of(name, within)
    if name == "country":
        values = [*values, *(Value(code, (called,)) for code, called in countries().items())]
        for value in values:  # UK, USA
            if any("".join(word[:1] for word in called.split()) == typed.upper() for called in value.names):
                return f"Did you mean {_called(value)}?"
    folded = {_spelt(s).casefold(): _spelt(s) for value in values for s in (value.value, *value.names)}
    near = difflib.get_close_matches(typed.casefold(), folded, n=3, cutoff=0.6 if name == "country" else 0.5)
    near.sort(key=lambda spelt: spelt[:1] != typed[:1].casefold())
    return f"Did you mean {folded[near[0]]}?" if near else _examples(name, of, {})


def _code_of(typed: str) -> str | None:
    """The code of a country that nobody is in: that was typed, or whose name was."""
    if typed.upper() in countries():
        return typed.upper()
    return next((code for code, name in countries().items() if fold(name) == fold(typed)), None)


def _find(typed: str, values: list[Value], may_begin: bool) -> list[Value]:
    """The values that are meant: what is spelt so, or so but for the case, or called so, or what begins so."""
    wanted = typed.casefold()
    rules: tuple[Callable[[Value], bool], ...] = (
        lambda value: typed in (value.value, _spelt(value.value)),
        lambda value: _spelt(value.value).casefold() == wanted,
        lambda value: any(_spelt(name).casefold() == wanted for name in value.names),
        lambda value: any(_spelt(s).casefold().startswith(wanted) for s in (value.value, *value.names)),
    )
    for rule in rules[: 4 if may_begin and not typed.isdecimal() else 3]:  # a number is a city's whole number, or none
        if found := [value for value in values if rule(value)]:
            return found
    return []


def _examples(name: Field, of: Known | None, terms: Mapping[Field, str]) -> str:
    values = of.of(name, _filter(terms)) if of is not None else []
    some = [_called(value) for value in values[:3]]
    return f"Such as {_either(some, len(values))}." if some else ""


def _called(value: Value) -> str:
    name = next(iter(value.names), "")
    return clean(f"{value.value} ({name})" if name else value.value, 40)


def _either(some: list[str], count: int) -> str:
    if count > len(some):
        return f"{', '.join(some)} or {count - len(some)} more"
    return " or ".join([", ".join(some[:-1]), some[-1]] if len(some) > 1 else some)


def _written(term: Term) -> str:
    value = _spelt(term.value)
    if term.field == "text" and re.fullmatch(r"\S+(?: \S+)*", value):
        if not any(_LOOKS_LIKE_A_TERM.match(word) for word in value.split(" ")):
            return value
    elif value and not re.search(r"\s", value) and not value.startswith('"'):
        return f"{_WRITTEN.get(term.field, term.field)}:{value}"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{_WRITTEN.get(term.field, term.field)}:"{quoted}"'


def _spelt(value: str) -> str:
    """A value as it stands in a line, where nothing may harm a terminal."""
    return clean(value, LONGEST)


def _filter(terms: Mapping[Field, str]) -> Filter:
    return Filter(tuple(Term(name, value) for name, value in terms.items()))


def _asked(asked: Filter, name: Field) -> list[Value]:
    value = asked.value(name)
    return [Value(value)] if value else []
