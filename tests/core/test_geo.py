"""An address becomes a place: which addresses have one, which databases say it, and what when they change."""

import gzip
import importlib.resources
import io
import ipaddress
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from headcount.errors import NoPermissionError, UsageError
from headcount.places.addresses import public_address
from headcount.places.database import DAMAGE, Bundled
from headcount.places.database_records import Sighting, read_record
from headcount.places.lookup import ATTRIBUTION, Places
from headcount.places.names import PlaceNames
from headcount.places.networks import PlacesByNetwork
from headcount.places.walk import describe
from headcount.snapshot import Place, PlaceName
from support import unprivileged

SHAPES = json.loads((Path(__file__).parents[1] / "data/geo/shapes.json").read_text("utf-8"))
FRANKFURT = Place("DE", "HE", 2925533)


def write(path: Path, kind: str, records: dict[str, Any] | None = None) -> Path:
    """Write a database of one of the shapes (or of other records) by rename, as the updaters do."""
    writer = MMDBWriter(6, kind, ipv4_compatible=True)
    for network, record in (SHAPES[kind] if records is None else records).items():
        writer.insert_network(IPSet([network]), record)
    new = path.with_name(path.name + ".new")
    writer.to_db_file(str(new))
    new.rename(path)
    return path


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write(tmp_path / "city.mmdb", "GeoLite2-City")


def places(*files: Path, usual: tuple[str, ...] = ()) -> Places:
    return Places(files, usual=usual)


def refresh_until(found: Places, is_so: Callable[[], object]) -> None:
    """Looks at the files again until something is so; files prove themselves in a process of their own meanwhile."""
    ends_at = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends_at, (found.label, found.problems)
        found.refresh()
        time.sleep(0.01)


def wait_for_children(found: Places) -> None:
    """Looks at the files again until none is being looked through."""
    refresh_until(found, lambda: not any(file._proof for file in found._files))


class TestShapes:
    """The record decides, not the file's name."""

    @pytest.mark.parametrize(
        ("kind", "place", "has_cities"),
        [
            ("GeoLite2-City", FRANKFURT, True),
            ("GeoLite2-Country", Place("DE"), False),
            ("DBIP-City-Lite", FRANKFURT, True),
            ("ip-location-db city", FRANKFURT, True),
            ("ip-location-db country", Place("DE"), False),
        ],
    )
    def test_every_shape_is_read(self, tmp_path: Path, kind: str, place: Place, has_cities: bool) -> None:
        found = places(write(tmp_path / "any-name.bin", kind))
        assert found.lookup("203.0.113.7") == place
        assert found.has_cities is has_cities
        assert found.label.startswith(kind)

    def test_the_registered_country_stands_in_for_a_missing_one(self, city: Path) -> None:
        assert places(city).lookup("198.51.100.1") == Place("US")

    def test_the_first_subdivision_counts_as_in_the_module(self, city: Path) -> None:
        assert places(city).lookup("198.51.100.200") == Place("GB", "ENG", 2643743)

    def test_names_become_codes_without_accents(self, tmp_path: Path) -> None:
        found = places(write(tmp_path / "d.mmdb", "DBIP-City-Lite"))
        assert found.lookup("198.51.100.1") == Place("BR", "SP", 3448439)

    def test_names_that_no_table_has_are_unknown(self, tmp_path: Path) -> None:
        found = places(write(tmp_path / "d.mmdb", "ip-location-db city"))
        assert found.lookup("198.51.100.1") == Place("US")

    def test_names_in_the_records_are_learned(self, city: Path) -> None:
        found = places(city)
        found.lookup("203.0.113.7")
        assert found.names.name(FRANKFURT) == PlaceName("Germany", "Hesse", "Frankfurt am Main")

    def test_names_can_be_shared(self, city: Path) -> None:
        names = PlaceNames()
        Places([city], names=names).lookup("203.0.113.7")
        assert names.learned()

    def test_a_network_operators_database_is_set_aside_and_said_so(self, tmp_path: Path, city: Path) -> None:
        asn = write(tmp_path / "asn.mmdb", "GeoLite2-ASN")
        found = places(asn, city)
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert found.label.startswith("GeoLite2-City ")
        (note,) = found.notes
        assert "asn.mmdb" in note
        assert "set aside" in note
        assert found.warnings == ()

    def test_a_database_of_something_else_is_set_aside(self, tmp_path: Path) -> None:
        other = write(tmp_path / "x.mmdb", "GeoIP2-Connection-Type", {"203.0.113.0/24": {"connection_type": "Dialup"}})
        found = places(other)
        assert found.label.startswith("country data by NRO")
        assert "no countries" in found.notes[0]


class TestHostileDatabases:
    """A database is outside data: nonsense in it is unknown, and never an error."""

    @pytest.mark.parametrize(
        "record",
        [
            {"country": 5},
            {"country": {"iso_code": 5}},
            {"country": {"iso_code": ["DE"]}},
            {"country": {"iso_code": "DEU"}},
            {"country": {"iso_code": "D\x1b"}},
            {"country": {"iso_code": "ÄÖ"}},
            {"country": {"iso_code": ""}},
            {"country_code": {"iso_code": "DE"}},
            {"country_code": "ZZ"},
            {"subdivisions": [{"iso_code": "HE"}], "city": {"geoname_id": 1}, "country": {}},
            {"registered_country": [1, 2]},
            ["DE"],
            "DE",
            7,
            {},
        ],
        ids=repr,
    )
    def test_no_country_is_no_place(self, tmp_path: Path, record: object) -> None:
        good = {"192.0.2.0/24": {"country_code": "FR"}}
        found = places(write(tmp_path / "bad.mmdb", "City", {"203.0.113.0/24": record, **good}))
        assert found.lookup("203.0.113.7") == Place()
        assert found.lookup("192.0.2.1") == Place("FR")

    @pytest.mark.parametrize(
        "more",
        [
            {"subdivisions": {}},
            {"subdivisions": []},
            {"subdivisions": [[]]},
            {"subdivisions": "HE"},
            {"subdivisions": [{"iso_code": "HESS"}]},
            {"subdivisions": [{"iso_code": "H-"}]},
            {"subdivisions": [{"iso_code": 6}]},
            {"subdivisions": [{"names": ["Hessen"]}]},
            {"subdivisions": [{"names": {"en": 6}}]},
            {"city": {"geoname_id": -1}},
            {"city": {"geoname_id": 0}},
            {"city": {"geoname_id": 2**40}},
            {"city": {"geoname_id": True}},
            {"city": {"geoname_id": "2925533"}},
            {"city": {"geoname_id": 1.5}},
            {"city": {"names": {"en": "\x1b[2J"}}},
            {"city": "x" * 10_000},
            {"city": [1]},
        ],
        ids=lambda more: repr(more)[:40],
    )
    def test_a_bad_part_is_unknown_and_the_country_stays(self, tmp_path: Path, more: dict[str, object]) -> None:
        record = {"country": {"iso_code": "de"}, **more}
        found = places(write(tmp_path / "bad.mmdb", "City", {"203.0.113.0/24": record}))
        assert found.lookup("203.0.113.7") == Place("DE")

    def test_names_are_cleaned(self) -> None:
        assert read_record({"country_code": "DE", "city": "Frank\x1b[2Jfurt\u202e"}).city_name == "Frank�[2Jfurt�"

    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    )
    parts = st.sampled_from(["country", "registered_country", "subdivisions", "city", "country_code", "state1"])
    keys = st.sampled_from(["iso_code", "geoname_id", "names", "en"])

    @given(st.dictionaries(parts, anything | st.dictionaries(keys, anything)) | anything)
    def test_no_record_at_all_raises(self, record: object) -> None:
        seen = read_record(record)
        assert isinstance(seen, Sighting)
        assert seen.country is None or (seen.country.isascii() and seen.country.isupper() and len(seen.country) == 2)
        assert seen.city is None or seen.city > 0

    def test_a_damaged_record_is_unknown_and_told(self, city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found = places(city)

        class Damaged:
            def get_with_prefix_len(self, address: object) -> object:
                raise maxminddb.InvalidDatabaseError("The MaxMind DB file's data section contains bad data")

        found._databases[0].reader = Damaged()  # type: ignore[assignment]
        assert found.lookup("203.0.113.7") == Place()
        (problem,) = found.problems
        assert "1 GeoIP look-ups failed" in problem
        assert "203.0.113.7" not in problem

    def test_damaged_bytes_never_raise_at_a_look_up(self, city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those of a file that proved itself, on a disk that is worn."""
        monkeypatch.setitem(sys.modules, "maxminddb.extension", None)  # it trusts the bytes of a record
        whole = city.read_bytes()
        found = places(city)
        looked_at = 0
        for at in range(len(whole) - 3):
            damaged = whole[:at] + b"\xff\xe0\x00" + whole[at + 3 :]
            try:
                file = io.BytesIO(damaged)
                file.name = "damaged.mmdb"  # maxminddb 2 asks for it
                reader = maxminddb.open_database(file, maxminddb.MODE_FD)
            except DAMAGE:
                continue
            found._databases[0].reader, found._known = reader, PlacesByNetwork()
            for address in ("203.0.113.7", "198.51.100.1", "2001:db8:1::1"):
                assert isinstance(found.lookup(address), Place)
            looked_at += 1
        assert looked_at > len(whole) / 2

    def test_an_ipv4_database_does_not_know_ipv6_and_that_is_no_problem(self, tmp_path: Path) -> None:
        writer = MMDBWriter(4, "GeoLite2-Country")
        writer.insert_network(IPSet(["203.0.113.0/24"]), {"country": {"iso_code": "DE"}})
        writer.to_db_file(str(tmp_path / "v4.mmdb"))
        found = places(tmp_path / "v4.mmdb")
        assert found.lookup("2001:db8::1") == Place()
        assert found.lookup("203.0.113.7") == Place("DE")
        assert found.problems == ()


class TestAddresses:
    """IPv4 and IPv6 alike; prefixes by their network address; special addresses are nowhere."""

    @pytest.mark.parametrize(
        "address",
        [
            "203.0.113.7",
            " 203.0.113.7\n",
            "::ffff:203.0.113.7",
            "::FFFF:cb00:7107",
            "203.0.113.0/24",
            "203.0.113.77/24",
            "203.0.113.7/32",
            "::ffff:203.0.113.0/120",
        ],
    )
    def test_the_same_place_however_it_is_written(self, city: Path, address: str) -> None:
        assert places(city).lookup(address) == FRANKFURT

    @pytest.mark.parametrize(
        "address", ["2001:db8:1::5", "2001:db8:1::/48", "2001:DB8:1:0::5%eth0", "2001:db8:1::7%en0/48"]
    )
    def test_ipv6(self, city: Path, address: str) -> None:
        assert places(city).lookup(address) == Place("AU", "VIC")

    @pytest.mark.parametrize(
        "address",
        [
            *("10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::ffff:192.168.1.1", "192.168.0.0/16"),
            *("127.0.0.1", "::1", "::", "0.0.0.0", "0.0.0.0/0", "169.254.1.1", "fe80::1", "fe80::1%eth0"),
            *("100.64.0.1", "100.127.255.255", "192.0.0.8", "198.18.0.1", "224.0.0.1", "239.255.255.255"),
            *("240.0.0.1", "255.255.255.255", "ff02::1", "fc00::1", "fd12:3456::1", "::/0", "::203.0.113.7"),
            *("2001::1", "2001:2::1", "2002:cb00:7107::1", "64:ff9b::203.0.113.7", "4000::1", "192.88.99.1"),
        ],
    )
    def test_special_addresses_are_nowhere_whatever_the_database_says(self, tmp_path: Path, address: str) -> None:
        everywhere = {"::/1": {"country_code": "AU"}, "8000::/1": {"country_code": "AU"}}
        found = places(write(tmp_path / "all.mmdb", "City", everywhere))
        assert found.lookup("8.8.8.8") == found.lookup("2620:fe::fe") == Place("AU")
        assert found.lookup(address) == Place()

    @pytest.mark.parametrize(
        ("address", "public"),
        [
            *(("9.255.255.255", True), ("11.0.0.0", True), ("100.63.255.255", True), ("100.128.0.0", True)),
            *(("172.15.255.255", True), ("172.32.0.0", True), ("223.255.255.255", True), ("1.0.0.0", True)),
            *(("192.0.1.0", True), ("192.0.2.1", True), ("198.51.100.1", True), ("203.0.113.1", True)),
            *(("198.17.255.255", True), ("198.20.0.0", True), ("2001:200::", True), ("2001:db8::1", True)),
            *(("2003::1", True), ("2000::1", True), ("3fff::1", True), ("1fff:ffff::", False)),
            *(("2001:1ff:ffff::", False), ("2002:ffff::", False)),
        ],
    )
    def test_where_the_special_networks_end(self, address: str, public: bool) -> None:
        assert (public_address(address) is not None) is public

    def test_the_rule_is_that_of_the_newest_python(self) -> None:
        """Where they differ, both ways, is known: documentation is looked up; services without a place stay."""
        samples = [str(ipaddress.IPv4Address((a << 24) + b)) for a in range(256) for b in (0, 1 << 16, 168 << 16)]
        for sample in samples:
            address = ipaddress.ip_address(sample)
            special = not address.is_global or address.is_multicast or address.is_reserved
            assert (public_address(sample) is None) is special, sample

    @pytest.mark.parametrize(
        "text",
        [
            *(None, "", " ", "?", "localhost", "203.0.113", "203.0.113.7:5222", "[2001:db8::1]", "1/2/3", "%eth0"),
            *("203.0.113.7/33", "203.0.113.7/", "/24", "٢٠٣.0.113.7", "203.0.113.7\x00", "\ud800", "1" * 100_000),
            *("203.0.113.007", "0xcb007107", "203.0.113.7,198.51.100.1"),
        ],
    )
    def test_what_is_no_address_is_unknown(self, city: Path, text: str | None) -> None:
        assert places(city).lookup(text) == Place()

    @given(st.text(max_size=60))
    def test_no_text_raises(self, text: str) -> None:
        public_address(text)

    @given(st.ip_addresses())
    def test_a_public_address_is_itself_or_its_ipv4(self, address: ipaddress.IPv4Address) -> None:
        assert public_address(str(address)) in (None, address, getattr(address, "ipv4_mapped", None))


class TestWhichDatabase:
    """Those that are named; else the best in the usual places; else the one that comes along."""

    def test_cities_come_before_countries_and_countries_fill_the_gaps(self, tmp_path: Path, city: Path) -> None:
        more = {"203.0.113.0/24": {"country_code": "FR"}, "192.0.2.0/24": {"country_code": "JP"}}
        country = write(tmp_path / "country.mmdb", "Country", more)
        found = places(country, city)
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert found.lookup("192.0.2.1") == Place("JP")
        assert found.label.split(", ")[0].startswith("GeoLite2-City")

    def test_found_cities_are_better_than_countries(self, tmp_path: Path, city: Path) -> None:
        write(tmp_path / "z.mmdb", "GeoLite2-Country")
        write(tmp_path / "a.mmdb", "GeoLite2-ASN")
        found = places(usual=("/nonexistent", str(tmp_path)))
        assert found.label.startswith("GeoLite2-City")
        assert found.warnings == found.notes == ()

    def test_a_newer_one_is_better_than_an_older(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "old").mkdir()
        (tmp_path / "new").mkdir()
        monkeypatch.setattr("mmdb_writer.time.time", lambda: 1_700_000_000)
        write(tmp_path / "old/City.mmdb", "GeoLite2-City")
        monkeypatch.setattr("mmdb_writer.time.time", lambda: 1_795_000_000)
        write(tmp_path / "new/City.mmdb", "GeoLite2-City")
        for order in (("old", "new"), ("new", "old")):
            found = places(usual=tuple(str(tmp_path / name) for name in order))
            assert found.label == "GeoLite2-City 2026-11"

    def test_a_broken_one_that_was_only_found_is_a_warning(self, tmp_path: Path, city: Path) -> None:
        (tmp_path / "broken.mmdb").write_bytes(b"<html>Unauthorized</html>")
        found = places(usual=(str(tmp_path),))
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert "broken.mmdb" in found.warnings[0]

    def test_without_any_the_bundled_one_knows_countries(self, tmp_path: Path) -> None:
        found = places(usual=(str(tmp_path),))
        assert found.label == "country data by NRO 2026-06"
        assert not found.has_cities
        assert found.lookup("8.8.8.8") == Place("US")
        assert found.lookup("2001:4860:4860::8888").country == "US"
        assert found.lookup("::ffff:8.8.8.8") == Place("US")
        assert found.lookup("192.168.1.1") == Place(), "it says AU"
        assert found.warnings == found.problems == ()
        assert "nro.net" in ATTRIBUTION

    def test_the_bundled_one_needs_neither_memory_files_nor_proc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "memfd_create")
        assert places().lookup("8.8.8.8") == Place("US")

    def test_without_the_c_reader_it_is_slow_and_says_so(self, city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "maxminddb.extension", None)
        found = places(city)
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert "slow" in found.warnings[0]
        found.close()


class TestNamedAndUnusable:
    """What the operator named must work: exit code 2 with the file and the line that fixes it."""

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"no GeoIP database .*gone\.mmdb") as error:
            places(tmp_path / "gone.mmdb")
        assert error.value.exit_code == 2
        assert error.value.hint

    @pytest.mark.parametrize("content", [b"", b"junk", b"\xab\xcd\xefMaxMind.com", b"\x00" * 5000])
    def test_broken(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "b\x1broken.mmdb"
        path.write_bytes(content)
        with pytest.raises(UsageError, match="not a GeoIP database that can be read") as error:
            places(path)
        assert "\x1b" not in str(error.value)
        assert error.value.hint

    def test_cut_short(self, city: Path) -> None:
        city.write_bytes(city.read_bytes()[:-40])
        with pytest.raises(UsageError):
            places(city)

    def test_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError):
            places(tmp_path)

    def test_forbidden(self, open_tmp: Path) -> None:
        city = write(open_tmp / "city.mmdb", "GeoLite2-City")
        city.chmod(0)
        with unprivileged(), pytest.raises(NoPermissionError, match=r"may not be read") as error:
            places(city)
        assert error.value.exit_code == 4


class TestReplacement:
    """The updater replaces the file by rename: the new one is opened, and what was remembered forgotten."""

    def test_a_new_file_is_opened(self, city: Path) -> None:
        found = places(city)
        assert found.lookup("203.0.113.7") == FRANKFURT
        assert not found.refresh()
        write(city, "City", {"203.0.113.0/24": {"country_code": "FR"}})
        assert not found.refresh()
        assert found.lookup("203.0.113.7") == FRANKFURT
        refresh_until(found, lambda: found.label.startswith("City"))
        assert found.lookup("203.0.113.7") == Place("FR")
        assert not found.refresh()
        assert found.problems == found.notes == ()

    def test_one_that_is_the_same_as_before_changes_nothing(self, city: Path) -> None:
        found = places(city)
        before = found.stamp
        city.touch()
        for _ in range(3):
            assert not found.refresh()
        wait_for_children(found)
        assert found.stamp == before
        assert found.lookup("203.0.113.7") == FRANKFURT

    @pytest.mark.parametrize("content", [b"half a downl", None])
    def test_a_broken_or_deleted_file_leaves_the_old_one_in_use(self, city: Path, content: bytes | None) -> None:
        found = places(city)
        city.unlink()
        if content is not None:
            city.write_bytes(content)
        refresh_until(found, lambda: found.problems)
        (problem,) = found.problems
        assert "city.mmdb" in problem
        assert "stays in use" in problem
        assert found.lookup("203.0.113.7") == FRANKFURT
        write(city, "GeoLite2-Country")
        refresh_until(found, lambda: not found.has_cities)
        assert found.problems == ()
        assert found.lookup("203.0.113.7") == Place("DE")

    def test_a_database_without_places_does_not_take_its_place(self, city: Path) -> None:
        found = places(city)
        write(city, "GeoLite2-ASN")
        refresh_until(found, lambda: found.problems)
        assert "no places" in found.problems[0]
        assert found.lookup("203.0.113.7") == FRANKFURT

    def test_the_bundled_one_is_never_replaced(self) -> None:
        found = places()
        assert not found.refresh()

    def test_many_replacements_leave_no_open_file(self, city: Path) -> None:
        found = places(city)
        before = len(os.listdir("/proc/self/fd"))
        for number in range(5):
            kind = f"City {number}"
            write(city, kind, SHAPES["GeoLite2-City"])
            refresh_until(found, lambda kind=kind: found.label.startswith(kind))
        assert len(os.listdir("/proc/self/fd")) <= before


def test_the_memory_of_remembered_networks_is_bounded(monkeypatch: pytest.MonkeyPatch, city: Path) -> None:
    monkeypatch.setattr("headcount.places.networks.CAPACITY", 1000)
    found = places(city)
    tracemalloc.start()
    for number in range(20_000):
        found.lookup(str(ipaddress.IPv4Address(0xCB007100 + number * 256)))
        found.lookup(str(ipaddress.IPv6Address((0x2A00 << 112) + (number << 64))))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 1e6


def test_the_bundled_database_is_what_is_said_of_it_before_it_is_unpacked() -> None:
    bundled = Bundled("countries")
    bundled.close()
    packed = importlib.resources.files("headcount") / "data" / "country.mmdb.gz"
    about = describe(bundled.reader, gzip.decompress(packed.read_bytes()))
    assert bundled.about == replace(about, name="countries")
    bundled.close()
    with pytest.raises(ValueError, match="closed"):
        bundled.reader.get("8.8.8.8")


def test_networks_of_one_place_share_it() -> None:
    found = Places((), usual=())
    for _ in range(2):
        one, other = found.lookup("8.8.8.8"), found.lookup("4.4.4.4")
        assert one == other == Place("US")
    assert one is other


addresses = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda number: str(ipaddress.IPv4Address(number))),
    st.sampled_from(["192.0.0.0", "192.88.99.0", "172.16.0.0", "198.18.0.0", "203.0.113.0", "100.64.0.0"]).flatmap(
        lambda first: st.integers(-300, 300).map(lambda off: str(ipaddress.IPv4Address(first) + off))
    ),
    st.integers(0x2000 << 112, (0x4000 << 112) - 1).map(lambda number: str(ipaddress.IPv6Address(number))),
    st.sampled_from([0x2001 << 112, 0x20010200 << 96, 0x2002 << 112, 0x2003 << 112]).flatmap(
        lambda first: st.integers(-3, 3).map(lambda off: str(ipaddress.IPv6Address(first + (off << 90))))
    ),
    st.tuples(st.sampled_from(["8.8.8.8", "2a00:1450::1"]), st.integers(-1, 130)).map(lambda it: f"{it[0]}/{it[1]}"),
    st.sampled_from(
        ["08.8.8.8", "8.8.8.8 ", "::ffff:8.8.8.8", "8.8.8.8/24", "8.8.8.8\0", "٨.8.8.8", "1.2.3", "\ud800"]
    ),
)


@given(st.lists(addresses, max_size=60))
def test_a_place_that_is_remembered_is_the_one_that_would_be_looked_up(texts: list[str]) -> None:
    remembering = BUNDLED
    for text in texts:
        address = public_address(text)
        record = None if address is None else remembering._databases[0].record(address)[0]
        expected = Place() if record is None else remembering._place(read_record(record))
        assert remembering.lookup(text) == expected, text


BUNDLED = Places((), usual=())


def test_wide_networks_of_ipv6_are_asked_for_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Places((), usual=())
    asked: list[object] = []
    real = found._databases[0].record
    monkeypatch.setattr(found._databases[0], "record", lambda address: asked.append(address) or real(address))
    first = ipaddress.IPv6Address("2003::")  # a /19 of one provider, which the database has in a few parts
    places = {found.lookup(str(first + (number << 96))) for number in range(200)}
    assert places == {Place("DE")}
    assert len(asked) < 20
