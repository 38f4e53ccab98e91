"""How Headcount is set up: one TOML file, HEADCOUNT_… variables, flags; flag over variable over file."""

import difflib
import hashlib
import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from headcount.errors import NoPermissionError, UsageError
from headcount.text import clean
from headcount.zones import LOCAL, name_of, told_by, zone_of

PREFIX = "HEADCOUNT_"
USUAL_SOURCES = ("/var/lib/prosody", "/usr/local/var/lib/prosody", "/opt/homebrew/var/lib/prosody")
USUAL_STATE = Path("/var/lib/headcount")
USUAL_CONFIG = Path("/etc/headcount/config.toml")
_LONGEST_NAME = 100
_FLAGS = {"mmdb_path": "--mmdb"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. `source` and `state` are None where Headcount has to find them itself."""

    source: str | None = None
    state: str | None = None
    mmdb_path: tuple[str, ...] = ()
    record_country: frozenset[str] | None = None
    timezone: str | None = None
    min_count: int = 5
    keep_months: int | None = None
    settle: float = 5.0
    count_open_sessions: bool = False
    trust_files: bool = False
    client_patterns: tuple[tuple[str, str], ...] = ()
    default_client_patterns: bool = True
    log_level: str = "info"
    theme: str | None = None
    ascii: bool | None = None
    mouse: bool = True
    remember: bool = False
    keys: tuple[tuple[str, str], ...] = ()

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


_ZONES = "it is one such as Europe/Berlin or UTC, or whole rules such as CET-1CEST,M3.5.0,M10.5.0/3"


def _zone_of_variable(text: str) -> str:
    try:
        return told_by(text)
    except ZoneInfoNotFoundError:
        raise UsageError(
            f"TZ = {clean(repr(text), 60)} won't do: no time zone has that name; {_ZONES}.",
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
    for key, value in flags.items():
        if value is not None:
            values[key] = _checked(key, value, _FLAGS.get(key, f"--{key.replace('_', '-')}"))
    return replace(Settings(), **values)  # type: ignore[arg-type]  # each was checked by its own rule


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
    rule = _RULES.get(key)
    if rule is None:
        near = difflib.get_close_matches(key, _RULES, n=1)
        mend = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(sorted(_RULES))}."
        raise UsageError(f"{where}: there is no setting {clean(key)}.", mend)
    try:
        return rule(value)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        why = str(error) if isinstance(error, ValueError) else "a value of another kind is needed"
        raise UsageError(f"{where}: {key} = {clean(repr(value), 60)} won't do: {clean(why)}.") from None


def _from_text(key: str, text: str, name: str) -> object:
    """A variable's text as the TOML value it stands for: a list, number or truth value where the key wants one."""
    if key in ("mmdb_path",):
        return [part for part in text.split(os.pathsep) if part]
    if key in _TOML_VALUES:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):
            raise UsageError(f"{name}: {clean(text, 60)} is no TOML value.") from None
    return text


_TOML_VALUES = (
    "min_count",
    "keep_months",
    "settle",
    "count_open_sessions",
    "trust_files",
    "default_client_patterns",
    "client_patterns",
    "ascii",
    "mouse",
    "remember",
    "keys",
)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    if "\0" in value:
        raise ValueError("it has a zero character in it")
    return value


def _paths(value: object) -> tuple[str, ...]:
    paths = (value,) if isinstance(value, str) else value
    if not isinstance(paths, (list, tuple)):
        raise TypeError
    return tuple(_text(path) for path in paths)


def _countries(value: object) -> frozenset[str] | None:
    codes = [code for code in re.split(r"[\s,]+", value) if code] if isinstance(value, str) else value
    if not isinstance(codes, (list, tuple)):
        raise TypeError
    wanted = frozenset(_text(code).upper() for code in codes)
    if wanted == {"ALL"}:
        return None
    if not wanted or not all(re.fullmatch("[A-Z]{2}", code) for code in wanted):
        raise ValueError('it is "ALL" or a list of two-letter country codes')
    return wanted


def _zone(value: object) -> str:
    try:
        zone_of(name := _text(value))
    except (ValueError, ZoneInfoNotFoundError):
        raise ValueError(f"no time zone has that name; {_ZONES}") from None
    return name


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    if value < 1:
        raise ValueError("it is 1 or more")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError
    if not (0 <= value < math.inf):
        raise ValueError("it is a number of seconds")
    return float(value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _patterns(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple((_text(entry["pattern"]), _text(entry["client"])) for entry in value)


def _keys(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise TypeError
    return tuple((_text(action), _text(keys)) for action, keys in value.items())


def _level(value: object) -> str:
    levels = ("debug", "info", "warning", "error")
    if _text(value).lower() not in levels:
        raise ValueError(f"it is one of {', '.join(levels)}")
    return _text(value).lower()


_RULES: dict[str, Callable[[Any], object]] = {
    "source": _text,
    "state": _text,
    "mmdb_path": _paths,
    "record_country": _countries,
    "timezone": _zone,
    "min_count": _count,
    "keep_months": _count,
    "settle": _seconds,
    "count_open_sessions": _truth,
    "trust_files": _truth,
    "client_patterns": _patterns,
    "default_client_patterns": _truth,
    "log_level": _level,
    "theme": _text,
    "ascii": _truth,
    "mouse": _truth,
    "remember": _truth,
    "keys": _keys,
}
assert _RULES.keys() == {field.name for field in fields(Settings)}
