"""Time zones: what TZ may hold names the months that the C library would, and what it can't is refused."""

import json
import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

import pytest

from headcount.months import Months, end_of, month_of, shift, start_of
from headcount.zones import have_the_same, name_of, zone_of, zone_variable

RULES = [
    "EST5EDT",
    "CST6CDT",
    "MST7MDT",
    "PST8PDT",
    "UTC0",
    "EST5",
    "EST+5EDT,M3.2.0,M11.1.0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "<+03>-3",
    "<+0330>-3:30",
    "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "IST-5:30",
    "NZST-12NZDT,M9.5.0,M4.1.0/3",
    "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
    "AAA-14BBB-15,J60,J300",
    "ABC22",
    "ABC-22DEF,M3.2.0,M11.1.0",
    "ABC5:59:59",
    "EST5EDT,M3.2.0,M11.1.0/26",
    "EST5EDT,J60/167,J300/-167",
    "CST6CDT,M11.1.0/0,M10.5.0/24",
]
LOCALTIME = """
import json, sys, time
print(json.dumps([time.strftime("%Y-%m", time.localtime(when)) for when in json.load(sys.stdin)]))
"""


def as_the_c_library_says(variable: str, moments: list[int]) -> list[str]:
    """The months of moments, in a process that has TZ set to that."""
    asked = [sys.executable, "-c", LOCALTIME]
    environment = {**os.environ, "TZ": variable}
    done = subprocess.run(asked, input=json.dumps(moments), capture_output=True, text=True, check=True, env=environment)
    months: list[str] = json.loads(done.stdout)
    return months


@cache
def moments() -> list[int]:
    """Each hour within a day of each month's beginning, from 2007 to 2037, and as many moments between."""
    dice = random.Random(12)
    month, found = "2007-01", []
    utc = ZoneInfo("UTC")
    while month < "2038-01":
        begin = int(start_of(month, utc))
        found += [begin + hour * 3600 + second for hour in range(-26, 27) for second in (-1, 0)]
        found += [dice.randrange(begin, int(end_of(month, utc))) for _ in range(50)]
        month = shift(month, 1)
    return found


@pytest.mark.parametrize("rules", RULES)
def test_months_are_those_that_the_c_library_names(rules: str) -> None:
    asked, zone = moments(), zone_of(rules)
    months = [month_of(when, zone) for when in asked]
    assert months == as_the_c_library_says(rules, asked)
    remembered = Months(zone)
    assert [remembered.of(when) for when in asked] == months


@pytest.mark.parametrize("rules", RULES)
def test_a_month_begins_where_the_one_before_ends(rules: str) -> None:
    zone = zone_of(rules)
    for number in range(24):
        month = shift("2026-01", number)
        assert month_of(start_of(month, zone), zone) == month
        assert month_of(start_of(month, zone) - 1, zone) == shift(month, -1)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Europe",
        "No/Such/Zone",
        "../../etc/passwd",
        "a\0b",
        "ab5",
        "<>5",
        "ABC24",  # a day and more, which Python's clocks can't be off
        "ABC-23DEF,M3.2.0,M11.1.0",
        "AEST-10AEDT",  # says that there is summer time, and not when: C libraries differ in that
        "EST5EDT,M3.2.0",
        "EST5EDT,M13.1.0,M1.1.0",
        "EST5EDT,M3.2.0,M11.1.0/168",
        "EST5EDT,J0,J5",
        "EST5EDT4,116/2,298/2",  # days from 0, which not all Pythons count alike
        "CET-1CEST;M3.5.0;M10.5.0",
        "CET-1 CEST",
        "CET-1CEST\n",
        "é-1",
        "٣٣٣5",
        "UTC٣",
    ],
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ZoneInfoNotFoundError, match="no time zone"):
        zone_of(name)


def test_a_zone_is_the_same_each_time() -> None:
    assert zone_of("<+03>-3") is zone_of("<+03>-3")
    assert zone_of("Europe/Berlin") is ZoneInfo("Europe/Berlin")


def file_of(name: str) -> Path:
    found = [path for place in TZPATH if (path := Path(place, name)).is_file()]
    if not found:
        pytest.skip("this machine has no database of time zones")
    return found[0]


def test_a_file_of_the_database_is_known_by_where_it_lies(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to(file_of("Asia/Kathmandu"))
    assert name_of(link) == "Asia/Kathmandu"
    assert zone_variable(f":{link}") == "Asia/Kathmandu"


def test_a_copy_of_such_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    copy = tmp_path / "localtime"
    copy.write_bytes(file_of("Europe/Berlin").read_bytes())
    name = zone_variable(str(copy))
    assert file_of(name).read_bytes() == copy.read_bytes()
    assert as_the_c_library_says(str(copy), moments()) == as_the_c_library_says(name, moments())


def test_a_file_that_the_database_does_not_have_is_known_by_its_rules(tmp_path: Path) -> None:
    changed = tmp_path / "localtime"
    changed.write_bytes(file_of("Europe/Berlin").read_bytes().replace(b"CET-1CEST,M3", b"CET-1CEST,M4"))
    assert name_of(changed) == "CET-1CEST,M4.5.0,M10.5.0/3"


@pytest.mark.parametrize("content", [b"", b"UTC", b"TZif", b"TZif2" + bytes(40)])
def test_a_file_that_is_none_of_the_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "localtime"
    path.write_bytes(content)
    with pytest.raises(ZoneInfoNotFoundError, match="no time zone"):
        name_of(path)
    with pytest.raises(ZoneInfoNotFoundError, match="no time zone"):
        name_of(tmp_path / "none")


def test_zones_are_alike_where_their_months_are() -> None:
    months = ["2026-01", "2026-07", "2026-11"]
    assert have_the_same(months, "Etc/UTC", zone_of("UTC"))
    assert have_the_same(months, "CET-1CEST,M3.5.0,M10.5.0/3", zone_of("Europe/Berlin"))
    assert not have_the_same(months, "Europe/London", zone_of("Europe/Berlin"))
    assert not have_the_same(months, "Of/Another/Machine", zone_of("Europe/Berlin"))
