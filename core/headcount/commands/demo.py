"""`headcount demo`: the screen on a simulated server."""

import sys
from argparse import ArgumentParser, Namespace

from headcount import stopping
from headcount.commands import terminal
from headcount.commands.base import Command, add_common
from headcount.commands.screen import add_look, open_screen
from headcount.settings import Settings


class Demo(Command):
    """Simulates a busy server in a temporary directory and shows it; without a terminal, prints its figures once."""

    name = "demo"
    help = "the screen on a simulated busy server; needs nothing else"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_common(parser)
        add_look(parser)

    def run(self, asked: Namespace, settings: Settings) -> int:
        from headcount.demo.run import demo_run
        from headcount.tasks.reporting import render

        stopping.unwind()
        stopping.heed()
        if terminal.is_there():
            print("Setting up a simulated server …", file=sys.stderr, end="\r", flush=True)
        with demo_run(settings) as run:
            if not terminal.is_there():
                terminal.show(render(run.engine.read_once(), "table"))
                return 0
            return open_screen(asked, settings, run)
