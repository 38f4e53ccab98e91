"""How Headcount is set up: one TOML file, HEADCOUNT_… variables, flags; flag over variable over file.

Each setting is described once, in `Settings`: a line there is all that a new one needs to be known to all three.
"""

import difflib
import hashlib
import os
import re
import tomllib
from argparse import ArgumentParser
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfoNotFoundError

from headcount import setting_kinds as kinds
from headcount.errors import NoPermissionError, UsageError
from headcount.setting_kinds import ZONES, Kind
from headcount.text import clean
from headcount.zones import LOCAL, name_of, zone_of, zone_variable

PREFIX = "HEADCOUNT_"
USUAL_SOURCES = ("/var/lib/prosody", "/usr/local/var/lib/prosody", "/opt/homebrew/var/lib/prosody")
USUAL_STATE = Path("/var/lib/headcount")
USUAL_CONFIG = Path("/etc/headcount/config.toml")
_LONGEST_NAME = 100
_T = TypeVar("_T")

Use = Literal["state", "reading", "months", "log", "screen"]
"""What flags are for: a command takes those of its uses, and no flag that would do nothing there."""


@dataclass(frozen=True, slots=True)
class Flag:
    """How a setting is given on the command line. `name` is the option, or what the help calls a word that has none.
    `value` is what the help calls the option's value; one without a value sets `sets`. One that `repeats` gives a
    list."""

    name: str
    use: Use
    help: str
    value: str | None = None
    repeats: bool = False
    sets: bool = True

    def add_to(self, parser: ArgumentParser, key: str) -> None:
        """Has the parser know the flag, which gives the setting of this key; None where it is not there."""
        if not self.name.startswith("-"):
            parser.add_argument(key, nargs="?", metavar=self.name, help=self.help)
        elif self.value is None:
            parser.add_argument(self.name, dest=key, action="store_const", const=self.sets, help=self.help)
        else:
            action = "append" if self.repeats else "store"
            parser.add_argument(self.name, dest=key, action=action, metavar=self.value, help=self.help)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a setting beside its name and its default."""

    kind: Kind[object]
    flag: Flag | None = None


def _setting(default: _T, kind: Kind[_T], flag: Flag | None = None) -> _T:
    """The description of a setting. Its name is its key in the file and, in capitals, its variable."""
    return field(default=default, metadata={"setting": Setting(kind, flag)})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, and by which flag. `source` and `state` are None where Headcount has to find them
    itself. --help shows their flags in this order."""

    source: str | None = _setting(None, kinds.TEXT, Flag("SOURCE", "state", "the server's data directory"))
    state: str | None = _setting(
        None, kinds.TEXT, Flag("--state", "state", "where counts are kept: sqlite:////path/to/state.db", value="URL")
    )
    mmdb_path: tuple[str, ...] = _setting(
        (), kinds.PATHS, Flag("--mmdb", "reading", "a GeoIP database; may be repeated", value="FILE", repeats=True)
    )
    trust_files: bool = _setting(
        False,
        kinds.TRUTH,
        Flag(
            "--trust-files",
            "reading",
            "trust the data directory even if all hosts are missing, or a newer database lies beside the files",
        ),
    )
    record_country: frozenset[str] | None = _setting(None, kinds.COUNTRIES)
    timezone: str | None = _setting(
        None,
        kinds.ZONE,
        Flag(
            "--timezone",
            "months",
            "the time zone of the months, by name or as TZ has it (default: the machine's)",
            value="ZONE",
        ),
    )
    min_count: int = _setting(5, kinds.COUNT)
    keep_months: int | None = _setting(None, kinds.COUNT)
    settle: float = _setting(5.0, kinds.SECONDS)
    count_open_sessions: bool = _setting(False, kinds.TRUTH)
    client_patterns: tuple[tuple[str, str], ...] = _setting((), kinds.PATTERNS)
    default_client_patterns: bool = _setting(True, kinds.TRUTH)
    log_level: str = _setting(
        "info", kinds.LEVEL, Flag("--log-level", "log", "debug, info, warning or error", value="LEVEL")
    )
    theme: str | None = _setting(
        None,
        kinds.TEXT,
        Flag("--theme", "screen", "the colours; an unknown name gives an error that lists all of them", value="NAME"),
    )
    ascii: bool | None = _setting(None, kinds.TRUTH, Flag("--ascii", "screen", "draw with ASCII signs alone"))
    mouse: bool = _setting(
        True,
        kinds.TRUTH,
        Flag("--no-mouse", "screen", "leave the mouse to the terminal, for selecting text", sets=False),
    )
    remember: bool = _setting(False, kinds.TRUTH)
    keys: tuple[tuple[str, str], ...] = _setting((), kinds.KEYS)

    def zone_name(self) -> str:
        """The name or rules (see `zones`) of the time zone that months are reckoned in: the one set, else the machine's
        own, as the C library has it. Raises UsageError where TZ names none that is known here."""
        if self.timezone is not None:
            return self.timezone
        if "TZ" in os.environ:
            return _zone_of_variable(os.environ["TZ"])
        with suppress(ZoneInfoNotFoundError):
            return name_of(LOCAL)
        import tzlocal  # asks the machine, so not before it is needed

        with suppress(OSError, ValueError, LookupError):
            return zone_of(tzlocal.get_localzone_name() or "UTC").key
        return "UTC"

    def source_path(self) -> str:
        """The source that is set, else the first usual data directory that is there, else Debian's."""
        return self.source or next((path for path in USUAL_SOURCES if os.path.isdir(path)), USUAL_SOURCES[0])

    def state_path(self, environment: Mapping[str, str]) -> str:
        """The state that is set, else one for this source in the usual place for states of this user."""
        if self.state is not None:
            return self.state
        if environment.get("STATE_DIRECTORY"):  # systemd, StateDirectory=
            directory = Path(environment["STATE_DIRECTORY"].split(":")[0])
        elif os.geteuid() == 0 and not environment.get("XDG_STATE_HOME"):
            directory = USUAL_STATE
        else:
            home = _home(environment, "XDG_STATE_HOME", ".local/state")
            if home is None:
                raise UsageError("This user has no home to keep the state in.", "Name the state with --state FILE.")
            directory = home / "headcount"
        name = f"{_name_of(os.path.abspath(self.source_path()))}.db"
        if os.access(USUAL_STATE / name, os.R_OK):  # an engine that runs as a service, say
            directory = USUAL_STATE
        return str(directory / name)

    def memory_path(self, environment: Mapping[str, str]) -> Path | None:
        """Where this user's screen may keep its look; None for a user without a home."""
        home = _home(environment, "XDG_STATE_HOME", ".local/state")
        return None if home is None else home / "headcount" / "screen.json"


SETTINGS: dict[str, Setting] = {field.name: field.metadata["setting"] for field in fields(Settings)}
"""By its name, how each setting is described."""


def _zone_of_variable(text: str) -> str:
    try:
        return zone_variable(text)
    except ZoneInfoNotFoundError:
        raise UsageError(
            f"TZ = {clean(repr(text), 60)} is not valid: no time zone has that name; {ZONES}.",
            "Set it right, or name the zone with --timezone ZONE.",
        ) from None


def _name_of(path: str) -> str:
    """A file name that says which path it is for, and is that of no other path."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-") or "root"
    if path == f"/{name.replace('-', '/')}" and len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"


def _home(environment: Mapping[str, str], variable: str, usual: str) -> Path | None:
    """The directory that a variable of the XDG base directories names, else the `usual` one; None without a home."""
    if environment.get(variable):
        return Path(environment[variable])
    try:
        return Path(environment.get("HOME") or "~").expanduser() / usual
    except RuntimeError:  # a container's user, which is a mere number
        return None


def load(flags: Mapping[str, object], environment: Mapping[str, str], config: str | None = None) -> Settings:
    """The settings from the flags given (None: not given), the environment and the configuration file.

    `config` names the file; by default it is the first there of $XDG_CONFIG_HOME/headcount/config.toml and
    /etc/headcount/config.toml. Raises UsageError with the file, the key and the nearest known name.
    """
    values: dict[str, object] = {}
    path = _config_file(config or environment.get(PREFIX + "CONFIG"), environment)
    if path is not None:
        for key, value in _read(path).items():
            values[key] = _checked(key, value, clean(str(path)))
    for name, text in environment.items():
        key = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and key != "config":
            values[key] = _checked(key, _from_text(key, text, name), name)
    for key, setting in SETTINGS.items():
        value = flags.get(key)
        if setting.flag is not None and value is not None:
            where = setting.flag.name
            values[key] = _checked(key, _from_text(key, value, where) if isinstance(value, str) else value, where)
    return replace(Settings(), **values)  # type: ignore[arg-type]  # each was checked by its own rule


def add_flags(parser: ArgumentParser, *uses: Use) -> None:
    """Has a parser know all flags for these uses: what it parses, `load` takes."""
    for key, setting in SETTINGS.items():
        if setting.flag is not None and setting.flag.use in uses:
            setting.flag.add_to(parser, key)


def _config_file(named: str | None, environment: Mapping[str, str]) -> Path | None:
    if named:
        return Path(named)
    home = _home(environment, "XDG_CONFIG_HOME", ".config")
    usual = [USUAL_CONFIG]
    if home is not None:
        usual.insert(0, home / "headcount" / "config.toml")
    return next((path for path in usual if os.path.isfile(path)), None)


def _read(path: Path) -> dict[str, object]:
    shown = clean(str(path))
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"There is no configuration file {shown}.") from None
    except PermissionError:
        raise NoPermissionError(f"No permission to read the configuration file {shown}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"The configuration file {shown} can't be read: {clean(str(error))}.") from None


def _checked(key: str, value: object, where: str) -> object:
    """The value as `Settings` holds it. Raises UsageError for an unknown key or a bad value."""
    setting = SETTINGS.get(key)
    if setting is None:
        near = difflib.get_close_matches(key, SETTINGS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(sorted(SETTINGS))}."
        raise UsageError(f"{where}: there is no setting {clean(key)}.", hint)
    try:
        return setting.kind.check(value)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        why = str(error) if isinstance(error, ValueError) else "a value of another kind is needed"
        raise UsageError(f"{where}: {key} = {clean(repr(value), 60)} is not valid: {clean(why)}.") from None


def _from_text(key: str, text: str, where: str) -> object:
    """A variable's or a flag's text as the TOML value it stands for; itself where there is no such key."""
    try:
        return SETTINGS[key].kind.from_text(text) if key in SETTINGS else text
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: {clean(text, 60)} is no TOML value.") from None
