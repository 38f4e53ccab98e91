"""The command line: which command is meant, and with what arguments. What commands do is in `commands`."""

import argparse
import difflib
import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NoReturn

from headcount import __version__
from headcount.commands import COMMANDS, terminal
from headcount.errors import HeadcountError, UsageError, unforeseen
from headcount.settings import load
from headcount.text import clean

_BY_NAME = {command.name: command for command in COMMANDS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command with these arguments (by default those of the process); gives the exit code.

    Signals that ask to stop may have to wait before (`stopping.hold`): each command heeds them once it is ready.
    """
    try:
        name, asked = _parse(list(sys.argv[1:] if arguments is None else arguments))
        settings = load(vars(asked), os.environ, asked.config)
        logging.getLogger("headcount").setLevel(settings.log_level.upper())
        return _BY_NAME[name].run(asked, settings)
    except HeadcountError as error:
        print(f"headcount: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader, `head` say, has had enough
        terminal.drop_output()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        print(f"headcount: {unforeseen(error)}", file=sys.stderr)
        return 1


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others, and whose options are written in full.

    It remembers its options: by the name of each, whether a value follows it.
    """

    def __init__(self, **how: Any) -> None:
        self.options: dict[str, bool] = {}
        super().__init__(**{**how, "allow_abbrev": False})

    def add_argument(self, *names: str, **how: Any) -> argparse.Action:
        action = super().add_argument(*names, **how)
        self.options |= dict.fromkeys(action.option_strings, action.nargs != 0)
        return action

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{clean(message[:1].upper() + message[1:])}.", f"See {self.prog} --help.")


def _parse(arguments: list[str]) -> tuple[str, argparse.Namespace]:
    """The name of the command that is meant, and what is asked of it.

    The command may stand anywhere, and its words and options in any order; argparse, which wants all words of a command
    in one place, gets them so. Raises UsageError for what can't be understood.
    """
    whole, parsers = _parsers()
    if arguments[:1] in (["-h"], ["--help"], ["--version"]):
        whole.parse_args(arguments)  # which ends the process
    takes_value = dict(chain.from_iterable(parser.options.items() for parser in parsers.values()))
    words, options, rest = _split(arguments, takes_value)
    name = next((word for word in words if word in parsers), None)
    if name is None:
        _refuse_misspelt(words[:1])
        name = COMMANDS[0].name
    else:
        words.remove(name)
    _refuse_unknown(name, [option.split("=")[0] for option, *_ in options], parsers)
    given = [*chain.from_iterable(options)]
    return name, parsers[name].parse_args([*given, "--", *words, *rest] if rest else [*words, *given])


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    """The parser that knows the whole command, for its help, and that of each command by name."""
    whole = _Parser(
        prog="headcount",
        description="Live, privacy-preserving user statistics for XMPP servers, in a terminal.",
        epilog="Without a command it opens the live screen: headcount [SOURCE]. See headcount screen --help.",
    )
    whole.add_argument("--version", action="version", version=f"headcount {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser, required=True)
    parsers = {}
    for command in COMMANDS:
        parsers[command.name] = commands.add_parser(command.name, help=command.help)
        command.add_arguments(parsers[command.name])
    return whole, parsers


def _split(arguments: Iterable[str], takes_value: Mapping[str, bool]) -> tuple[list[str], list[list[str]], list[str]]:
    """The words of a command line, its options, each with its value if one follows it, and what comes after `--`."""
    words, options, left = [], [], iter(arguments)
    for argument in left:
        if argument == "--":
            break
        if argument.startswith("-") and argument != "-":
            options.append([argument, *islice(left, int(takes_value.get(argument, False)))])
        else:
            words.append(argument)
    return words, options, list(left)


def _refuse_misspelt(words: list[str]) -> None:
    """A word that is nearly a command, and no path, is not taken for the name of a data directory."""
    for word in words:
        near = difflib.get_close_matches(word, _BY_NAME, n=1)
        if near and os.sep not in word and not os.path.exists(word):
            raise UsageError(f"There is no command {clean(word)}.", f"Did you mean headcount {near[0]}?")


def _refuse_unknown(name: str, options: list[str], parsers: Mapping[str, _Parser]) -> None:
    """Refuses options that the command does not take; of one that others take, it says which."""
    unknown = [option for option in options if option not in parsers[name].options]
    for option in unknown:
        if others := [other for other in parsers if option in parsers[other].options]:
            raise UsageError(
                f"headcount {name} takes no {option}; {_listed(others)}.",
                f"See headcount {name} --help.",
            )
    if unknown:
        parsers[name].error(f"unrecognized arguments: {' '.join(unknown)}")


def _listed(names: list[str]) -> str:
    """Who takes an option, in words."""
    *some, last = names
    return f"only {last} does" if not some else f"{', '.join(some)} and {last} do"
