"""The single lines of the screen: head, tabs, filters, keys. Pure functions of what is shown."""

from collections.abc import Sequence
from datetime import datetime
from math import floor

from textual.content import Content

from headcount.figures.filters import PLACE_FIELDS, Filter, Term
from headcount.figures.totals import Share, at_least, floors, hidden
from headcount.figures.totals import users_known as count_known
from headcount.snapshot import UNKNOWN, Phase, Place, PlaceName, ProblemGroup, Snapshot
from headcount.zones import zone_of
from headcount_tui.asked.keys import KEPT, Action, Where
from headcount_tui.asked.shown import Shown, Tab, known, urgent
from headcount_tui.drawing.month_facts import came_and_went, month_change, open_sessions
from headcount_tui.drawing.news_words import words
from headcount_tui.drawing.render import (
    ACCENT,
    BAD,
    GOOD,
    KEY,
    MUTED,
    RULE,
    STRONG,
    WARNING,
    Piece,
    change,
    fit,
    gauge,
    line_width,
    link,
    number,
    outside,
    percent,
    share_known,
    spread,
    trend,
)
from headcount_tui.failure import Failure


def status(shown: Shown, width: int) -> Content:
    """Whose figures these are, from where, how fresh, and what is wrong with them."""
    left = [
        Piece(3, Content.styled("headcount", KEY)),
        Piece(9, hosts_shown(shown)),
        Piece(6, _tail(shown.whole.source, max(16, width // 3))),
    ]
    right = [
        Piece(10, state(shown)),
        Piece(2, users_known(shown)),
        Piece(1, outside(shown.whole.geo, MUTED)),
        Piece(8, problems(shown)),
        Piece(8, anonymity(shown)),
        Piece(7, zone_and_time(shown)),
    ]
    kept = fit([*left, *right], width - 2)
    return Content.assemble(
        " ",
        spread(
            [content for content in kept if any(content is piece.content for piece in left)],
            [content for content in kept if any(content is piece.content for piece in right)],
            width - 2,
        ),
        " ",
    )


def hosts_shown(shown: Shown) -> Content:
    """The host whose users are shown, or how many there are."""
    wanted = shown.asked.filter.value("host")
    hosts = shown.whole.hosts
    if wanted is None and len(hosts) == 1:
        wanted = next(iter(hosts))
    if wanted is not None:
        return outside(wanted, STRONG).truncate(32, ellipsis=True)
    return Content.styled(f"all {len(hosts)} hosts" if hosts else "no host yet", STRONG)


def state(shown: Shown) -> Content:
    """What the engine does: a sign and a word, and a colour that says it again."""
    phase = shown.whole.phase
    if shown.asked.paused:
        return link("‖ paused", "screen.pause", WARNING)
    if phase is Phase.LIVE and urgent(shown.whole):
        return Content.styled("✖ problem", BAD)
    if phase is Phase.STOPPED or (phase is Phase.LIVE and not shown.settled):
        return Content.styled("■ stopped", BAD)
    if phase is Phase.SCANNING:
        return Content.styled("◐ scanning", WARNING)
    if phase is Phase.WAITING:
        return Content.styled("○ waiting", WARNING)
    return Content.styled("● live", GOOD)


def users_known(shown: Shown) -> Content:
    """How many users there are, where no filter asks for fewer than a whole host."""
    if not shown.asked.filter.wants_whole_hosts:
        return Content("")
    if "users_known" in hidden(shown.cut):
        return Content("")
    total = at_least(number(count_known(shown.cut)), "users_known" in floors(shown.cut))
    return Content.styled(f"{total} users known", MUTED)


def anonymity(shown: Shown) -> Content:
    """Below how many users no group is shown; empty where every figure is exact."""
    least = shown.whole.anonymity
    return Content("") if least is None else Content.styled(f"k-anonymous, min_count {least}", STRONG)


def problems(shown: Shown) -> Content:
    """How many kinds of problems the data has; a click shows them."""
    count = len(shown.whole.problems)
    if shown.whole.anonymity is not None:  # they are for the operator alone
        return Content("")
    if not count:
        return Content.styled("no problems", MUTED)
    return link(f"⚠ {count} problem{'s' if count > 1 else ''} !", "screen.problems", WARNING)


def zone_and_time(shown: Shown) -> Content:
    """The time zone of the months, and the minute of the newest figures."""
    moment = datetime.fromtimestamp(shown.whole.generated_at, zone_of(shown.whole.timezone))
    return Content.assemble((f"{shown.whole.timezone} ", MUTED), moment.strftime("%H:%M"))


def banner(failure: Failure | None, problems: Sequence[ProblemGroup]) -> Content:
    """What stands in the way of newer figures, and how to fix it; empty where nothing does."""
    found = [(failure.message, failure.hint)] if failure is not None else []
    found += [(f"{problem.what}: {problem.example}".removesuffix(": "), problem.why) for problem in problems]
    return Content("\n").join(
        Content.assemble(
            ("✖ ", BAD), outside(message, BAD), Content.assemble("\n  ", outside(fix, MUTED)) if fix else ""
        )
        for message, fix in found
    )


def scan(shown: Shown, width: int) -> Content:
    """How far the scan is, as a bar where its end is known; and what is right already."""
    progress = shown.whole.progress
    if progress is None:
        return Content.styled(" scanning …", WARNING)
    if not progress.total:
        return Content.styled(f" scanning  {number(progress.done)} users so far", WARNING)
    share = min(1.0, progress.done / progress.total)
    of_all = f"{number(progress.done)} of {number(progress.total)} users"
    if progress.active_done:
        words = (
            f" active users are exact, reading older months  {of_all} " if width >= 100 else f" older months  {of_all} "
        )
    else:
        words = f" scanning  {of_all} "
    figure = f" {share_known(share)} "
    return Content.assemble(
        (words, WARNING), gauge(share, max(0, width - len(words) - len(figure))), (figure, WARNING)
    ).truncate(width)


def tabs(shown: Shown, width: int) -> Content:
    """The views to choose from, and the month between the keys that change it."""
    names = []
    for index, tab in enumerate(Tab, start=1):
        here = tab is shown.asked.tab
        text = f" {index} {tab.label} " if here else f"{index} {tab.label}" if width >= 78 else f" {index} "
        names.append(link(text, f"screen.show_tab('{tab.value}')", f"{STRONG} reverse" if here else MUTED))
    gap = 2 if width >= 100 else 1 if width >= 78 else 0
    month = Content.assemble(
        link("[ ", "screen.shift_month(-1)", KEY),
        link(shown.month, "screen.pick_month", STRONG),
        (" so far" if shown.is_current and width >= 100 else "", MUTED),
        link(" ]", "screen.shift_month(1)", KEY),
    )
    for shorter in (month[2:9], Content("")):  # the title below says it too
        if line_width([*names, month], gap) > width - 2:
            month = shorter
    return Content.assemble(" ", spread(names, [month], width - 2, gap), " ")


def table_title(shown: Shown, counted: str, width: int, is_brief: bool = False) -> Content:
    """A rule with what the table is of on its left, and its number of rows on its right; `is_brief` where the month
    has a box that shows the rest."""
    pieces = month_pieces(shown, width, is_brief)
    kept = fit([*pieces, Piece(1, Content.styled(counted, MUTED))], width - 9)
    end = kept.pop() if counted and kept[-1].plain == counted else Content("")
    start = Content("  ").join(kept)
    rule = "─" * max(2, width - start.cell_length - end.cell_length - (8 if end.plain else 5))
    parts: list[str | Content | tuple[str, str]] = [("── ", RULE), start, " ", (rule, RULE)]
    if end.plain:
        parts += [" ", end, (" ──", RULE)]
    return Content.assemble(*parts).truncate(width)


def month_pieces(shown: Shown, width: int, is_brief: bool = False) -> list[Piece]:
    """The month, its users and how true they are, how they change, and what is known of them."""
    if shown.asked.tab is Tab.MONTHS:
        return [Piece(9, Content("all months"))]
    month = Piece(9, Content.assemble(shown.month, (" so far" if shown.is_current else "", MUTED)))
    if shown.counts is None:
        return [month]
    users, mark = number(shown.counts.users), shown.counts.quality.mark
    marked = f"{users} month users, imported" if mark == "imported" else f"{mark} {users} month users"
    pieces = [month, Piece(8, Content.styled(marked, STRONG))]
    goes = None if is_brief else month_change(shown)
    moved = Content("") if is_brief else came_and_went(shown, 28)
    if goes is not None:
        # Against the month before is understood, where it is that or who came and went.
        against = f" vs {goes[1]}" if width >= 100 or (width >= 72 and not moved.plain) else ""
        pieces.append(Piece(7, Content.assemble(goes[0], (against, MUTED))))
    pieces.append(Piece(6, moved))
    share = known(shown)
    if share.places is not None:
        pieces.append(Piece(3, Content.styled(f"places known {_known(share.places)}", MUTED)))
    if share.clients is not None:
        pieces.append(Piece(2, Content.styled(f"clients {_known(share.clients)}", MUTED)))
    return pieces


def _known(share: Share) -> str:
    return at_least(share_known(floor(100 * share.share) / 100 if share.is_floor else share.share), share.is_floor)


def filters(shown: Shown, width: int) -> Content:
    """The filters that hold, each with a cross to remove it."""
    terms = shown.asked.filter.terms
    if not terms:
        room = width - len(" no filter  ") - 1
        return Content.assemble(spread([Content.styled(" no filter", MUTED)], [newest(shown, room)], width - 1), " ")
    pieces = [
        Content.assemble(
            (f"{term.field} ", MUTED),
            outside(term_name(term, shown.asked.filter, shown.whole), ACCENT).truncate(32, ellipsis=True),
            link(" ✕", f"screen.drop('{term.field}')", MUTED),
        )
        for term in terms
    ]
    # The newest is the one that Escape removes, so it is the last to go where room is short.
    kept = fit([Piece(index, content) for index, content in enumerate(pieces)], width - 12, gap=3)
    hidden = len(pieces) - len(kept)
    more = [Content.styled(f"+{hidden}", MUTED)] if hidden else []
    back = link("Esc back", "screen.drop_last", MUTED)
    taken = line_width([*more, *kept], 3) + back.cell_length + 7
    end = Content("   ").join(piece for piece in (newest(shown, width - taken), back) if piece.plain)
    return Content.assemble(
        " ",
        spread(
            [Content("   ").join([*more, *kept])],
            [end],
            width - 2,
        ),
        " ",
    )


def newest(shown: Shown, room: int) -> Content:
    """The newest of what happened; nothing where there is no room for it."""
    if not shown.happened or shown.asked.tab is Tab.LIVE:
        return Content("")
    found = words(shown.happened[-1], shown.whole)
    return found if found.cell_length <= room else Content("")


def term_name(term: Term, asked: Filter, snapshot: Snapshot) -> str:
    """A filter's value as people call it: `Germany` for `DE`."""
    if term.value == UNKNOWN:
        return "? unknown"
    if term.field in PLACE_FIELDS:
        depth = PLACE_FIELDS.index(term.field)
        name = _find_name(tuple(asked.value(field) for field in PLACE_FIELDS[: depth + 1]), snapshot)
        return name[depth] or term.value
    return term.value


def _find_name(wanted: tuple[str | None, ...], snapshot: Snapshot) -> PlaceName:
    """The names of any place that these parts lead to."""
    parts = (*(None if part == UNKNOWN else part for part in wanted), None, None)
    city = int(parts[2]) if parts[2] is not None and parts[2].isdecimal() else None
    exact = snapshot.names.get(Place(parts[0], parts[1], city))
    if exact is not None and exact[len(wanted) - 1]:
        return exact
    for place, name in snapshot.names.items():
        if all(want is None or str(part) == want for want, part in zip(wanted, place, strict=False)):
            return name
    return PlaceName()


def keys(actions: Sequence[Action], _shown: Shown, width: int) -> Content:
    """The line of keys: as many as there is room for, and help and quit in any case."""
    shown = [action for action in actions if action.short]
    pieces = [
        Piece(
            len(shown) + 1 if action.name in KEPT else len(shown) - index,
            Content.assemble(link(action.sign, _target(action.name), KEY), (f" {action.short}", MUTED)),
        )
        for index, action in enumerate(shown)
        if action.where is not Where.DIALOG
    ]
    return Content.assemble(" ", Content("  ").join(fit(pieces, width - 2)), " ").truncate(width)


def _target(action: str) -> str:
    return action if action.startswith("app.") else f"screen.{action}"


def figures_line(shown: Shown, width: int) -> Content:
    """DAU, WAU and MAU on one line, for where there is no room for three boxes."""
    long, short = [], []
    open_now = [Content.styled(text, MUTED) for text in [open_sessions(shown, 0)] if text]
    for figure in shown.figures:
        text, style = change(figure.users, figure.before)
        users = at_least(number(figure.users), figure.is_floor)
        start = Content.assemble((f"{figure.window.name} ", MUTED), (users, STRONG))
        long.append(Content.assemble(start, (f" {text}" if text else "", style)))
        short.append(Content.assemble(start, (f" {trend(figure.users, figure.before)}", style)))
    for gap, pieces in ((4, [*long, *open_now]), (2, [*short, *open_now]), (4, short), (2, short)):
        line = Content(" " * gap).join(pieces)
        if line.cell_length <= width - 2:
            break
    return Content.assemble(" ", line).truncate(width, ellipsis=True)


def of_mau(shown: Shown, index: int, width: int) -> str:
    """What share of the MAU is active in a shorter window, of which the DAU's is the stickiness; empty for the MAU, and
    while neither is whole."""
    part, whole = shown.figures[index].users, shown.figures[-1].users
    not_whole = any(figure.is_partial or figure.is_floor for figure in shown.figures)
    if index == len(shown.figures) - 1 or part is None or not whole or not_whole:
        return ""
    share = percent(part / whole)
    texts = ([f"stickiness {share} of MAU", f"stickiness {share}"] if index == 0 else []) + [f"{share} of MAU"]
    return next((text for text in texts if len(text) <= width), share)


def _tail(path: str, width: int) -> Content:
    """A path, its end kept where it is too long: the end says more."""
    text = outside(path, MUTED)
    if text.cell_length <= width:
        return text
    return Content.assemble(("…", MUTED), text[len(text.plain) - width + 1 :])
