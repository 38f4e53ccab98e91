"""The command line: where words and options may stand, which options a command takes, and what it costs to ask."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headcount.cli import main
from headcount.commands import COMMANDS
from headcount.commands.base import Command
from headcount.setting_kinds import COUNT
from headcount.settings import SETTINGS, Flag, Setting, Settings, add_flags, load

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "data" / "prosody-samples"
SOURCE = str(SAMPLES / "internal-13")
MODULE = str(SAMPLES / "internal-nested-visitors")


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("HEADCOUNT_", "XDG_", "STATE_DIRECTORY"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADCOUNT_STATE", str(tmp_path / "state.db"))
    monkeypatch.setenv("HEADCOUNT_TIMEZONE", "UTC")
    monkeypatch.setattr("headcount.settings.USUAL_CONFIG", tmp_path / "no.toml")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says of arguments that it refuses."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


@pytest.mark.parametrize(
    "order",
    [
        "export OUT SOURCE --format json",
        "export OUT --format json SOURCE",
        "export --format json OUT SOURCE",
        "export OUT --format=json --exact SOURCE --host example.com",
        "--format json export OUT --exact SOURCE",
        "--host example.com OUT --format json export SOURCE",
        "export OUT --format json -- SOURCE",
        "export --format json -- OUT SOURCE",
    ],
)
def test_words_and_options_may_stand_in_any_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], order: str
) -> None:
    out = tmp_path / "out"
    words = {"OUT": str(out), "SOURCE": SOURCE}
    assert main([words.get(word, word) for word in order.split()]) == 0
    assert capsys.readouterr() == (f"Wrote {out / 'headcount.json'}.\n", "")
    assert json.loads((out / "headcount.json").read_text())["hosts"].keys() >= {"example.com"}


@pytest.mark.parametrize("order", ["MODULE SOURCE --dry-run", "MODULE --dry-run SOURCE", "--dry-run MODULE SOURCE"])
def test_so_they_may_at_an_import(capsys: pytest.CaptureFixture[str], order: str) -> None:
    words = {"MODULE": MODULE, "SOURCE": SOURCE}
    assert main(["import", *(words.get(word, word) for word in order.split())]) == 0
    assert capsys.readouterr().out.startswith(f"Would take from {MODULE} into ")


def test_a_path_that_begins_like_an_option_comes_after_two_dashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "--odd").symlink_to(SOURCE)
    assert "Unrecognized arguments: --odd." in refused(capsys, "report", "--odd")
    assert main(["report", "--format", "json", "--", "--odd"]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == str(tmp_path / "--odd")
    assert main(["--", "--odd"]) == 0


def test_a_command_is_no_value_of_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--host", "--client", "--country", "--month"):
        assert "prune is" in refused(capsys, option, "prune", "report", SOURCE), option


def test_too_many_words_are_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Unrecognized arguments: two." in refused(capsys, "report", SOURCE, "--k-anonymous", "two")
    assert "The following arguments are required: DIR" in refused(capsys, "export", "--format", "json")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["engine", SOURCE, "--host", "example.com"],
            "headcount engine takes no --host; screen, report, export, import and demo do.\n"
            "  See headcount engine --help.",
        ),
        (["prune", "--keep", "3", "--host=example.com"], "headcount prune takes no --host; "),
        (["prune", "--keep", "3", "--mmdb", "x"], "headcount prune takes no --mmdb; screen, engine, report and export"),
        (["prune", "--keep", "3", "--trust-files"], "headcount prune takes no --trust-files; "),
        (["import", MODULE, "--mmdb", "x"], "headcount import takes no --mmdb; "),
        (["import", MODULE, "--trust-files"], "headcount import takes no --trust-files; "),
        (["demo", "--state", "x"], "headcount demo takes no --state; "),
        (["report", SOURCE, "--exact"], "headcount report takes no --exact; only export does.\n"),
        (["--exact", SOURCE], "headcount screen takes no --exact; only export does.\n"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused_with_the_commands_that_take_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert f"headcount: {told}" in refused(capsys, *arguments)
    assert not (tmp_path / "state.db").exists()


def options_of(command: Command) -> dict[str, bool]:
    """The options of a command: whether each takes a value."""
    found: dict[str, bool] = {}

    class Parser(argparse.ArgumentParser):
        def add_argument(self, *names: str, **how: object) -> argparse.Action:  # type: ignore[override]
            action = super().add_argument(*names, **how)  # type: ignore[arg-type]
            found.update(dict.fromkeys(action.option_strings, action.nargs != 0))
            return action

    command.add_arguments(Parser())
    return found


def test_an_option_takes_a_value_at_all_commands_or_at_none() -> None:
    """Else it could not be told which word is the command."""
    kinds: dict[str, set[bool]] = {}
    for command in COMMANDS:
        for option, takes_value in options_of(command).items():
            kinds.setdefault(option, set()).add(takes_value)
    assert {option: kind for option, kind in kinds.items() if len(kind) > 1} == {}


def test_every_flag_of_a_setting_sets_it_as_it_is_described(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, "state", "reading", "months", "log", "screen")
    flags = (
        "/srv/prosody --state /x.db --mmdb /a.mmdb --mmdb /b.mmdb --trust-files --timezone Asia/Tokyo "
        "--log-level DEBUG --theme nord --ascii --no-mouse"
    )
    settings = load(vars(parser.parse_args(flags.split())), {}, os.devnull)
    assert settings == Settings(
        source="/srv/prosody",
        state="/x.db",
        mmdb_path=("/a.mmdb", "/b.mmdb"),
        trust_files=True,
        timezone="Asia/Tokyo",
        log_level="debug",
        theme="nord",
        ascii=True,
        mouse=False,
    )
    untouched = {key for key, setting in SETTINGS.items() if getattr(settings, key) == getattr(Settings(), key)}
    assert untouched == {key for key, setting in SETTINGS.items() if setting.flag is None}
    assert load(vars(parser.parse_args([])), {}, os.devnull) == Settings()


def test_one_description_makes_a_flag_of_a_number_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flag = Flag("--min-count", "months", "the smallest group", value="N")
    monkeypatch.setitem(SETTINGS, "min_count", Setting(COUNT, flag))
    monkeypatch.setattr("time.time", lambda: 1_795_323_600)
    assert main(["--min-count", "2", "report", SOURCE, "--k-anonymous", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["anonymity"]["min_count"] == 2
    assert "--min-count: many is no TOML value." in refused(capsys, "report", "--min-count", "many")
    assert "--min-count: min_count = 0 is not valid: it is 1 or more." in refused(capsys, "report", "--min-count", "0")


def test_a_source_that_is_not_valid_is_named_as_the_help_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "SOURCE: source = '' is not valid" in refused(capsys, "report", "")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which says on standard error what it imported of Headcount."""
    code = (
        "import sys\nfrom headcount.cli import main\n"
        "try:\n    sys.exit(main(sys.argv[1:]))\n"
        "finally:\n    print(*sorted({'.'.join(name.split('.')[:2]) for name in sys.modules}), file=sys.stderr)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "core")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], *([c.name, "--help"] for c in COMMANDS)])
def test_what_only_tells_of_commands_loads_none_of_what_they_work_with(arguments: list[str]) -> None:
    told = command(*arguments)
    assert told.stdout
    loaded = {name for name in told.stderr.split() if name.startswith("headcount")}
    assert loaded <= {
        "headcount",
        *(f"headcount.{name}" for name in ("cli", "commands", "errors", "months", "setting_kinds", "settings")),
        *(f"headcount.{name}" for name in ("stopping", "text", "zones")),
    }
    assert not {"sqlite3", "maxminddb", "pycountry", "lupa", "watchfiles"} & set(told.stderr.split())


def test_help_names_every_command_with_what_it_does() -> None:
    told = command("--help").stdout.split("commands:")[1].splitlines()
    assert [line.split(maxsplit=1) for line in told[2:9]] == [[each.name, each.help] for each in COMMANDS]


def test_the_log_level_holds_for_whatever_a_command_says() -> None:
    arguments = ("report", SOURCE, "--at", "2026-11-20", "--format", "json")
    assert "Active users are at least so many" in command(*arguments).stderr
    assert "Active users" not in command(*arguments, "--log-level", "error").stderr
