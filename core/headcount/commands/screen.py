"""`headcount`, or `headcount screen`: the live screen."""

import importlib.metadata
import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from headcount import stopping
from headcount.commands import terminal
from headcount.commands.base import Command, add_common, add_trust_clock
from headcount.commands.report import print_report
from headcount.errors import HeadcountError
from headcount.settings import Settings, add_flags

if TYPE_CHECKING:
    from headcount.feed import Feed

SCREEN = "headcount.screen"
"""The entry points by which a screen that is installed beside the core is found."""


class Screen(Command):
    """Shows the figures as they change; without a terminal, prints them once."""

    name = "screen"
    help = "the live screen (also without any command)"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_common(parser, "state", "reading")
        add_look(parser)
        add_trust_clock(parser)

    def run(self, asked: Namespace, settings: Settings) -> int:
        if not terminal.is_there():
            from headcount.tasks.reporting import Question

            return print_report(settings, Question(hosts=asked.host), "table")
        from headcount.engine.assemble import open_look

        stopping.heed()
        with open_look(settings, os.environ, asked.trust_clock) as feed:
            return open_screen(asked, settings, feed)


def add_look(parser: ArgumentParser) -> None:
    """How a screen looks."""
    parser.add_argument("--no-color", action="store_true", help="draw without colours (as NO_COLOR does)")
    add_flags(parser, "screen")


def open_screen(asked: Namespace, settings: Settings, feed: "Feed") -> int:
    """Opens the screen that is installed beside the core; gives the exit code once it is left."""
    screens = importlib.metadata.entry_points(group=SCREEN)
    if not screens:
        raise HeadcountError("The screen is not installed.", "Install the whole of headcount: pipx install headcount")
    from headcount.figures.filters import Filter, OnlyHosts
    from headcount.screen import ScreenOptions, Show
    from headcount.where import memory_file

    show: Show = next(iter(screens)).load()
    hosts = [host.lower() for host in asked.host]
    return show(
        feed if len(hosts) < 2 else OnlyHosts(feed, hosts),
        ScreenOptions(
            initial_filter=Filter().having("host", hosts[0] if len(hosts) == 1 else None),
            color=not (asked.no_color or os.environ.get("NO_COLOR")),
            ascii=settings.ascii,
            mouse=settings.mouse,
            theme=settings.theme,
            keys=dict(settings.keys),
            memory=memory_file(settings, os.environ),
            remember=settings.remember,
            min_count=settings.min_count,
        ),
    )
