"""The demo's people: varied, of Prosody's spelling, and the same for the same seed."""

import unicodedata
from collections import Counter
from random import Random

from headcount.clients.patterns import ClientPatterns
from headcount.demo.hosts import HOSTS
from headcount.demo.people import APPS, DAY, draw_device, population

NOW = 1795320080.0


def people(seed=1, size=1500):
    return list(population(Random(seed), size, NOW))


def test_a_seed_decides_everyone():
    assert people(1) == people(1)
    assert people(1) != people(2)


def test_no_name_is_taken_twice_on_a_host():
    names = [(person.host.name, person.user) for person in people()]
    assert len(names) == len(set(names))


def test_names_are_prepared_as_prosody_does_and_need_escaping():
    names = {person.user for person in people()}
    for name in names:
        assert unicodedata.normalize("NFKC", name.lower()) == name
        assert not set("\"&'/:<>@ ") & set(name), "not allowed in a localpart"
    for sign in ".-_+ë日":
        assert any(sign in name for name in names), sign


def test_hosts_are_of_unequal_size():
    sizes = Counter(person.host for person in people())
    assert [host for host, _ in sizes.most_common()] == list(HOSTS)


def test_people_joined_over_two_years_and_a_third_lost_interest():
    joined = sorted(person.joined for person in people())
    assert NOW - 2.6 * 365 * DAY < joined[0] < NOW - 2.3 * 365 * DAY
    assert joined[-1] <= NOW
    gone = sum(person.left < NOW for person in people())
    assert 0.1 < gone / 1500 < 0.4


def test_a_month_is_lived_in_one_place_with_one_device():
    for person in people(size=200):
        assert person.in_month("2026-05") == person.in_month("2026-05")
    months = [f"{year}-{month:02}" for year in (2025, 2026) for month in range(1, 13)]
    stays = [person.in_month(month)[0] == person.home for person in people(size=200) for month in months]
    assert 0.9 < sum(stays) / len(stays) < 0.98


def test_most_resources_tell_their_client_and_some_do_not():
    patterns = ClientPatterns.configured()
    rng = Random(1)
    clients = Counter(patterns.client(draw_device(rng).resource) for _ in range(3000))
    assert len(clients) >= len(APPS) - 3
    assert clients.most_common(1)[0][0] == "Conversations"
    assert 0.01 < clients["?"] / 3000 < 0.1
