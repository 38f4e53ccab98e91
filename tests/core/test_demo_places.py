"""The demo's places: addresses that belong to nobody, a small database that knows them, codes that are real."""

import runpy
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from random import Random

import maxminddb
import pycountry

import headcount
from headcount.demo.places import COUNTRIES, TOWNS, networks, somewhere
from headcount.places.lookup import Places
from headcount.snapshot import Place

ROOT = Path(__file__).parents[2]
DATABASE = Path(headcount.__file__).parent / "data/demo.mmdb"
MAKER = ROOT / "contrib/data/make_demo_mmdb.py"
DOCUMENTATION = [ip_network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


def test_every_address_is_found_where_its_town_is():
    rng = Random(7)
    places = Places([DATABASE])
    for _ in range(5000):
        address, town = somewhere(rng)
        expected = Place(town.country, town.subdivision, town.city) if town else Place()
        assert places.lookup(address) == expected, address
    assert places.has_cities
    places.close()


def test_only_networks_for_documentation_are_in_the_database():
    with maxminddb.open_database(DATABASE) as database:
        found = [network for network, _ in database]
    assert len(found) >= len(TOWNS)
    for network in found:
        # An IPv6 database holds IPv4 under ::/96.
        first = network[0] if network.version == 4 or int(network[0]) >> 32 else ip_address(int(network[0]))
        assert any(first in block for block in DOCUMENTATION if block.version == first.version), network


def test_the_networks_do_not_overlap():
    blocks = sorted((block.version, block[0], block[-1]) for _, blocks in networks() for block in blocks)
    for (version, _, last), (next_version, first, _) in pairwise(blocks):
        assert version != next_version or last < first


def test_the_codes_and_names_are_real():
    assert {town.country for town in TOWNS} == set(COUNTRIES)
    for town in TOWNS:
        assert pycountry.countries.get(alpha_2=town.country)
        if town.subdivision:
            assert pycountry.subdivisions.get(code=f"{town.country}-{town.subdivision}"), town
    cities = [town.city for town in TOWNS if town.city]
    assert len(cities) == len(set(cities)) >= 60
    assert any(town.subdivision is None for town in TOWNS), "a database often knows the country alone"


def test_the_shipped_database_is_what_its_maker_makes(tmp_path):
    make = runpy.run_path(str(MAKER))["make"]
    once, again = tmp_path / "once.mmdb", tmp_path / "again.mmdb"
    make(once)
    make(again)
    assert once.read_bytes() == again.read_bytes()
    with maxminddb.open_database(once) as made, maxminddb.open_database(DATABASE) as shipped:
        assert dict(made) == dict(shipped), f"run python {MAKER.relative_to(ROOT)}"


def test_the_database_is_small():
    assert DATABASE.stat().st_size < 50_000
