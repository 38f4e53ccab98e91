"""Each month's users by client as a stacked bar: pure functions, from what is shown to lines of bars."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual.content import Content

from headcount.figures.filters import PLACE_FIELDS
from headcount.figures.totals import at_least, floors, month_counts, month_names
from headcount.snapshot import OTHER, UNKNOWN, Quality
from headcount.text import clean
from headcount_tui.asked.shown import Shown, quality_of
from headcount_tui.drawing.lines import term_name
from headcount_tui.drawing.render import MUTED, STRONG, number, outside

# A segment's ground and the ink on it, for the largest clients in their order; then for the rest, and the unknown.
_PAINTS = (
    *(f"$text-{name} on ${name}-muted" for name in ("primary", "success", "accent", "error", "secondary")),
    "$foreground on $foreground 20%",
)
_REST, _UNKNOWN = "$text on $panel", f"{MUTED} on $surface"
_HERE, _EDGE = "▸", "▏"


class Share(NamedTuple):
    """A client's part of a month's users, 0 to 1."""

    client: str
    share: float


class Stack(NamedTuple):
    """One month; `users` and `shares` are None where they are not known under the filter. `is_floor` says that each
    client's share is at least this much, since some of its users may be counted with others."""

    month: str
    users: int | None
    quality: Quality | None
    shares: tuple[Share, ...] | None
    is_floor: bool = False


def stacks(shown: Shown, height: int) -> list[Stack]:
    """The newest months, the newest first, as many as `height`; at their end that shown, where it is older."""
    names = [
        month
        for month in reversed(month_names(shown.whole))
        if any(month in shown.whole.hosts[host].months for host in shown.cut.hosts)
    ]
    first = max(0, names.index(shown.month) + 1 - height) if shown.month in names else 0
    found = []
    for month in names[first : first + height]:
        counts = month_counts(shown.cut, month)
        if counts is None or counts.clients is None:
            found.append(Stack(month, counts.users if counts else None, counts.quality if counts else None, None))
            continue
        everyone = sum(counts.clients.values())
        shares = tuple(Share(client, users / everyone) for client, users in counts.clients.items() if users)
        is_floor = shown.whole.anonymity is not None and OTHER in counts.clients
        if month in floors(shown.cut):
            shares = ()  # their total is withheld
        found.append(Stack(month, counts.users, quality_of(shown, month, counts), shares, is_floor))
    return found


def order(found: Sequence[Stack]) -> list[str]:
    """The clients in the order of every bar: the largest over these months, then the rest as one, then the unknown."""
    sizes: dict[str, float] = {}
    for stack in found:
        for client, share in stack.shares or ():
            sizes[client] = sizes.get(client, 0) + share * (stack.users or 0)
    named = sorted(sizes.keys() - {UNKNOWN, OTHER}, key=lambda client: (-sizes[client], client))
    has_rest = len(named) > len(_PAINTS) or OTHER in sizes
    return [*named[: len(_PAINTS)], *([OTHER] if has_rest else []), *([UNKNOWN] if UNKNOWN in sizes else [])]


def letters(clients: Iterable[str]) -> dict[str, str]:
    """A sign of one cell for each client, of its own: the first of its letters that is free, else a digit."""
    found: dict[str, str] = {}
    for client in clients:
        own = (
            ["…"]
            if client == OTHER
            else [sign for sign in client if sign.isascii() and (sign.isalnum() or sign == "?")]
        )
        taken = set(found.values())
        found[client] = next((sign for sign in [*own, *"123456789"] if sign not in taken), "#")
    return found


def widths(shares: Sequence[float], width: int) -> list[int]:
    """Whole cells for shares that add up to 1: `width` in all, each at most a cell off."""
    exact = [share * width for share in shares]
    cells = [int(value) for value in exact]
    by_rest = sorted(range(len(exact)), key=lambda index: (cells[index] - exact[index], index))
    for index in by_rest[: max(0, width - sum(cells))]:
        cells[index] += 1
    return cells


def draw_stacks(shown: Shown, width: int, height: int) -> list[Content]:
    """A line of title and legend where there is room for three bars below, and a line a month."""
    head = 1 if height > 3 else 0
    found = stacks(shown, height - head)
    clients = order(found)
    signs = letters(clients)
    has_users = width >= 72
    marks = max((len(stack.quality.mark) for stack in found if stack.quality), default=0)
    room = width - 9 - (11 if has_users else 0) - (marks + 1 if marks else 0)
    lines, alone = [], set[str]()
    for stack in found:
        bar, signed = _bar(stack, clients, signs, max(0, room))
        alone |= signed
        is_here = stack.month == shown.month
        month = Content.styled(f"{_HERE if is_here else ' '}{stack.month} ", STRONG if is_here else MUTED)
        mark = Content.styled(stack.quality.mark if stack.quality else "", MUTED)
        users = Content.styled(number(stack.users) if has_users else "", STRONG if is_here else "")
        end = Content(" ").join(part for part in (mark, users) if part.plain)
        lines.append(Content.assemble(month, bar, end.right(width - 9 - max(0, room))))
    if head and lines:
        lines.insert(0, _head([client for client in clients if client in alone], signs, clients, _where(shown), width))
    return lines


def _bar(stack: Stack, clients: Sequence[str], signs: Mapping[str, str], width: int) -> tuple[Content, set[str]]:
    """One month's bar, and the clients that it shows by their letters alone."""
    if stack.shares is None:
        return Content.styled("not known by client under this filter".ljust(width)[:width], MUTED), set()
    if not stack.shares:
        why = "shares are withheld" if stack.users else "no users"
        return Content.styled(why.ljust(width)[:width], MUTED), set()
    sizes = dict.fromkeys(clients, 0.0)
    for client, share in stack.shares:
        sizes[client if client in sizes else OTHER] += share
    parts, alone = [], set()
    for index, (client, cells) in enumerate(zip(clients, widths(list(sizes.values()), width), strict=True)):
        words = _words(client, sizes[client], signs[client], cells - 1, stack.is_floor and client != OTHER)
        if cells and signs[client] == words.strip() != client:
            alone.add(client)
        text = outside((_EDGE + words if cells > 1 else signs[client])[:cells])
        if cells == 1:
            alone.add(client)
        parts.append(text.truncate(cells, pad=True).stylize_before(_paint(client, index)))
    return Content("").join(parts), alone


def _words(client: str, share: float, sign: str, room: int, is_floor: bool) -> str:
    """As much of name and share as there is room for."""
    percent = at_least(f"{int(100 * share) if is_floor else round(100 * share)} %", is_floor)
    name = f"{UNKNOWN} unknown" if client == UNKNOWN else client
    for words in (f"{name} {percent}", name, f"{sign} {percent}", sign):
        if cell_len(clean(words)) <= room:
            return words
    return ""


def _paint(client: str, index: int) -> str:
    return _UNKNOWN if client == UNKNOWN else _REST if client == OTHER else _PAINTS[index]


def _head(alone: Sequence[str], signs: Mapping[str, str], clients: Sequence[str], where: str, width: int) -> Content:
    """What the bars are, and what the letters that stand alone in them mean."""
    parts = []
    for client in alone:
        name = "unknown" if client == UNKNOWN else client
        sign = outside(f" {signs[client]} ").stylize_before(_paint(client, list(clients).index(client)))
        parts.append(Content.assemble(sign, " ", outside(name, MUTED).truncate(16, ellipsis=True)))
    for title in ("shares of the clients by month", "shares by month", "shares"):
        line = Content("  ").join([Content.assemble((title, MUTED), outside(where)), *parts])
        if line.cell_length <= width:
            break
    return line.truncate(width, ellipsis=True)


def _where(shown: Shown) -> str:
    """` · Germany`: the place that the shares are of, as finely as it is asked for."""
    places = [term for term in shown.asked.filter.terms if term.field in PLACE_FIELDS]
    finest = max(places, key=lambda term: PLACE_FIELDS.index(term.field), default=None)
    return f" · {term_name(finest, shown.asked.filter, shown.whole)}" if finest else ""
