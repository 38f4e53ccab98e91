"""What is told of all hosts together: not the sum of what each can tell; and that nobody follows from the two."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import FRANKFURT, MUNICH, NOWHERE, PARIS, SINGAPORE, flat, snapshot
from test_anonymity_attacked import Told, leaks, min_counts, small_snapshots

from headcount.figures.anonymity import anonymous, narrowed, to_report
from headcount.figures.filters import Filter, only_hosts
from headcount.figures.tables import client_rows, country_rows, place_rows
from headcount.figures.totals import figures, floors, known_of, month_counts, sum_active, total_active, users_known
from headcount.outputs.as_html import to_html
from headcount.outputs.as_json import to_json
from headcount.outputs.as_table import to_table
from headcount.snapshot import OTHER, Active, Cell, HostCounts, MonthCounts, Place, Quality, Snapshot

JAPAN, BRAZIL = Place("JP"), Place("BR")
REST = Cell(Place(OTHER), OTHER)
NOVEMBER = "2026-11"


def month_of(cells: dict[Cell, int]) -> MonthCounts:
    return MonthCounts.of(Quality.EXACT, cells)


def host_of(cells: dict[Cell, int], known: int = 0) -> HostCounts:
    """A host whose month's users are all active in 30 days, half of them in 7, a quarter today."""
    active = {cell: Active(users // 4, users // 2, users) for cell, users in cells.items()}
    return HostCounts(known or sum(cells.values()), active, {NOVEMBER: month_of(cells)})


def small_host(number: int) -> HostCounts:
    """Three users, of whom one or two are in Germany."""
    cells = {Cell(FRANKFURT, "Dino"): 1, Cell(PARIS, "Gajim"): 1, Cell(NOWHERE if number % 2 else MUNICH, "?"): 1}
    return host_of(cells)


def many_hosts(small: int = 100) -> Snapshot:
    """Hosts none of which has five users of anything, and some that have five of nothing but of all."""
    hosts = {f"small{number}.example": small_host(number) for number in range(small)}
    spread = {Cell(place, client): 2 for place in (FRANKFURT, PARIS, JAPAN, BRAZIL) for client in ("Dino", "Gajim")}
    hosts |= {f"middle{number}.example": host_of(spread) for number in range(10)}
    return snapshot(hosts)


def by_country(shown: Snapshot) -> dict[str, tuple[int | None, float | None, bool]]:
    return {row.label: (row.users, row.share, row.is_floor) for row in country_rows(shown, NOVEMBER)}


# What is shown of several hosts.


def test_a_country_of_many_small_hosts_is_told_with_all_its_users() -> None:
    exact, shown = many_hosts(), anonymous(many_hosts(), 5)
    counts = month_counts(shown, NOVEMBER)
    assert counts is not None
    assert (counts.users, counts.quality) == (460, Quality.EXACT)
    assert by_country(shown) == by_country(exact)
    assert by_country(shown)["Germany"] == (190, 190 / 460, False)
    assert [row.users for row in client_rows(shown, NOVEMBER)] == [row.users for row in client_rows(exact, NOVEMBER)]
    assert total_active(shown)[:3] == total_active(exact)[:3]
    assert users_known(shown) == users_known(exact) == 460
    assert floors(shown) == frozenset()


def test_so_it_is_in_every_form_that_shows_sums() -> None:
    shown = anonymous(many_hosts(), 5)
    assert "Germany" in to_table(shown)
    assert [line.split() for line in to_table(shown).splitlines() if line.startswith("Germany  ")] == [
        ["Germany", "190", "41.3%"]
    ]
    assert "2026-11 so far: = 460 month users" in to_table(shown)
    page = to_html(shown)
    assert "<strong>460</strong> month users" in page
    assert "no total is changed" not in page
    assert '<th scope="row">Germany</th><td class="n">190</td><td class="n">41.3%</td>' in page


def test_hosts_of_too_few_that_are_too_few_together_leave_the_sums_at_least_so_many() -> None:
    large = host_of({Cell(FRANKFURT, "Dino"): 60, Cell(PARIS, "Dino"): 40})
    shown = anonymous(snapshot({"large": large, "tiny": host_of({Cell(FRANKFURT, "Dino"): 3})}), 5)
    counts = month_counts(shown, NOVEMBER)
    assert counts is not None
    assert (counts.users, counts.quality) == (100, Quality.LOWER_BOUND)
    assert floors(shown) == {NOVEMBER, "7d", "30d", "users_known"} | floors(shown)
    assert [(row.users, row.share, row.is_floor) for row in country_rows(shown, NOVEMBER)] == [
        (60, None, True),  # of how many is not told
        (40, None, True),
    ]
    assert "2026-11 so far: ≥ 100 month users" in to_table(shown)
    assert "≥ 100 users known" in to_table(shown)
    assert "MAU  ≥ 100" in to_table(shown)
    assert shown.hosts["large"].months[NOVEMBER].users == 100
    assert NOVEMBER not in shown.hosts["tiny"].months
    page = to_html(shown)
    assert "<strong>≥ 100</strong> month users, a lower bound: at least so many." in page
    assert "≥ 100 users known" in page


def test_a_host_that_tells_most_by_name_keeps_its_own_table() -> None:
    large = host_of({Cell(FRANKFURT, "Dino"): 60, Cell(PARIS, "Dino"): 40, Cell(SINGAPORE, "Dino"): 2})
    alone, among = anonymous(snapshot({"a": large}), 5), anonymous(snapshot({"a": large, **many_hosts().hosts}), 5)
    assert among.hosts["a"] == alone.hosts["a"]
    told_middle = among.hosts["middle0.example"].months[NOVEMBER]
    assert (told_middle.users, told_middle.cells) == (16, {REST: 16})


def test_a_country_that_some_hosts_tell_with_others_has_at_least_so_many() -> None:
    large = host_of({Cell(FRANKFURT, "Dino"): 90, Cell(PARIS, "Dino"): 3, Cell(JAPAN, "Dino"): 2})
    other = host_of({Cell(PARIS, "Dino"): 50, Cell(FRANKFURT, "Dino"): 20})
    shown = anonymous(snapshot({"a": large, "b": other}), 5)
    rows = {row.label: (row.users, row.is_floor) for row in country_rows(shown, NOVEMBER)}
    assert rows == {"Germany": (110, False), "France": (50, True), OTHER: (5, False)}
    assert "≥ 50" in to_table(shown)
    assert "≥ 30.3%" in to_table(shown)
    assert "66.7%" in to_table(shown)


def test_of_some_hosts_and_of_some_users_there_are_at_least_so_many() -> None:
    shown = anonymous(many_hosts(), 5)
    two = only_hosts(shown, ["middle0.example", "middle1.example"])
    assert (month_counts(two, NOVEMBER) or MonthCounts.of(Quality.EXACT, {})).quality is Quality.LOWER_BOUND
    one = narrowed(shown, Filter().having("host", "middle0.example"))
    assert (one.total, month_counts(one, NOVEMBER)) == (None, shown.hosts["middle0.example"].months[NOVEMBER])
    dino = narrowed(shown, Filter().having("client", "Dino"))
    counts = month_counts(dino, NOVEMBER)
    assert counts is not None
    assert (counts.users, counts.quality) == (180, Quality.LOWER_BOUND)
    assert all(figure.is_floor for figure in figures(dino) if figure.users is not None)


def test_a_client_asked_for_is_told_as_at_least_so_many_also_of_one_host() -> None:
    cells = {Cell(FRANKFURT, "Dino"): 40, Cell(PARIS, "Dino"): 3, Cell(PARIS, "Gajim"): 9}
    shown = to_report(snapshot({"a": host_of(cells)}), Filter().having("client", "Dino"), 5)
    assert (shown.hosts["a"].months[NOVEMBER].users, shown.hosts["a"].months[NOVEMBER].quality) == (
        40,
        Quality.LOWER_BOUND,
    )
    germany = to_report(snapshot({"a": host_of(cells)}), Filter().having("country", "DE"), 5)
    assert germany.hosts["a"].months[NOVEMBER].quality is Quality.EXACT


# What is known of them.


def test_those_who_are_told_as_others_are_not_known() -> None:
    cells = {Cell(FRANKFURT, "Dino"): 62, Cell(PARIS, "?"): 35, Cell(PARIS, "Gajim"): 3}
    exact, shown = snapshot({"a": host_of(cells)}), anonymous(snapshot({"a": host_of(cells)}), 5)
    assert known_of(exact, NOVEMBER).clients == (0.65, False)
    assert known_of(shown, NOVEMBER).clients == (0.62, True)
    assert "The country is known of 100%, the client is known of at least 62% of them." in to_html(shown)
    assert "client is known of 65%" in to_html(exact)


def test_of_a_month_that_lacks_users_no_part_is_told() -> None:
    large = host_of({Cell(FRANKFURT, "Dino"): 60, Cell(PARIS, "?"): 40})
    shown = anonymous(snapshot({"large": large, "tiny": host_of({Cell(FRANKFURT, "Dino"): 3})}), 5)
    assert known_of(shown, NOVEMBER) == (None, None)
    assert "is known of" not in to_html(shown)


def test_nearly_all_is_not_all() -> None:
    shown = snapshot({"a": host_of({Cell(FRANKFURT, "Dino"): 999, Cell(FRANKFURT, "?"): 1})})
    assert "The country is known of 100%, the client is known of 99% of them." in to_html(shown)


def test_the_place_around_is_not_taken_for_all_of_it() -> None:
    cells = {Cell(FRANKFURT, "Dino"): 20, Cell(MUNICH, "Dino"): 2, Cell(Place("DE"), "Dino"): 4}
    shown = anonymous(snapshot({"a": host_of(cells)}), 5)
    assert {row.label: (row.users, row.is_floor) for row in place_rows(shown, NOVEMBER)} == {
        "Frankfurt am Main, Hesse, Germany": (20, True),
        "Germany (somewhere)": (6, False),
    }
    assert {row.label: (row.users, row.is_floor) for row in country_rows(shown, NOVEMBER)} == {"Germany": (26, False)}


# The attacker, who has what is told of each host and of all together.

several = small_snapshots.filter(lambda shown: len(shown.hosts) > 1) | st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]),
    small_snapshots.map(lambda shown: next(iter(shown.hosts.values()))),
    min_size=2,
).map(snapshot)


def of_month(shown: Snapshot, name: str) -> list[Told]:
    """The numbers of one month. A host with a table of its own has that in the sums as it is; how those of the others
    are parted does not follow, so that each may have users of each group of the sums."""
    assert shown.total is not None
    together = shown.total.months.get(name)
    hosts = {host: counts.months[name] for host, counts in shown.hosts.items() if name in counts.months}
    tables = {host: month.cells for host, month in hosts.items() if month.cells and set(month.cells) != {REST}}
    pool = [*(host for host in hosts if host not in tables), "hidden"]
    if together is None or together.cells is None:
        return []
    groups = [*together.cells, "nobody"]
    numbers = []
    for host, cells in tables.items():
        numbers += [Told(frozenset([(host, cell)]), users) for cell, users in cells.items()]
        numbers.append(Told(frozenset((host, cell) for cell in cells), hosts[host].users))
    for host in pool:
        if host in hosts:
            numbers.append(Told(frozenset((host, group) for group in groups), hosts[host].users))
    everyone = set[tuple[object, ...]]()
    for group in together.cells:
        whom = {(host, group) for host in pool} | {(host, group) for host, cells in tables.items() if group in cells}
        numbers.append(Told(frozenset(whom), together.cells[group]))
        everyone |= whom
    numbers.append(Told(frozenset(everyone), together.users))
    return numbers


def sums_of_parts(shown: Snapshot, min_count: int) -> list[int]:
    """Of each figure: what is left of the sum without the hosts that tell theirs."""
    assert shown.total is not None
    left = []
    windows = ("1d", "7d", "30d")
    told = {host: dict(zip(windows, sum_active(c.active.values()), strict=False)) for host, c in shown.hosts.items()}
    everyone = dict(zip(windows, sum_active(shown.total.active.values()), strict=False))
    exact = [window for window in windows if window not in shown.total.hidden | shown.total.floors]
    hiding = {window: {host for host, c in shown.hosts.items() if window in c.hidden} for window in windows}

    def of(window: str, hosts: set[str]) -> int:
        """The users of hosts of whom nobody tells: all, without the others."""
        return everyone[window] - sum(told[host][window] for host in told.keys() - hosts)

    for window in exact:
        left.append(of(window, hiding[window]))
        for outer in exact[exact.index(window) + 1 :]:
            hosts = hiding[window] | hiding[outer]
            left += [everyone[outer] - everyone[window], of(outer, hosts) - of(window, hosts)]
        for other in windows:
            if other != window:  # what of the same hosts the one tells of each and the other of all
                known = [host for host in hiding[window] if host not in hiding[other]]
                left.append(abs(of(window, hiding[window]) - sum(told[host][other] for host in known)))
    for name, month in shown.total.months.items():
        if name not in shown.total.floors:
            left.append(month.users - sum(c.months[name].users for c in shown.hosts.values() if name in c.months))
    if not {"users_known"} & (shown.total.hidden | shown.total.floors):
        left.append(shown.total.users_known - sum(counts.users_known for counts in shown.hosts.values()))
    return [users for users in left if not (users == 0 or users >= min_count)]


@settings(max_examples=300, deadline=None)
@given(several, min_counts)
def test_no_group_of_too_few_follows_from_hosts_and_their_sums(shown: Snapshot, min_count: int) -> None:
    folded = anonymous(shown, min_count)
    assert folded.total is not None
    for name in folded.total.months:
        assert leaks(of_month(folded, name), min_count) == []
    assert sums_of_parts(folded, min_count) == []
    for counts in (folded.total, *folded.hosts.values()):
        for month in counts.months.values():
            for margin in (month.cells, month.places, month.clients):
                assert min((margin or {}).values(), default=min_count) >= min_count
        for active in counts.active.values():
            assert all(users == 0 or users >= min_count for users in active)


def test_the_attacker_finds_what_is_there_to_find() -> None:
    """The fold of all hosts' sum beside hosts that tell their own: three Germans of the second follow."""
    large = host_of({Cell(FRANKFURT, "Dino"): 60, Cell(PARIS, "Dino"): 40})
    small = host_of({Cell(FRANKFURT, "Dino"): 3, Cell(PARIS, "Dino"): 9})
    shown = anonymous(snapshot({"a": large, "b": small}), 5)
    sums = anonymous(snapshot({"all": host_of({Cell(FRANKFURT, "Dino"): 63, Cell(PARIS, "Dino"): 49})}), 5)
    assert leaks(of_month(replace(shown, total=sums.hosts["all"]), NOVEMBER), 5)
    assert not leaks(of_month(shown, NOVEMBER), 5)
    tiny = anonymous(snapshot({"a": large, "tiny": host_of({Cell(PARIS, "Dino"): 3})}), 5)
    assert sums_of_parts(replace(tiny, total=host_of({Cell(FRANKFURT, "Dino"): 60, Cell(PARIS, "Dino"): 43})), 5)


@given(several, min_counts)
def test_a_sum_is_never_more_than_there_are_and_all_of_them_unless_it_says_so(shown: Snapshot, min_count: int) -> None:
    folded = anonymous(shown, min_count)
    lacking = floors(folded)
    for name in {name for counts in shown.hosts.values() for name in counts.months}:
        before, after = month_counts(shown, name), month_counts(folded, name)
        assert before is not None
        if after is None:
            assert before.users < min_count or all(
                counts.months[name].users < min_count for counts in _with(shown, name)
            )
            continue
        assert after.users == before.users or (after.users < before.users and name in lacking)
        for rows, exact in ((country_rows(folded, name), country_rows(shown, name)),):
            true = {row.key: row.users or 0 for row in exact}
            for row in rows:
                if row.key != Place(OTHER) and row.users is not None and after.quality is not Quality.LOWER_BOUND:
                    assert row.users == true[row.key] or (row.is_floor and row.users < true[row.key])
    was, now = total_active(shown), total_active(folded)
    for window, old, new in zip(("1d", "7d", "30d"), was, now, strict=False):
        if window not in (folded.total or HostCounts()).hidden:
            assert new == old or (new < old and window in lacking)


def _with(shown: Snapshot, name: str) -> Iterable[HostCounts]:
    return (counts for counts in shown.hosts.values() if name in counts.months)


@given(several, min_counts)
def test_a_host_tells_what_it_tells_alone_or_its_totals(shown: Snapshot, min_count: int) -> None:
    among = anonymous(shown, min_count)
    for name, counts in shown.hosts.items():
        alone = anonymous(snapshot({name: counts}), min_count).hosts[name]
        assert (among.hosts[name].users_known, among.hosts[name].hidden) == (alone.users_known, alone.hidden)
        assert among.hosts[name].months.keys() == alone.months.keys()
        for month, told_alone in alone.months.items():
            found = among.hosts[name].months[month]
            assert found == told_alone or {*(found.places or {})} <= {Place(OTHER)}
            assert found.users == told_alone.users
        assert sum_active(among.hosts[name].active.values()) == sum_active(alone.active.values())


def test_flat_months_of_many_hosts_are_told_by_their_margins() -> None:
    hosts = {
        name: HostCounts(99, {}, {"2026-09": flat(counts.months[NOVEMBER])})
        for name, counts in many_hosts().hosts.items()
    }
    found = month_counts(anonymous(snapshot(hosts), 5), "2026-09")
    assert found is not None
    assert (found.users, found.cells) == (460, None)
    assert (found.places or {})[FRANKFURT] == 140
    assert (found.clients or {})["Dino"] == 180


@pytest.mark.parametrize("form", [to_json, to_table, to_html])
def test_it_can_be_told_in_every_form(form: object) -> None:
    assert form(anonymous(many_hosts(3), 5))  # type: ignore[operator]
