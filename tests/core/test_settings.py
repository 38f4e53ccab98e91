"""Settings: flag over variable over file, and whatever is not valid is refused with its place, its key and a hint."""

import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from headcount.errors import NoPermissionError, UsageError
from headcount.settings import USUAL_SOURCES, Settings, load
from headcount.zones import zone_of
from support import unprivileged


@pytest.fixture(autouse=True)
def usual_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's own configuration file, which no test reads."""
    path = tmp_path / "etc" / "config.toml"
    monkeypatch.setattr("headcount.settings.USUAL_CONFIG", path)
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config" / "headcount" / "config.toml"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return str(path)


def loaded(environment: Mapping[str, str], **flags: object) -> Settings:
    return load(flags, environment)


def test_without_anything_set_everything_has_a_default(environment: dict[str, str]) -> None:
    assert loaded(environment) == Settings()


def test_a_file_sets_everything(config: Path, environment: dict[str, str]) -> None:
    write(
        config,
        """
        source = "/srv/prosody"
        state = "sqlite:////srv/state.db"
        mmdb_path = "/usr/share/GeoIP/GeoLite2-City.mmdb"
        record_country = ["DE", "fr"]
        timezone = "Europe/Berlin"
        min_count = 10
            keep_months = 24
        settle = 2
        count_open_sessions = true
        trust_files = true
        default_client_patterns = false
        log_level = "WARNING"
        theme = "safe-dark"
        ascii = true
        mouse = false
        remember = true
        keys = { country = "f", pause = "p,f9" }
        [[client_patterns]]
        pattern = "^Conversations%..*"
        client = "ANDROID"
        [[client_patterns]]
        pattern = "^gajim"
        client = "Gajim"
        """,
    )
    settings = loaded(environment)
    assert settings == Settings(
        source="/srv/prosody",
        state="sqlite:////srv/state.db",
        mmdb_path=("/usr/share/GeoIP/GeoLite2-City.mmdb",),
        record_country=frozenset({"DE", "FR"}),
        timezone="Europe/Berlin",
        min_count=10,
        keep_months=24,
        settle=2.0,
        count_open_sessions=True,
        trust_files=True,
        default_client_patterns=False,
        log_level="warning",
        theme="safe-dark",
        ascii=True,
        mouse=False,
        remember=True,
        keys=(("country", "f"), ("pause", "p,f9")),
        client_patterns=(("^Conversations%..*", "ANDROID"), ("^gajim", "Gajim")),
    )
    untouched = [field.name for field in fields(Settings) if getattr(settings, field.name) == field.default]
    assert untouched == []


def test_a_flag_goes_over_a_variable_and_a_variable_over_the_file(config: Path, environment: dict[str, str]) -> None:
    write(config, 'source = "/file"\ntimezone = "Europe/Paris"\nmin_count = 7\n')
    environment |= {"HEADCOUNT_SOURCE": "/variable", "HEADCOUNT_TIMEZONE": "Asia/Tokyo"}
    settings = loaded(environment, source="/flag", timezone=None)
    assert (settings.source, settings.timezone, settings.min_count) == ("/flag", "Asia/Tokyo", 7)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MMDB_PATH", f"/a.mmdb{os.pathsep}/b.mmdb", ("/a.mmdb", "/b.mmdb")),
        ("RECORD_COUNTRY", "de, FR jp", frozenset({"DE", "FR", "JP"})),
        ("RECORD_COUNTRY", "all", None),
        ("MIN_COUNT", "12", 12),
        ("SETTLE", "0.5", 0.5),
        ("SETTLE", "0", 0.0),
        ("COUNT_OPEN_SESSIONS", "true", True),
        ("DEFAULT_CLIENT_PATTERNS", "false", False),
        ("CLIENT_PATTERNS", '[{ pattern = "^x", client = "Y" }]', (("^x", "Y"),)),
        ("LOG_LEVEL", "Debug", "debug"),
        ("STATE", "/x.db", "/x.db"),
    ],
)
def test_every_kind_of_value_can_stand_in_a_variable(
    environment: dict[str, str], name: str, text: str, value: object
) -> None:
    environment[f"HEADCOUNT_{name}"] = text
    assert getattr(loaded(environment), name.lower()) == value


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('sorce = "/x"', ["there is no setting sorce", "Did you mean source?"]),
        ('timezon = "UTC"', ["Did you mean timezone?"]),
        ('xyzzy = "1"', ["no setting xyzzy", "Known are: ascii, client_patterns", "trust_files."]),
        ("[client]\npattern = 1", ["no setting client"]),
        ('"\\u001b[31m" = 1', ["no setting \ufffd[31m"]),
        ('keys = "f"', ["keys = 'f' is not valid"]),
        ("keys = { country = 5 }", ["keys = {'country': 5} is not valid"]),
        ('ascii = "yes"', ["ascii = 'yes' is not valid"]),
        ("source = 5", ["source = 5 is not valid"]),
        ('source = ""', ["source = '' is not valid"]),
        ('source = "a\\u0000b"', ["it has a zero character in it"]),
        ('timezone = "Europe/Atlantis"', ["timezone = 'Europe/Atlantis'", "such as Europe/Berlin"]),
        ('timezone = "Europe"', ["no time zone has that name"]),
        ('timezone = "../../etc/passwd"', ["no time zone has that name"]),
        ('timezone = "a\\u0000b"', ["no time zone has that name"]),
        ("timezone = 1", ["timezone = 1 is not valid"]),
        ('record_country = "Germany"', ["two-letter country codes"]),
        ("record_country = []", ["two-letter country codes"]),
        ('record_country = ""', ["two-letter country codes"]),
        ('record_country = ["ALL", "DE"]', ["two-letter country codes"]),
        ("record_country = [1]", ["a value of another kind"]),
        ("record_country = true", ["a value of another kind"]),
        ("min_count = 0", ["it is 1 or more"]),
        ("min_count = 2.5", ["a value of another kind"]),
        ("min_count = true", ["a value of another kind"]),
        ("settle = -1", ["a number of seconds"]),
        ("settle = nan", ["a number of seconds"]),
        ("settle = inf", ["a number of seconds"]),
        pytest.param(f"settle = 1{'0' * 400}", ["settle = 1000", "is not valid"], id="a number beyond all"),
        ("settle = false", ["a value of another kind"]),
        ("count_open_sessions = 1", ["a value of another kind"]),
        ("mmdb_path = 1", ["a value of another kind"]),
        ('mmdb_path = [""]', ["a value of another kind"]),
        ('log_level = "loud"', ["debug, info, warning, error"]),
        ('client_patterns = "x"', ["a value of another kind"]),
        ('client_patterns = ["x"]', ["a value of another kind"]),
        ('[[client_patterns]]\npattern = "x"', ["a value of another kind"]),
        ('[[client_patterns]]\npattern = "x"\nclient = 5', ["a value of another kind"]),
        ("source", ["can't be read"]),
        ("min_count = 1\nmin_count = 2", ["can't be read"]),
        pytest.param(f"min_count = {'1' * 5000}", ["can't be read"], id="a number of 5000 digits"),
        pytest.param(f"mmdb_path = {'[' * 20000}", ["can't be read"], id="lists in lists in lists"),
    ],
)
def test_what_will_not_do_is_refused_with_the_file_the_key_and_a_hint(
    config: Path, environment: dict[str, str], line: str, told: list[str]
) -> None:
    write(config, line)
    with pytest.raises(UsageError) as refused:
        loaded(environment)
    for words in (str(config), *told):
        assert words in str(refused.value)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("HEADCOUNT_SORCE", "/x", "Did you mean source?"),
        ("HEADCOUNT_MIN_COUNT", "many", "HEADCOUNT_MIN_COUNT: many is no TOML value."),
        pytest.param("HEADCOUNT_MIN_COUNT", "1" * 5000, "no TOML value", id="a number of 5000 digits"),
        ("HEADCOUNT_COUNT_OPEN_SESSIONS", "yes", "no TOML value"),
        ("HEADCOUNT_COUNT_OPEN_SESSIONS", "1", "HEADCOUNT_COUNT_OPEN_SESSIONS: count_open_sessions = 1 is not valid"),
        ("HEADCOUNT_TIMEZONE", "Nowhere", "HEADCOUNT_TIMEZONE: timezone = 'Nowhere'"),
        ("HEADCOUNT_SOURCE", "", "HEADCOUNT_SOURCE: source = ''"),
    ],
)
def test_a_variable_that_will_not_do_is_named(environment: dict[str, str], name: str, text: str, told: str) -> None:
    environment[name] = text
    with pytest.raises(UsageError, match=re.escape(told)):
        loaded(environment)


def test_a_flag_that_will_not_do_is_named_as_it_is_written(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"^--log-level: log_level = 'loud' is not valid"):
        loaded(environment, log_level="loud")
    with pytest.raises(UsageError, match=r"^--mmdb: mmdb_path = \[''\] is not valid"):
        loaded(environment, mmdb_path=[""])


def test_the_file_can_be_named_by_a_flag_or_else_a_variable(tmp_path: Path, environment: dict[str, str]) -> None:
    environment["HEADCOUNT_CONFIG"] = write(tmp_path / "one.toml", "min_count = 1")
    other = write(tmp_path / "other.toml", "min_count = 2")
    assert load({}, environment).min_count == 1
    assert load({}, environment, other).min_count == 2
    environment["HEADCOUNT_CONFIG"] = ""  # set to nothing is not set
    assert load({}, environment).min_count == Settings().min_count


def test_a_named_file_must_be_there_and_be_a_file_of_text(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"There is no configuration file .*missing.toml"):
        load({}, environment, str(tmp_path / "missing.toml"))
    with pytest.raises(UsageError, match="can't be read"):
        load({}, environment, str(tmp_path))
    (tmp_path / "latin.toml").write_bytes(b'source = "caf\xe9"')
    with pytest.raises(UsageError, match="can't be read"):
        load({}, environment, str(tmp_path / "latin.toml"))
    with pytest.raises(UsageError, match="can't be read"):
        load({}, environment, "a\0b")


def test_a_file_that_may_not_be_read(open_tmp: Path) -> None:
    path = write(open_tmp / "secret.toml", "")
    Path(path).chmod(0)
    with unprivileged(), pytest.raises(NoPermissionError, match=r"secret\.toml"):
        load({}, {}, path)


def test_a_home_that_may_not_be_entered_has_no_configuration(open_tmp: Path) -> None:
    """As with a user that took over root's environment."""
    (open_tmp / "home").mkdir(mode=0o700)
    with unprivileged():
        assert load({}, {"HOME": str(open_tmp / "home")}) == Settings()


def test_a_user_without_a_home_is_served_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # as for the numbers that containers give
    assert load({}, {}) == Settings()
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    with pytest.raises(UsageError, match="--state"):
        Settings(source="/srv/prosody").state_path({})
    assert Settings(state="/x.db").state_path({}) == "/x.db"


def test_home_is_searched_where_xdg_names_nothing(tmp_path: Path) -> None:
    write(tmp_path / ".config" / "headcount" / "config.toml", "min_count = 9")
    assert load({}, {"HOME": str(tmp_path)}).min_count == 9
    assert load({}, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": ""}).min_count == 9


def test_the_machines_own_file_is_read_where_the_user_has_none(
    config: Path, usual_config: Path, environment: dict[str, str]
) -> None:
    write(usual_config, "min_count = 3")
    assert loaded(environment).min_count == 3
    write(config, "settle = 1")
    assert loaded(environment) == Settings(settle=1)


def test_the_source_that_is_set_is_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(source="/srv/x").source_path() == "/srv/x"
    (tmp_path / "second").mkdir()
    monkeypatch.setattr("headcount.settings.USUAL_SOURCES", (str(tmp_path / "first"), str(tmp_path / "second")))
    assert Settings().source_path() == str(tmp_path / "second")
    monkeypatch.setattr("headcount.settings.USUAL_SOURCES", (str(tmp_path / "first"), str(tmp_path / "third")))
    assert Settings().source_path() == str(tmp_path / "first")
    assert USUAL_SOURCES[0] == "/var/lib/prosody"


def test_the_state_lies_where_states_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(source="/var/lib/prosody")
    assert Settings(state="sqlite:////x.db").state_path({"STATE_DIRECTORY": "/y"}) == "sqlite:////x.db"
    assert settings.state_path({"STATE_DIRECTORY": "/run/a:/run/b"}) == "/run/a/var-lib-prosody.db"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert settings.state_path({"HOME": "/root"}) == "/var/lib/headcount/var-lib-prosody.db"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    usual = "/home/a/.local/state/headcount/var-lib-prosody.db"
    assert settings.state_path({"HOME": "/home/a"}) == usual
    assert settings.state_path({"HOME": "/home/a", "XDG_STATE_HOME": ""}) == usual
    assert settings.state_path({"HOME": "/home/a", "XDG_STATE_HOME": "/s"}) == "/s/headcount/var-lib-prosody.db"


def state_of(source: str) -> str:
    return Settings(source=source).state_path({"STATE_DIRECTORY": "/state"})


def test_each_source_has_a_state_of_its_own() -> None:
    sources = ["/srv/a/b", "/srv/a-b", "/srv/a_b", "/srv/a.b", "/srv/a/b-c", "/srv/ä", "/srv/ö", "/srv", "/", "/-"]
    assert len({state_of(source) for source in sources}) == len(sources)


def test_one_source_has_one_state_however_it_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    here = state_of(str(tmp_path / "data"))
    for written in ("data", "./data", "data/", "x/../data", f"{tmp_path}/./data"):
        assert state_of(written) == here, written


def test_a_states_name_fits_in_a_directory() -> None:
    assert len(os.path.basename(state_of("/srv/" + "x" * 200 + "/" + "é" * 200))) <= 128
    assert state_of("/srv/" + "x" * 200 + "/a") != state_of("/srv/" + "x" * 200 + "/b")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
def test_the_zone_that_is_set_is_the_zone(zone: str) -> None:
    assert Settings(timezone=zone).zone_name() == zone


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("Europe/Paris", "Europe/Paris"),
        (":Europe/Paris", "Europe/Paris"),
        ("UTC", "UTC"),
        ("", "UTC"),
        ("EST5EDT", "EST5EDT"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"),
        (":<+03>-3", "<+03>-3"),
    ],
)
def test_the_machines_own_zone_is_the_one_that_tz_names(
    monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    monkeypatch.setenv("TZ", variable)
    assert Settings().zone_name() == name
    assert zone_of(name).key == name


@pytest.mark.parametrize(
    "variable", ["No/Such/Zone", "../../../etc/passwd", "/etc/passwd", "/no/file", "EST5EDT,M3", "é5"]
)
def test_a_zone_that_is_not_understood_is_refused_and_not_another_one_taken(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("TZ", variable)
    with pytest.raises(UsageError, match=r"TZ = .* no time zone has that name; .* such as Europe/Berlin") as refused:
        Settings().zone_name()
    assert "--timezone" in refused.value.hint
    assert Settings(timezone="Asia/Tokyo").zone_name() == "Asia/Tokyo"


@pytest.mark.parametrize("rules", ["EST5EDT", "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3"])
def test_rules_are_a_zone_wherever_one_is_named(tmp_path: Path, rules: str) -> None:
    config = write(tmp_path / "config.toml", f'timezone = "{rules}"')
    assert load({}, {}, str(config)).timezone == rules
    assert load({}, {"HEADCOUNT_TIMEZONE": rules}).timezone == rules
    assert load({"timezone": rules}, {}).timezone == rules
