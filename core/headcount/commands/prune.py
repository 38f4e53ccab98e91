"""`headcount prune`: deletes old months by hand."""

import os
import time
from argparse import ArgumentParser, Namespace

from headcount import stopping
from headcount.commands import terminal
from headcount.commands.base import Command, add_common
from headcount.settings import Settings


class Prune(Command):
    """Deletes old months of all hosts from the state. It reads nothing of the source, which only names the state."""

    name = "prune"
    help = "delete old months from the state"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_common(parser, "state", by_host=False)
        parser.add_argument("--before", metavar="YYYY-MM", help="delete the months before this one")
        parser.add_argument(
            "--keep", metavar="N", type=int, help="keep the newest N months, the current one among them"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")

    def run(self, asked: Namespace, settings: Settings) -> int:
        from headcount.tasks.pruning import prune

        stopping.heed()
        pruned = prune(settings, os.environ, asked.before, asked.keep, now=time.time(), dry_run=asked.dry_run)
        terminal.show(f"{pruned}\n")
        return 0
