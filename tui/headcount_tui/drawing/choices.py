"""What the pickers offer: hosts, months, countries. Pure functions of what is shown."""

from collections.abc import Sequence
from typing import NamedTuple

from headcount.figures.tables import name_of
from headcount.figures.totals import month_counts, month_names
from headcount.snapshot import UNKNOWN, Place
from headcount_tui.asked.shown import Shown
from headcount_tui.drawing.render import number


class Choice(NamedTuple):
    """One line to choose: its value in a filter (empty removes the filter), its name, and a note."""

    value: str
    label: str
    note: str = ""


def hosts(shown: Shown) -> list[Choice]:
    """Every host, those with the most users known first."""
    by_size = sorted(shown.whole.hosts.items(), key=lambda item: (-item[1].users_known, item[0]))
    return [
        Choice("", "All hosts", f"{len(by_size)}"),
        *(Choice(host, host, f"{number(counts.users_known)} users") for host, counts in by_size),
    ]


def months(shown: Shown) -> list[Choice]:
    """Every month, the newest first; the current one needs no filter."""
    found = []
    for month in reversed(month_names(shown.whole)):
        counts = month_counts(shown.whole, month)
        note = f"{counts.quality.mark} {number(counts.users)}" if counts else "no users"
        current = month == shown.whole.month
        found.append(Choice("" if current else month, f"{month} so far" if current else month, note))
    return found


def countries(shown: Shown) -> list[Choice]:
    """Every country that any host has ever seen, those with the most users in the month first."""
    users: dict[str | None, int] = {}
    for host in shown.whole.hosts.values():
        for cell in host.active:
            users.setdefault(cell.place.country, 0)
        for month, counts in host.months.items():
            for place, count in (counts.places or {}).items():
                here = count if month == shown.month else 0
                users[place.country] = users.get(place.country, 0) + here
    by_size = sorted(users, key=lambda code: (-users[code], code or UNKNOWN))
    return [
        Choice("", "All countries"),
        *(
            Choice(code or UNKNOWN, _country_name(code, shown), f"{code or UNKNOWN} {number(users[code]):>9}")
            for code in by_size
        ),
    ]


def matching(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """The choices that what was typed may mean, the likeliest first: code, start of name, start of word."""
    wanted = typed.strip().casefold()
    if not wanted:
        return list(choices)

    def rank(choice: Choice) -> int | None:
        label = choice.label.casefold()
        if choice.value.casefold() == wanted:
            return 0
        if label.startswith(wanted):
            return 1
        if any(word.startswith(wanted) for word in label.split()):
            return 2
        return 3 if wanted in label else None

    ranked = [(rank(choice), choice) for choice in choices]
    return [choice for _, choice in sorted((pair for pair in ranked if pair[0] is not None), key=_first)]


def _first(pair: tuple[int | None, Choice]) -> int:
    return pair[0] or 0


def _country_name(code: str | None, shown: Shown) -> str:
    if code is None:
        return "unknown"
    name = name_of(Place(code), shown.whole.names)
    if name != code:
        return name
    finer = (name.country for place, name in shown.whole.names.items() if place.country == code)
    return next((country for country in finer if country), code)
