"""Problems: what is wrong now, each kind once, and gone when it is fixed."""

import math

from hypothesis import given
from hypothesis import strategies as st

from headcount.engine.problems import Problems, Subject
from headcount.records import Problem
from headcount.snapshot import ProblemGroup


def problem(what: str = "unreadable record", user: str = "alice", why: str = "it ends too early") -> Problem:
    return Problem(what, f"example.com/lastlog2/{user}.dat", "example.com/lastlog2", why)


AHEAD = problem("timestamp in the future")
ALICE, BOB = Subject("user", "example.com", 1), Subject("user", "example.com", 2)
ELSEWHERE = Subject("user", "example.org", 1)


def test_nothing_is_wrong_at_first() -> None:
    assert Problems().summary() == ()
    assert Problems().unlogged() == []


def test_problems_of_one_kind_are_one_problem_with_one_example() -> None:
    problems = Problems()
    problems.replace(ALICE, [problem()])
    problems.replace(BOB, [problem(user="bob", why="it is empty")])
    assert problems.summary() == (
        ProblemGroup("unreadable record", 2, "example.com/lastlog2/alice.dat", "it ends too early"),
    )


def test_what_stops_all_figures_comes_first_and_is_the_example_of_its_kind() -> None:
    problems = Problems()
    problems.replace(Subject("users"), [problem(), problem()])
    problems.replace(Subject("some"), [problem("closed", why="a part")])
    problems.replace(Subject("all"), [Problem("closed", "/var/lib/prosody", "", "all of it", is_urgent=True)])
    assert problems.summary() == (
        ProblemGroup("closed", 2, "/var/lib/prosody", "all of it", is_urgent=True),
        ProblemGroup("unreadable record", 2, "example.com/lastlog2/alice.dat", "it ends too early"),
    )


def test_the_most_frequent_problem_comes_first_and_ties_by_name() -> None:
    problems = Problems()
    problems.replace(Subject("a"), [problem("c"), problem("b")])
    problems.replace(Subject("b"), [problem("a"), problem("a")])
    assert [(problem.what, problem.count) for problem in problems.summary()] == [("a", 2), ("b", 1), ("c", 1)]


def test_a_later_look_replaces_what_an_earlier_one_found() -> None:
    problems = Problems()
    problems.replace(ALICE, [problem(), problem("unexpected value")])
    problems.replace(ALICE, [problem("unexpected value")])
    assert [problem.what for problem in problems.summary()] == ["unexpected value"]
    problems.replace(ALICE, [])
    problems.replace(ALICE, [])
    assert problems.summary() == ()


def test_a_summary_that_did_not_change_is_the_same_object() -> None:
    problems = Problems()
    problems.replace(ALICE, [problem()])
    before = problems.summary()
    problems.replace(ALICE, [problem()])
    problems.replace(BOB, [])
    assert problems.summary() is before


def test_time_fixes_what_lies_ahead_of_it() -> None:
    problems = Problems()
    problems.replace_until(100.0, ALICE, [AHEAD])
    problems.pass_time(99.9)
    assert len(problems.summary()) == 1
    problems.pass_time(100.0)
    assert problems.summary() == ()


def test_what_is_told_again_with_a_later_time_lasts_until_then() -> None:
    problems = Problems()
    problems.replace_until(100.0, ALICE, [AHEAD])
    problems.replace_until(200.0, ALICE, [AHEAD])
    problems.pass_time(150.0)
    assert len(problems.summary()) == 1
    problems.pass_time(200.0)
    assert problems.summary() == ()


def test_what_is_found_again_without_an_end_is_not_fixed_by_time() -> None:
    problems = Problems()
    problems.replace_until(100.0, ALICE, [AHEAD])
    problems.replace(ALICE, [problem()])
    problems.pass_time(101.0)
    assert [problem.what for problem in problems.summary()] == ["unreadable record"]


def test_the_end_of_time_never_comes() -> None:
    problems = Problems()
    problems.replace_until(100.0, ALICE, [AHEAD])
    problems.replace_until(math.inf, ALICE, [AHEAD])
    problems.pass_time(1e300)
    assert len(problems.summary()) == 1


def test_a_host_that_goes_takes_its_problems_with_it() -> None:
    problems = Problems()
    problems.replace(ALICE, [problem()])
    problems.replace_until(100.0, Subject("future", "example.com", 1), [AHEAD])
    problems.replace(ELSEWHERE, [problem("a")])
    problems.replace(Subject("example.com"), [problem("b")])  # of the server, though it is called so
    problems.drop_host("example.com")
    problems.pass_time(101.0)
    assert [problem.what for problem in problems.summary()] == ["a", "b"]


def test_each_kind_and_place_is_told_once_for_the_log() -> None:
    problems = Problems()
    elsewhere = Problem("unreadable record", "example.org/lastlog2/x.dat", "example.org/lastlog2", "")
    problems.replace(ALICE, [problem()])
    problems.replace(BOB, [problem(user="bob"), elsewhere])
    assert problems.unlogged() == [problem(), elsewhere]
    problems.replace(ALICE, [])
    problems.replace(ALICE, [problem()])
    assert problems.unlogged() == []


def test_it_is_known_of_each_host_with_which_users_something_is_wrong() -> None:
    problems = Problems()
    ahead = Subject("future", ALICE.host, ALICE.user)
    of_now = problems.users_of("example.com")
    assert not of_now
    problems.replace(Subject("visitors", "example.com"), [problem()])
    problems.replace(ALICE, [problem()])
    problems.replace(ALICE, [problem(why="another")])
    problems.replace_until(100.0, ahead, [AHEAD])
    problems.replace(BOB, [problem()])
    assert set(problems.users_of("example.com")) == set(of_now) == {1, 2}
    assert not problems.users_of("example.org")
    problems.replace(ALICE, [])
    problems.replace(BOB, [])
    assert set(problems.users_of("example.com")) == {1}
    problems.pass_time(100.0)
    assert not problems.users_of("example.com")
    problems.replace(BOB, [problem()])
    problems.drop_host("example.com")
    assert not problems.users_of("example.com")


looks = st.lists(
    st.tuples(
        st.sampled_from([ALICE, BOB, ELSEWHERE]),
        st.lists(st.sampled_from([problem("a"), problem("b"), problem("b", why="other")]), max_size=3),
        st.one_of(st.none(), st.integers(0, 20)),
    ),
    max_size=12,
)


@given(looks, st.integers(0, 20))
def test_it_agrees_with_the_last_look_at_each_subject(looked: list, now: int) -> None:  # type: ignore[type-arg]
    problems, last = Problems(), {}
    for subject, wrong, until in looked:
        last[subject] = wrong if until is None or until > now else []
        if until is None:
            problems.replace(subject, wrong)
        else:
            problems.replace_until(until, subject, wrong)
    problems.pass_time(now)
    found = [found.what for wrong in last.values() for found in wrong]
    assert {problem.what: problem.count for problem in problems.summary()} == {w: found.count(w) for w in set(found)}
