"""What a command is, and the options that most of them take."""

from abc import ABC, abstractmethod
from argparse import ArgumentParser, Namespace
from typing import ClassVar

from headcount.settings import Settings, Use, add_flags


class Command(ABC):
    """One command: what it is called, what it takes and what it does.

    All commands are looked at whenever one is asked for, so their files import at the top only what that needs; what
    a command works with it imports in `run`.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    """What it does, in the line that --help has for it."""

    @abstractmethod
    def add_arguments(self, parser: ArgumentParser) -> None:
        """Has the parser know what the command takes, in the order of its help."""

    @abstractmethod
    def run(self, asked: Namespace, settings: Settings) -> int:
        """Does what is asked; gives the exit code. Raises HeadcountError where it can't.

        Signals that ask to stop wait until it calls `stopping.heed`, once it is ready for them.
        """


def add_common(parser: ArgumentParser, *uses: Use, by_host: bool = True) -> None:
    """What most commands take: the flags of settings for these uses, `--host` where it narrows what is done, and what
    all of them take."""
    add_flags(parser, *uses)
    if by_host:
        parser.add_argument(
            "--host", metavar="HOST", action="append", default=[], help="only this host; may be repeated"
        )
    add_flags(parser, "months")
    parser.add_argument("--config", metavar="FILE", help="the configuration file")
    add_flags(parser, "log")


def add_trust_clock(parser: ArgumentParser) -> None:
    """The operator's word on the clock, for what keeps the state."""
    parser.add_argument(
        "--trust-clock",
        action="store_true",
        help="your word that this machine's clock is right; where it is in doubt, no month is closed and nothing is "
        "pruned before it has proved itself",
    )
