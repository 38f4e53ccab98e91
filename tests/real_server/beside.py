"""Headcount beside the server, as users run it: the engine as a process, and reports of what it kept."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from headcount.state.sqlite import SqliteState
from real_server.server import wait_until

Place = tuple[str | None, str | None, int | None]
Cell = tuple[Place, str]

NOWHERE: Place = (None, None, None)
FRANKFURT: Place = ("DE", "HE", 2925533)
PARIS: Place = ("FR", "IDF", 2988507)
TOKYO: Place = ("JP", "13", 1850147)
SOMEWHERE_IN_US: Place = ("US", None, None)

# The places of the tests' addresses: networks reserved for documentation (RFC 5737, RFC 3849).
NETWORKS = {
    "192.0.2.0/24": SOMEWHERE_IN_US,
    "198.51.100.0/24": PARIS,
    "203.0.113.0/24": FRANKFURT,
    "2001:db8:1::/48": TOKYO,
    "2001:db8:2::/48": FRANKFURT,
}


def write_places(path: Path, *, only_ipv4: bool = False) -> None:
    """A GeoIP database of those networks, in the shape of a City database."""
    writer = MMDBWriter(
        ip_version=4 if only_ipv4 else 6, ipv4_compatible=not only_ipv4, database_type="Test-City", int_type="u32"
    )
    for network, (country, subdivision, city) in NETWORKS.items():
        if only_ipv4 and ":" in network:
            continue
        found: dict[str, Any] = {"country": {"iso_code": country}}
        if subdivision is not None:
            found["subdivisions"] = [{"iso_code": subdivision}]
        if city is not None:
            found["city"] = {"geoname_id": city}
        writer.insert_network(IPSet([network]), found)
    writer.to_db_file(str(path))


@dataclass(frozen=True, slots=True)
class Report:
    """What `headcount report --format json` says of one host, and which kinds of problems it found anywhere."""

    told: dict[str, Any]
    problems: list[str]

    @property
    def active_users(self) -> dict[str, int]:
        return dict(self.told["active_users"])

    @property
    def users_known(self) -> int:
        return int(self.told["users_known"])

    def cells(self, month: str) -> dict[Cell, int]:
        """Month users by place and client."""
        if month not in self.told["months"]:
            return {}
        cells = self.told["months"][month]["cells"]
        return {((c["country"], c["subdivision"], c["city"]), c["client"]): c["users"] for c in cells}


class Headcount:
    """One state, and an engine that follows a data directory into it."""

    def __init__(self, directory: Path, source: Path, *clients: tuple[str, str]) -> None:
        """`clients` are patterns and their clients, the only ones there are."""
        self._source = source
        self.log = directory / "headcount.log"
        self._state = directory / "state" / "state.db"
        self._places = directory / "places.mmdb"
        write_places(self._places)
        self._config = directory / "config.toml"
        patterns = "".join(f'[[client_patterns]]\npattern = "{p}"\nclient = "{client}"\n' for p, client in clients)
        self._config.write_text(f"default_client_patterns = false\n{patterns}")
        self._engine: subprocess.Popen[bytes] | None = None
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADCOUNT_")}

    def start(self) -> None:
        """Starts the engine and waits until it has read everything once."""
        with self.log.open("ab") as log:
            self._engine = subprocess.Popen(self.command("engine"), stdout=log, stderr=log, env=self.environment)
        wait_until(self._state.exists)

    def stop(self) -> None:
        assert self._engine is not None
        self._engine.send_signal(signal.SIGTERM)
        assert self._engine.wait(timeout=120) == 0
        self._engine = None

    def kill(self) -> None:
        assert self._engine is not None
        self._engine.kill()
        self._engine.wait()
        self._engine = None

    def close(self) -> None:
        if self._engine is not None:
            self.kill()

    def set(self, line: str) -> None:
        """Sets something in the configuration."""
        self._config.write_text(f"{line}\n{self._config.read_text()}")

    def kept(self, host: str, month: str) -> dict[Cell, int]:
        """Month users that the state holds."""
        with SqliteState(self._state, read_only=True) as state:
            saved = state.load().hosts.get(host)
        if saved is None or month not in saved.months:
            return {}
        cells = saved.months[month].cells.items()
        return {((cell.place.country, cell.place.subdivision, cell.place.city), cell.client): n for cell, n in cells}

    def report(self, host: str) -> Report:
        """What the state and the source say together, now."""
        return self._report(host, self._state)

    def report_of_source(self, host: str) -> Report:
        """What the source says alone, to a Headcount that never saw it before."""
        return self._report(host, self._state.with_name("none.db"))

    def _report(self, host: str, state: Path) -> Report:
        command = [
            *self.command("report", state),
            "--format",
            "json",
            "--read",
        ]  # a running engine may be two seconds behind
        done = subprocess.run(command, capture_output=True, check=True, env=self.environment)
        told = json.loads(done.stdout)
        return Report(told["hosts"][host], [problem["what"] for problem in told["problems"]])

    def command(self, name: str, state: Path | None = None) -> list[str]:
        """The command that asks for this on the server's data, by default with the one state."""
        arguments = [name, str(self._source), "--state", str(state or self._state), "--mmdb", str(self._places)]
        return [sys.executable, "-m", "headcount", *arguments, "--config", str(self._config)]
