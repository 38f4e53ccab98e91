"""A real Prosody for one test: its own directory, its own ports on loopback, and an end whatever happens."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from headcount.prosody.lua_table import LuaValue, as_lua, parse
from headcount.prosody.lua_write import serialise
from headcount.prosody.names import encode
from support import prosody_writes

HOST = "example.com"
OTHER_HOST = "chat.example.org"
PASSWORD = "secret"

PATIENCE = 600.0
"""Seconds: the real module holds the server up for as long as it calculates."""

COMMUNITY = ("lastlog", "lastlog2", "measure_active_users")
COMMUNITY_FOLDERS = (Path("/usr/lib/prosody/modules"), Path("/usr/local/lib/prosody/modules"))
OURS = Path(__file__).parents[2] / "contrib" / "prosody" / "mod_login_records"
FOR_TESTS = Path(__file__).parent / "modules"

# Another Prosody than the one on the path, such as a 13 built from its source.
COMMAND = os.environ.get("TEST_PROSODY") or shutil.which("prosody")


def wait_until(is_so: Callable[[], bool], within: float = 120.0) -> None:
    """Waits for what another process does."""
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def missing() -> str | None:
    """What has to be installed before a real server can judge; None where all is there."""
    if COMMAND is None:
        return "no Prosody here: apt-get install prosody prosody-modules"
    lacking = [name for name in COMMUNITY if community_module(name) is None]
    return f"no mod_{lacking[0]} here: apt-get install prosody-modules" if lacking else None


def community_module(name: str) -> Path | None:
    found = (folder / f"mod_{name}" for folder in COMMUNITY_FOLDERS)
    return next((path for path in found if path.is_dir()), None)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below those that the kernel gives to outgoing connections."""
    sockets: list[socket.socket] = []
    while len(sockets) < count:
        candidate = socket.socket()
        try:
            candidate.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
        except OSError:
            candidate.close()
        else:
            sockets.append(candidate)
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def lua(value: object) -> str:
    """A value as Prosody writes it."""
    return serialise(as_lua(value)).decode()


def quoted(value: object) -> str:
    """A Lua string of what holds neither quotes nor backslashes."""
    return f'"{value}"'


def listed(*values: object) -> str:
    """A Lua list of strings."""
    return "{ " + ", ".join(quoted(value) for value in values) + " }"


class Prosody:
    """A server that can be started, stopped, killed and started again on the same data.

    `modules` are enabled beside those that logging in needs; `options` stand before those
    that it has of itself; their values are Lua.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "prosody"
        self.data.mkdir()
        self.log = directory / "prosody.log"
        self.port, self.http_port = free_ports(2)
        self.modules = ["lastlog", "lastlog2", "measure_active_users", "login_records", "chosen_address"]
        self.options: dict[str, str] = {}
        self.plugins: list[Path] = []
        self.logins = 0
        self._addresses: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._install()

    # -- its life --

    def start(self, **options: str) -> None:
        """Starts it, with these options from now on, and waits until it answers."""
        assert self._process is None
        assert COMMAND is not None
        self.options.update(options)
        config = self._configure()
        starts_before = self._starts()
        command = [COMMAND, *(["--root"] if os.geteuid() == 0 else []), "--config", str(config), "-F"]
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self.directory)
        try:
            wait_until(lambda: self._answers() and self._starts() > starts_before)
        except AssertionError:
            pytest.fail(f"Prosody did not start:\n{self.log.read_text() if self.log.exists() else ''}")

    def stop(self) -> None:
        """Tells it to end, as a service manager does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it without a word."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        if self._process is not None:
            self.kill()

    # -- its users --

    def register(self, *users: str, host: str = HOST) -> None:
        """Accounts, as mod_auth_internal_plain keeps them."""
        for user in users:
            prosody_writes(self.data, host, "accounts", user, lua({"password": PASSWORD}))

    def address(self, user: str, address: str | None) -> None:
        """Where the user's logins come from, from now on; None takes the address away."""
        self._addresses[user] = "nil" if address is None else address
        lines = "".join(f"{name}\t{chosen}\n" for name, chosen in self._addresses.items())
        temporary = self.directory / "addresses~"
        temporary.write_text(lines, encoding="utf-8")
        temporary.rename(self.directory / "addresses")

    def clock(self, when: float) -> None:
        """Sets what time it is for the server; asks for the module `chosen_time`."""
        (self.directory / "time").write_text(str(int(when)))

    # -- what it writes and says --

    def file(self, store: str, user: str, host: str = HOST) -> Path:
        return self.data / os.fsdecode(encode(host)) / store / (os.fsdecode(encode(user)) + ".dat")

    def stored(self, store: str, user: str, host: str = HOST) -> LuaValue:
        """What a store holds of a user, None for nothing."""
        path = self.file(store, user, host)
        return parse(path.read_bytes()) if path.exists() else None

    def writes(self, store: str, user: str, value: object, host: str = HOST) -> None:
        """Puts into a store what a server wrote there in earlier times."""
        prosody_writes(self.data, host, store, user, lua(value))

    def aggregate(self, host: str) -> Path:
        """The file in which mod_monthly_visitors counts."""
        return self.data / os.fsdecode(encode(host)) / "monthly%2dvisitors.dat"

    def log_has(self, text: str) -> bool:
        return text in self.log.read_text(encoding="utf-8", errors="replace")

    def _starts(self) -> int:
        """How often its log says that all of it is loaded."""
        log = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return log.count("the server has started")

    def version(self) -> str:
        said = re.search(r"Prosody version (\S+)", self.log.read_text(errors="replace"))
        return said[1] if said else "?"

    def active_users(self, host: str = HOST) -> dict[str, int]:
        """What the real mod_measure_active_users makes of it now, from the server's metrics."""
        if self.log_has("Unable to load module 'http_openmetrics'"):
            pytest.skip("this Prosody is older than 0.12, which brings mod_http_openmetrics")
        assert self._get("/calculate_now", host) == "calculated"
        name = "prosody_mod_measure_active_users__active_users_"
        gauges = re.findall(rf'^{name}(\w+){{host="{host}"}} (\S+)$', self._get("/metrics", host), re.MULTILINE)
        return {window: int(float(users)) for window, users in gauges}

    # -- inside --

    def _get(self, path: str, host: str) -> str:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", headers={"Host": host})
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            text: str = answer.read().decode()
        return text

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "Prosody ended"
        try:
            for port in (self.port, self.http_port):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return False
        return True

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=120)
        self._process = None

    def _install(self) -> None:
        """Only the modules that are asked for: a folder of one version's modules would change another version."""
        self._plugin_folder = self.directory / "plugins"
        self._plugin_folder.mkdir()
        shutil.copytree(OURS, self._plugin_folder / OURS.name)
        for name in COMMUNITY:
            module = community_module(name)
            assert module is not None
            (self._plugin_folder / module.name).symlink_to(module)
        (self.directory / "addresses").touch()

    def _configure(self) -> Path:
        modules = [
            "saslauth",
            "roster",
            "disco",
            "register",
            "http",
            "http_openmetrics",
            "calculate_now",
            "tells_when_started",
            *self.modules,
        ]
        options = {
            "data_path": quoted(self.data),
            "plugin_paths": listed(self._plugin_folder, FOR_TESTS, *self.plugins),
            "run_as_root": "true",
            "modules_disabled": listed("s2s", "posix", "tls", "offline"),
            "modules_enabled": listed(*modules),
            "interfaces": listed("127.0.0.1"),
            "c2s_ports": f"{{ {self.port} }}",
            "c2s_direct_tls_ports": "{}",
            "s2s_ports": "{}",
            "c2s_require_encryption": "false",
            "allow_unencrypted_plain_auth": "true",
            "allow_registration": "true",
            "authentication": quoted("internal_plain"),
            "http_ports": f"{{ {self.http_port} }}",
            "http_interfaces": listed("127.0.0.1"),
            "https_ports": "{}",
            "statistics": quoted("internal"),
            "statistics_interval": quoted("manual"),
            "lastlog_ip_address": "true",
            "chosen_addresses": quoted(self.directory / "addresses"),
            "chosen_time": quoted(self.directory / "time"),
            "log": f"{{ debug = {quoted(self.log)} }}",
            **self.options,
        }
        lines = [f"{name} = {value}" for name, value in options.items()]
        hosts = [f"VirtualHost {quoted(host)}" for host in (HOST, OTHER_HOST)]
        path = self.directory / "prosody.cfg.lua"
        path.write_text("\n".join(lines + hosts) + "\n")
        return path
